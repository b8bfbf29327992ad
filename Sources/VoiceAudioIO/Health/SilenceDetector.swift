import VoiceAudioCore

/// Finds that a microphone which was heard delivers nothing but zeros.
struct SilenceDetector {
    /// Shorter than this, a pause of a noise gate may be as silent.
    static let shortest = Duration.seconds(1)

    private var hasHeard = false
    private var zerosSince: MonotonicInstant?

    /// Notes a chunk.
    ///
    /// - Parameter time: When its first frame was captured.
    /// - Returns: Since when there are only zeros; `nil` where that is not so, or not for long enough.
    mutating func note(_ level: AudioLevel, at time: MonotonicInstant) -> MonotonicInstant? {
        guard level.peak == 0, hasHeard else {
            hasHeard = hasHeard || level.peak > 0
            zerosSince = nil
            return nil
        }
        let since = zerosSince ?? time
        zerosSince = since
        return since.duration(to: time) >= Self.shortest ? since : nil
    }
}
