/// How much is at stake when memory is asked back.
public enum MemoryCleanupStage: String, Sendable, Hashable, CaseIterable, Codable {
    /// From `moderate` on: drop caches, and write to disk what can be there.
    case trim
    /// From `high` on: make smaller whatever can be.
    case shrink
    /// At `critical`: give up all but what cannot be lost.
    case emergency
}

/// Something that can give memory back when the system is short of it.
///
/// A ``MemoryPressureMonitor`` holds its handlers weakly, and calls those of the highest priority first. Each has a time of
/// its own to answer in: one that throws or hangs costs the others no more than that.
public protocol MemoryCleanupHandler: AnyObject, Sendable {
    /// What logs and reports call it.
    var cleanupName: String { get }

    /// Handlers with a higher one are called first.
    var cleanupPriority: Int { get }

    /// Gives memory back.
    ///
    /// - Parameter stage: What is asked for; the earlier stages were asked for before it.
    /// - Returns: Bytes given back, as far as is known.
    ///
    /// > Concurrency: Called on a thread of the monitor's, never twice at once.
    func freeMemory(_ stage: MemoryCleanupStage) throws -> Int
}
