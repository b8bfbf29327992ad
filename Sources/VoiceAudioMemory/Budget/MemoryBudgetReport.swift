/// What a ``MemoryBudget`` has given out, and those below it.
public struct MemoryBudgetReport: Sendable, Hashable, Codable {
    /// The node's name.
    public var name: String
    /// The most that it, and all below it together, may have.
    public var limitBytes: Int
    /// Bytes taken, here and below.
    public var usedBytes: Int
    /// The most that were ever taken.
    public var peakBytes: Int
    /// What was taken here and not below, by purpose.
    public var purposes: [String: Int]
    /// The nodes below, in the order in which they were made.
    public var children: [MemoryBudgetReport]

    enum CodingKeys: String, CodingKey {
        case name
        case limitBytes = "limit_bytes"
        case usedBytes = "used_bytes"
        case peakBytes = "peak_bytes"
        case purposes
        case children
    }
}
