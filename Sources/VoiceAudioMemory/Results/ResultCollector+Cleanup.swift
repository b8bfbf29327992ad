extension ResultCollector: MemoryCleanupHandler {
    /// Its name.
    public var cleanupName: String { name }

    /// Above most: what is on disk is not lost.
    public var cleanupPriority: Int { 100 }

    /// Writes results to disk: all but the newest block, and from `shrink` on all.
    ///
    /// - Returns: Bytes given back.
    /// - Throws: ``AudioError`` as `append` does, where nothing could be given back.
    public func freeMemory(_ stage: MemoryCleanupStage) throws -> Int {
        try store.spill(keepsNewest: stage == .trim)
    }
}
