/// What became of pushed frames.
public enum PushResult: Sendable, Hashable {
    /// They are captured; what the rings did with them is in their ledgers.
    case taken
    /// They, or the rest of them, are not.
    case refused(Refusal)

    /// Why frames were refused.
    public enum Refusal: String, Sendable, Hashable, CaseIterable, Codable {
        /// No capture is under way, or it ended meanwhile.
        case notCapturing
        /// The bytes are no whole number of frames.
        case partialFrame
    }
}
