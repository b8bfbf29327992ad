import VoiceAudioCore

/// Compares a device's sample clock with the monotonic clock: frames over a stretch of time without gaps.
struct DriftMeter {
    private let rate: Double
    private var restarted: MonotonicInstant?
    private var first: (position: Int, time: MonotonicInstant)?
    private(set) var ppm: Double?

    /// Streams begin unevenly: what comes before is not measured.
    private static let settling = Duration.seconds(1)
    private static let shortest = Duration.seconds(10)

    init(rate: Int64) { self.rate = Double(rate) }

    /// Notes that the device had captured `position` frames of its stream at `time`.
    mutating func note(position: Int, at time: MonotonicInstant) {
        guard let restarted else {
            restarted = time
            return
        }
        guard let first else {
            if restarted.duration(to: time) >= Self.settling { first = (position, time) }
            return
        }
        guard first.time.duration(to: time) >= Self.shortest else { return }
        let seconds = Double(time.nanoseconds - first.time.nanoseconds) / 1e9
        ppm = (Double(position - first.position) / rate / seconds - 1) * 1e6
    }

    /// Begins anew after a gap whose length is not known to the frame. What was found before stands until then.
    mutating func restart() {
        restarted = nil
        first = nil
    }
}
