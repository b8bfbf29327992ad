public import VoiceAudioCore

/// How the memory of this process stands, as its monitor last saw it.
///
/// Several limits may hold for a process. ``origin``, ``limitBytes``, ``usedBytes`` and what follows from them are those
/// of the limit that is nearest to being reached; ``capacityBytes`` and ``headroomBytes`` look at all.
public struct MemoryPressureStatus: Sendable, Hashable, Codable {
    /// How near the process is to what it may use.
    public var level = MemoryPressureLevel.low
    /// Whose limit decides.
    public var origin = MemoryLimit.Origin.machine
    /// The path of the cgroup whose limit decides.
    public var groupPath: String?
    /// The limit that decides.
    public var limitBytes = 0
    /// What is used of it, by all whom it holds for.
    public var usedBytes = 0
    /// What is left of it.
    public var freeBytes = 0
    /// What is to be kept free of it.
    public var minimumFreeBytes = 0
    /// Bytes that can be taken before one of the limits has less than its minimum free; 0 where one has.
    public var headroomBytes = 0
    /// The most that this process may use, whatever others do: the smallest of all limits. Sizes follow from this, and not
    /// from ``limitBytes``, which may be the machine's as long as the own group uses little.
    public var capacityBytes = 0
    /// Percent of the limit that is used.
    public var usedPercent = 0.0
    /// The mean of the last five samples' percentages.
    public var averagePercent = 0.0
    /// Where it is going, by the last ten samples.
    public var trend = MemoryTrend()
    /// Resident bytes of this process.
    public var processRSSBytes = 0
    /// Whether memory stayed critical through a whole clean-up, so that nothing new is to begin.
    public var isProcessingPaused = false
    /// When the newest sample was taken, on the monitor's clock; `nil` where there is none.
    public var sampledAt: MonotonicInstant?
    /// What keeps the monitor from sampling: the rest is as it was before that.
    public var failure: String?

    /// Before any sample.
    public init() {}

    enum CodingKeys: String, CodingKey {
        case level
        case origin
        case groupPath = "group_path"
        case limitBytes = "limit_bytes"
        case usedBytes = "used_bytes"
        case freeBytes = "free_bytes"
        case minimumFreeBytes = "minimum_free_bytes"
        case headroomBytes = "headroom_bytes"
        case capacityBytes = "capacity_bytes"
        case usedPercent = "used_percent"
        case averagePercent = "average_percent"
        case trend
        case processRSSBytes = "process_rss_bytes"
        case isProcessingPaused = "is_processing_paused"
        case sampledAt = "sampled_at_ns"
        case failure
    }
}
