import VoiceAudio

/// The highest peak of the last moments: it stands for 1.5 s, and then falls by 20 dB a second.
struct PeakHold {
    static let holdTime = Duration.milliseconds(1500)
    static let fallPerSecond: Float = 20

    private var heldDBFS = -Float.infinity
    private var heldSince = MonotonicInstant(nanoseconds: 0)

    /// Takes the peak of newer sound in.
    mutating func take(_ peakDBFS: Float, at now: MonotonicInstant) {
        guard peakDBFS >= dBFS(at: now) else { return }
        heldDBFS = peakDBFS
        heldSince = now
    }

    /// Where it stands, in dBFS; −∞ before any sound.
    func dBFS(at now: MonotonicInstant) -> Float {
        let fallTime = max(.zero, heldSince.duration(to: now) - Self.holdTime)
        return heldDBFS - Float(fallTime / .seconds(1)) * Self.fallPerSecond
    }
}
