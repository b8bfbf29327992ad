import VoiceAudio

/// Adds up what a listener got and what it was told that it missed, against what the clock says was due.
struct FrameAccount {
    private(set) var delivered = 0
    private(set) var lostByCause: [AudioLoss.Cause: Int] = [:]
    private(set) var gaps = 0
    /// Frames due by the clock, of all captures.
    private(set) var due = 0
    private(set) var problems: [String] = []
    /// Frames by which delivered and lost may differ from those due.
    private(set) var tolerance = 0

    private let rate: Int
    private let period: Int
    /// When the first and the last chunk arrived. Capture times will not do: where a device has no stamps, they are
    /// reckoned from the frames.
    private var firstArrival: MonotonicInstant?
    private var lastArrival = MonotonicInstant(nanoseconds: 0)
    private var last: AudioChunkHeader?

    init(rate: Int, period: Int) {
        self.rate = rate
        self.period = period
    }

    var lost: Int { lostByCause.values.reduce(0, +) }

    mutating func take(_ header: AudioChunkHeader, at now: MonotonicInstant) {
        let told = header.lossBefore
        if let last {
            let missing = header.framePosition - last.framePosition - last.frameCount
            if missing != told?.frames ?? 0 {
                problems.append(
                    "\(missing) frames are missing at \(header.framePosition), told are \(told?.frames ?? 0)")
            }
            if let told {
                lostByCause[told.cause, default: 0] += told.frames
                gaps += 1
                // Where it is estimated: when a device stopped and began again is known to a period.
                if !told.isExact { tolerance += 2 * period }
            }
        } else {
            firstArrival = now
            due += header.frameCount
        }
        delivered += header.frameCount
        last = header
        lastArrival = now
    }

    /// A capture has ended: compares it with the clock. What was lost at its end nobody was told.
    mutating func endCapture() {
        guard let firstArrival else { return }
        let elapsed = firstArrival.duration(to: lastArrival)
        let frames = Int((elapsed / .seconds(1) * Double(rate)).rounded())
        due += frames
        // Chunks arrive half a second late at most, and a device's clock differs from ours by a thousandth at most.
        tolerance += rate / 2 + frames / 1000
        self.firstArrival = nil
        last = nil
    }

    var isComplete: Bool { abs(delivered + lost - due) <= tolerance && problems.isEmpty && delivered > 0 }
}
