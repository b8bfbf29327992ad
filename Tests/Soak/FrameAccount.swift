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
    /// Frames of this capture, lost ones included; and as many when the first and the newest of those chunks arrived that
    /// came in time. Capture times only tell who came late: where a device has no stamps, they are reckoned from the frames.
    private var frames = 0
    private var first: (time: MonotonicInstant, frames: Int)?
    private var newest: (time: MonotonicInstant, frames: Int)?
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
                frames += told.frames
                gaps += 1
                // Where it is estimated: when a device stopped and began again is known to a period.
                if !told.isExact { tolerance += 2 * period }
            }
        }
        delivered += header.frameCount
        frames += header.frameCount
        last = header
        // What came late, as this machine stood still, says nothing of how long the device took.
        let end = header.captureTime.advanced(by: .seconds(1) * header.frameCount / rate)
        guard end.duration(to: now) < .milliseconds(200) else { return }
        newest = (now, frames)
        first = first ?? newest
    }

    /// A capture has ended: compares it with the clock. What was lost at its end nobody was told.
    mutating func endCapture() {
        due += frames
        if let first, let newest {
            let elapsed = first.time.duration(to: newest.time)
            let dueBetween = Int((elapsed / .seconds(1) * Double(rate)).rounded())
            due += dueBetween - (newest.frames - first.frames)
            // Chunks arrive half a second late at most, and a device's clock differs from ours by a thousandth at most.
            tolerance += rate / 2 + dueBetween / 1000
        } else if frames > 5 * rate {
            problems.append("of \(frames) frames none came in time")
        }
        (frames, first, newest, last) = (0, nil, nil, nil)
    }

    var isComplete: Bool { abs(delivered + lost - due) <= tolerance && problems.isEmpty && delivered > 0 }
}
