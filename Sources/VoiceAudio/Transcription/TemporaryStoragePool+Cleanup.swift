public import VoiceAudioCore
public import VoiceAudioIO
public import VoiceAudioMemory

/// A pool drops the files that wait for use when memory is short: in a temporary directory that is memory, too, they take
/// some, and elsewhere the system's cache of them.
extension TemporaryStoragePool: MemoryCleanupHandler {
    public var cleanupName: String { "temporary storage pool" }

    public var cleanupPriority: Int { 0 }

    public func freeMemory(_ stage: MemoryCleanupStage) -> Int { removeIdleFiles() }

    /// An empty pool that a monitor calls when memory is short.
    ///
    /// As `init(maxIdleFiles:maxIdleBytes:directory:minimumFreeBytes:)`; the monitor holds it weakly.
    public convenience init(
        maxIdleFiles: Int = 4, maxIdleBytes: Int = 64 << 20, directory: String? = nil,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes, monitor: MemoryPressureMonitor
    ) throws(AudioError) {
        try self.init(
            maxIdleFiles: maxIdleFiles, maxIdleBytes: maxIdleBytes, directory: directory,
            minimumFreeBytes: minimumFreeBytes)
        monitor.register(self)
    }
}
