/// Frames that were captured or due, and did not arrive.
public struct AudioLoss: Sendable, Hashable, Codable {
    /// Why frames were lost.
    public enum Cause: String, Sendable, Hashable, CaseIterable, Codable {
        /// The device's buffer ran over before it was read.
        case deviceOverrun = "device overrun"
        /// The device delivered nothing: suspended, stalled or away.
        case deviceGap = "device gap"
        /// The ring dropped its oldest chunks to make room.
        case ringEvicted = "ring evicted"
        /// The ring refused arriving chunks.
        case ringRefused = "ring refused"
        /// A consumer's own ring dropped chunks because the consumer was too slow.
        case consumerLag = "consumer lag"
        /// A clean-up asked for by the program threw chunks away.
        case cleanedUp = "cleaned up"
        /// A file could not take them.
        case disk
        /// A recording hands back no more than it may.
        case recordingLimit = "recording limit"
    }

    /// Frames lost.
    public var frames: Int
    /// Why; where several causes met in one gap, the one that cost the most.
    public var cause: Cause
    /// Whether `frames` was counted (`true`) or estimated as clock × rate (`false`).
    public var isExact: Bool

    /// A loss of the values given: exact unless said otherwise.
    @_noLocks @_noAllocation
    public init(frames: Int, cause: Cause, isExact: Bool = true) {
        self.frames = frames
        self.cause = cause
        self.isExact = isExact
    }

    enum CodingKeys: String, CodingKey {
        case frames
        case cause
        case isExact = "exact"
    }
}

extension AudioLoss: CustomStringConvertible {
    /// `device overrun: 320 frames`; `about 320` where they are estimated.
    public var description: String { "\(cause.rawValue): \(isExact ? "" : "about ")\(frames) frames" }
}
