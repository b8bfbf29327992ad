/// What a capture does when its device goes away, or fails in a way that it cannot get over by itself.
///
/// Overruns, suspension and errors that pass are got over under either policy; what they cost is told as a loss.
public enum RecoveryPolicy: Sendable, Hashable {
    /// The capture fails at once, with `deviceLost` or `deviceFailed`.
    case fail
    /// The device is opened again as soon as it is back, found by its identity, whatever number it has then.
    ///
    /// Meanwhile the capture's health is ``CaptureHealth/reconnecting``; the gap is told before the next frame, and
    /// positions go on through it.
    ///
    /// - Parameters:
    ///   - budget: How long it may take until frames come again. After that the capture fails, with `deviceLost`.
    ///   - backoff: How long to wait between attempts; a sound card that appears ends the wait.
    case reconnect(budget: Duration, backoff: RecoveryBackoff = RecoveryBackoff())

    /// One minute: what a capture does unless it is told otherwise.
    public static let standard = RecoveryPolicy.reconnect(budget: .seconds(60))
}

/// The pauses between attempts to open a device again: each twice as long as the one before, up to a limit.
public struct RecoveryBackoff: Sendable, Hashable {
    /// The pause before the first attempt; 1 ms at least is kept.
    public var first: Duration
    /// No pause is longer.
    public var longest: Duration

    /// 100 ms, then twice as long each time, up to 2 s, unless given.
    public init(first: Duration = .milliseconds(100), longest: Duration = .seconds(2)) {
        self.first = first
        self.longest = longest
    }

    /// The pause after that many attempts.
    func pause(afterAttempts count: Int) -> Duration {
        let shortest = Duration.milliseconds(1)
        // Beyond 2¹⁶ × 1 ms every limit of use is reached.
        return max(shortest, min(longest, max(first, shortest) * (1 << min(max(count, 0), 16))))
    }
}
