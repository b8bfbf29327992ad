/// What a ring does with an arriving chunk that does not fit: a rule at each cap.
///
/// The rule at the chunk cap decides first; the rule at the byte cap then sees what would remain. Where one of them
/// refuses the arriving chunk, nothing is evicted.
public struct OverflowPolicy: Sendable, Hashable {
    /// What happens at one cap.
    public enum Rule: Sendable, Hashable {
        /// The oldest chunks go until the arriving one fits.
        case dropOldest
        /// The arriving chunk is refused.
        case dropNewest
        /// The oldest chunks go until half of the cap is free: for a live stream that fell behind.
        case keepNewestHalf
        /// The producer waits for room as long as this, then the arriving chunk is refused. Not wait-free.
        case block(Duration)
    }

    /// The rule when the ring holds its most chunks.
    public var atChunkCap: Rule
    /// The rule when the arriving chunk would exceed the most bytes.
    public var atByteCap: Rule

    /// A rule for each cap.
    public init(atChunkCap: Rule, atByteCap: Rule) {
        self.atChunkCap = atChunkCap
        self.atByteCap = atByteCap
    }

    /// Drops the oldest at the chunk cap and refuses the newest at the byte cap: the default.
    public static let original = OverflowPolicy(atChunkCap: .dropOldest, atByteCap: .dropNewest)

    /// The same rule at both caps.
    public static func uniform(_ rule: Rule) -> OverflowPolicy { OverflowPolicy(atChunkCap: rule, atByteCap: rule) }

    /// How long the producer may wait for room: the longer of the two rules' waits; `nil` where neither blocks.
    var longestWait: Duration? {
        switch (atChunkCap, atByteCap) {
        case (.block(let first), .block(let second)): max(first, second)
        case (.block(let wait), _), (_, .block(let wait)): wait
        default: nil
        }
    }
}
