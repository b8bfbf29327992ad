/// How near a process is to the memory that it may use.
public enum MemoryPressureLevel: String, Sendable, Hashable, Comparable, CaseIterable, Codable {
    /// Nothing is to be done.
    case low
    /// Caches can go, and what a disk can hold.
    case moderate
    /// Whatever can be smaller is to be.
    case high
    /// The system may end the process at any moment.
    case critical

    public static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }

    private var severity: Int {
        switch self {
        case .low: 0
        case .moderate: 1
        case .high: 2
        case .critical: 3
        }
    }
}
