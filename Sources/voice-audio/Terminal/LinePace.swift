import VoiceAudio

/// When a line may be shown again.
struct LinePace {
    let interval: Duration
    private var newest: MonotonicInstant?

    init(interval: Duration) { self.interval = interval }

    /// Whether it may be at `now`; then that counts as done.
    mutating func isDue(at now: MonotonicInstant) -> Bool {
        if let newest, newest.duration(to: now) < interval { return false }
        newest = now
        return true
    }
}
