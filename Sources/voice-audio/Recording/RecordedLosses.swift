import VoiceAudio

/// The gaps of a recording of any length, in constant memory: the first thousand one by one, the rest as a count.
struct RecordedLosses {
    /// One gap.
    struct Entry: Encodable {
        /// Frames of the recording before the gap, those lost earlier included.
        let atFrame: Int
        /// Frames missing.
        let frames: Int
        /// Why.
        let cause: AudioLoss.Cause
        /// Whether they were counted, not estimated.
        let exact: Bool

        enum CodingKeys: String, CodingKey {
            case atFrame = "at_frame"
            case frames
            case cause
            case exact
        }
    }

    private static let limit = 1000

    /// The gaps, earliest first, as far as they are kept.
    private(set) var entries: [Entry] = []
    /// Gaps beyond those.
    private(set) var leftOutCount = 0

    mutating func add(_ loss: AudioLoss, at frame: Int) {
        guard entries.count < Self.limit else {
            leftOutCount += 1
            return
        }
        entries.append(Entry(atFrame: frame, frames: loss.frames, cause: loss.cause, exact: loss.isExact))
    }
}
