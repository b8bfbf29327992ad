public import VoiceAudioCore

/// How a capture fares. Whether something is recorded meanwhile is a state, and another matter.
public enum CaptureHealth: String, Sendable, Hashable, CaseIterable, Codable {
    /// Frames come.
    case flowing
    /// Frames come, and since a second at least all samples are exactly zero, after there was sound before: a microphone that
    /// was switched off, say. A live one is never as silent as that.
    case silent
    /// The device is there, and delivers nothing: for eight periods, and 100 ms at least on a sound card, half a second
    /// elsewhere.
    case stalled
    /// The device went away, and is opened again as soon as it is back.
    case reconnecting
    /// The capture has failed.
    case lost
}

/// How a capture fares, since when, and why.
public struct HealthStatus: Sendable, Hashable {
    /// How it fares.
    public var health: CaptureHealth
    /// Since when, on the capture's clock.
    public var since: MonotonicInstant
    /// Why, in a sentence for people; `nil` where nothing is wrong.
    public var reason: String?

    /// A status of the values given.
    public init(health: CaptureHealth, since: MonotonicInstant, reason: String? = nil) {
        self.health = health
        self.since = since
        self.reason = reason
    }
}
