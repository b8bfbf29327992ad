import VoiceAudioCore
import VoiceAudioIO

/// How a processor stands at one instant, without what takes a system call: for ``SystemReporter/liveReport()``.
struct ProcessorStanding: Sendable {
    let state: ProcessorState
    let health: HealthStatus?
    let level: AudioLevel
    /// How much of the history's chunks is full, 0…1.
    let chunkFill: Double
    /// How much of the history's bytes is full, 0…1.
    let byteFill: Double
    /// Memory taken for the history, touched or not, and the most that it may be.
    let ringBytes: Int
    let ringLimitBytes: Int
    let losses: LiveReport.Losses
}

extension AudioProcessor {
    /// How it stands now.
    var standing: ProcessorStanding {
        let now = clock.now
        return capturing.withLock { state in
            let configuration = state.setup.configuration
            let fill = state.history?.fill ?? (chunks: 0, bytes: 0)
            let drops = state.drops
            return ProcessorStanding(
                state: ProcessorState(state.currentState), health: state.health.status(at: now),
                level: state.capture?.counters.newestLevel ?? .silence,
                chunkFill: Double(fill.chunks) / Double(configuration.maxChunks),
                byteFill: Double(fill.bytes) / Double(configuration.maxBytes),
                ringBytes: state.history?.allocatedBytes ?? 0, ringLimitBytes: state.history?.allocationLimitBytes ?? 0,
                losses: LiveReport.Losses(
                    device: drops.device, ringEvicted: drops.ringEvicted.frames, ringRefused: drops.ringRefused.frames,
                    cleanedUp: drops.cleanedUp.frames,
                    missedBySubscribers: state.subscribers.buffers.reduce(0) {
                        $0 + MemoryUsage.Subscriber.missed(in: $1).frames
                    }))
        }
    }
}
