/// What a ``ResultCollector`` holds, and where: `Codable`, with the keys that JSON readers know.
public struct ResultCollectorReport: Sendable, Hashable, Codable {
    /// What the collector was called when it was made.
    public var name = ""
    /// Results that are held.
    public var count = 0
    /// Memory taken for results, used or not.
    public var memoryBytes = 0
    /// The most that it ever was.
    public var peakMemoryBytes = 0
    /// What it never exceeds; 0 where the budget is not accepted.
    public var memoryLimitBytes = 0
    /// Results that are on disk.
    public var spilledCount = 0
    /// Bytes on disk.
    public var spilledBytes = 0
    /// What they never exceed.
    public var spillLimitBytes = 0
    /// Where they are; `nil` while nothing was spilled.
    public var spillDirectory: String?
    /// Whether the directory that was named, or else the system's for temporary files, is memory; `nil` while nothing
    /// was spilled.
    public var temporaryDirectoryIsMemory: Bool?
    /// Results that were not accepted.
    public var refusedCount = 0
    /// Times that a result could not be read.
    public var damagedCount = 0

    enum CodingKeys: String, CodingKey {
        case name
        case count
        case memoryBytes = "memory_bytes"
        case peakMemoryBytes = "peak_memory_bytes"
        case memoryLimitBytes = "memory_limit_bytes"
        case spilledCount = "spilled_count"
        case spilledBytes = "spilled_bytes"
        case spillLimitBytes = "spill_limit_bytes"
        case spillDirectory = "spill_directory"
        case temporaryDirectoryIsMemory = "temporary_directory_is_memory"
        case refusedCount = "refused_count"
        case damagedCount = "damaged_count"
    }
}
