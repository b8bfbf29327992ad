import VoiceAudio

/// How loud it was since that was last shown, and the peak that is held.
struct RecentSound {
    /// Without any frame for so long there is nothing to show: a device that went away is not as loud as it was.
    private static let patience = Duration.milliseconds(500)

    private var hold = PeakHold()
    private var loudest: AudioLevel?
    private var newest = AudioLevel.silence
    private var newestTime: MonotonicInstant?
    private var frameCount = -1

    /// Takes the level in that there is when `frames` were recorded.
    mutating func take(_ level: AudioLevel, frames: Int, at now: MonotonicInstant) {
        guard frames != frameCount else { return }
        frameCount = frames
        newest = level
        newestTime = now
        loudest = (loudest ?? level).rms > level.rms ? loudest : level
        hold.take(level.peakDBFS, at: now)
    }

    /// The loudest mean since the last call, or else the newest; and the peak that is held. Both in dBFS.
    mutating func level(at now: MonotonicInstant) -> (rms: Float, heldPeak: Float) {
        defer { loudest = nil }
        let isOver = newestTime.map { $0.duration(to: now) > Self.patience } ?? true
        let level = isOver ? .silence : loudest ?? newest
        return (level.rmsDBFS, hold.dBFS(at: now))
    }
}
