public import VoiceAudioMemory

/// Gives memory back when a ``MemoryPressureMonitor`` asks for it.
///
/// | stage | while nothing is recorded | while recording, or paused, or with a recording to hand back |
/// |---|---|---|
/// | `trim` | pages that hold no audio | the same |
/// | `shrink` | besides, the older half of the history | as `trim` |
/// | `emergency` | besides, all of the history, and what waits for subscribers, who are told so | as `trim` |
///
/// A recording is never thrown away for want of memory, nor is what waits for subscribers meanwhile: its size has caps of
/// its own. What goes is counted as ``MemoryUsage/Drops-swift.struct/cleanedUp``.
extension AudioProcessor: MemoryCleanupHandler {
    /// The source's name, after what this is.
    public var cleanupName: String { "AudioProcessor \"\(setup.source.name)\"" }

    /// Below what can give memory back without losing anything.
    public var cleanupPriority: Int { -10 }

    /// Gives memory back; the capture goes on.
    ///
    /// - Returns: Resident bytes that the rings have less than before, as the kernel counts them.
    ///
    /// > Concurrency: Safe from any thread.
    public func freeMemory(_ stage: MemoryCleanupStage) -> Int {
        let buffers = capturing.withLock { $0.subscribers.buffers + ($0.history.map { [$0] } ?? []) }
        let before = buffers.reduce(0) { $0 + $1.residentBytes }
        capturing.withLock { state in
            // A recording cannot begin before this is done.
            guard stage != .trim, !state.holdsRecording else { return }
            let count = state.history?.count ?? 0
            state.history?.removeAll(butNewest: stage == .shrink ? (count + 1) / 2 : 0)
            if stage == .emergency { for buffer in state.subscribers.buffers { buffer.removeAll() } }
        }
        for buffer in buffers { buffer.releaseUnusedPages() }
        // A capture that goes on may have taken more meanwhile.
        return max(0, before - buffers.reduce(0) { $0 + $1.residentBytes })
    }
}
