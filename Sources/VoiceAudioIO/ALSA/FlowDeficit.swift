import VoiceAudioCore

/// Finds by the clock that a device which reports no overrun delivers less than is due.
///
/// Sound servers deliver late and in bursts without losing anything. So what counts is the smallest arrear in each
/// second with frames, which begins when the first of them come: a burst makes it up, a loss does not. Slow drift moves
/// it by far less than a loss.
struct FlowDeficit {
    private static let second = Duration.seconds(1)
    private let rate: Int64
    private let tolerance: Int

    /// When, and before how many frames, counting began.
    private var origin: (time: MonotonicInstant, frames: Int)?
    /// The second that runs, and the smallest arrear in it so far.
    private var running: (end: MonotonicInstant, smallest: Int)?
    private var usual: Int?

    /// - Parameter tolerance: Frames that may come later than in the second before and are not yet lost.
    init(rate: Int64, tolerance: Int) {
        self.rate = rate
        self.tolerance = tolerance
    }

    /// Notes that `frames` of the stream, delivered, lost and waiting, were there at `now`.
    ///
    /// - Returns: Frames that are missing for good, or 0.
    mutating func note(frames: Int, at now: MonotonicInstant) -> Int {
        guard let origin else {
            origin = (now, frames)
            return 0
        }
        let arrear = arrear(of: frames, at: now, since: origin)
        let end = running?.end ?? now.advanced(by: Self.second)
        let smallest = min(running?.smallest ?? arrear, arrear)
        running = now < end ? (end, smallest) : nil
        guard running == nil else { return 0 }
        let missing = smallest - (usual ?? smallest)
        // What is told as lost counts among the frames from then on, and the arrear is the usual one again.
        guard missing <= tolerance else { return missing }
        usual = smallest
        return 0
    }

    /// Frames that a stop at `now` leaves missing for good: of which arrival times know nothing, where the reader itself was held
    /// up in a read.
    func missing(frames: Int, at now: MonotonicInstant) -> Int {
        guard let origin, let usual = usual ?? running?.smallest else { return 0 }
        let missing = arrear(of: frames, at: now, since: origin) - usual
        return missing > tolerance ? missing : 0
    }

    private func arrear(of frames: Int, at now: MonotonicInstant, since origin: (time: MonotonicInstant, frames: Int))
        -> Int
    {
        Int((now.nanoseconds - origin.time.nanoseconds) / 1000 * rate / 1_000_000) - (frames - origin.frames)
    }

    /// Begins anew after a stop that is told of otherwise.
    mutating func restart() {
        origin = nil
        running = nil
        usual = nil
    }
}
