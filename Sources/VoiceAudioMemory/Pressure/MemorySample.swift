/// One limit on the memory of this process, and how much of it is used.
public struct MemoryLimit: Sendable, Hashable, Codable {
    /// Whose limit it is.
    public enum Origin: String, Sendable, Hashable, CaseIterable, Codable {
        /// The machine's memory. Used is what `MemAvailable` leaves of it: the cache of files counts as free.
        case machine
        /// A cgroup of version 1. Used is `usage_in_bytes` without `total_inactive_file`, the cache that goes by itself.
        case cgroupV1 = "cgroup_v1"
        /// A cgroup of version 2: `memory.max` or `memory.high`. Used is `memory.current` without `inactive_file`.
        case cgroupV2 = "cgroup_v2"
    }

    /// Whose limit it is.
    public var origin: Origin
    /// Of a cgroup: its path below the hierarchy's root. It may be an ancestor of the process's own.
    public var groupPath: String?
    /// The most that may be used.
    public var limitBytes: Int
    /// What is used, by all whom the limit holds for.
    public var usedBytes: Int

    /// A limit of the values given.
    public init(origin: Origin, groupPath: String? = nil, limitBytes: Int, usedBytes: Int) {
        self.origin = origin
        self.groupPath = groupPath
        self.limitBytes = limitBytes
        self.usedBytes = usedBytes
    }

    /// What is left; 0 where more is used than may be.
    public var freeBytes: Int { max(0, limitBytes - usedBytes) }

    /// What is used, 0 to 1; more where more is used than may be.
    var usedFraction: Double { limitBytes > 0 ? Double(usedBytes) / Double(limitBytes) : 1 }

    enum CodingKeys: String, CodingKey {
        case origin
        case groupPath = "group_path"
        case limitBytes = "limit_bytes"
        case usedBytes = "used_bytes"
    }
}

/// What the memory of this process was at one moment: all limits that hold for it, and its own share.
public struct MemorySample: Sendable, Hashable, Codable {
    /// Each limit that holds for this process, at least one: its cgroup's, those of the groups above, the machine's.
    public var limits: [MemoryLimit]
    /// Resident bytes of this process.
    public var processRSSBytes: Int

    /// A sample of the values given.
    public init(limits: [MemoryLimit], processRSSBytes: Int) {
        self.limits = limits
        self.processRSSBytes = processRSSBytes
    }

    /// What this process may use at most: the smallest limit.
    public var capacityBytes: Int { limits.map(\.limitBytes).min() ?? 0 }

    /// The same within what can be reckoned with: a source of somebody's own may tell anything.
    var clamped: MemorySample {
        var sample = self
        for index in sample.limits.indices {
            sample.limits[index].limitBytes = min(max(0, limits[index].limitBytes), Self.mostBytes)
            sample.limits[index].usedBytes = min(max(0, limits[index].usedBytes), Self.mostBytes)
        }
        return sample
    }

    private static let mostBytes = 1 << 60

    enum CodingKeys: String, CodingKey {
        case limits
        case processRSSBytes = "process_rss_bytes"
    }
}
