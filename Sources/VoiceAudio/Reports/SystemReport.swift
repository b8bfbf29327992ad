public import VoiceAudioCore
public import VoiceAudioMemory

/// What a program takes and holds at one moment: the process, its disk, and each part of it that a ``SystemReporter``
/// was told of. `Codable`, with keys in snake case; bytes, seconds and percent are named so.
public struct SystemReport: Sendable, Hashable, Codable {
    /// When it was made, on the wall clock.
    public var secondsSince1970: Double
    /// What the process takes of the machine.
    public var process: ProcessReport
    /// Where temporary files go; `nil` where there is no such directory.
    public var disk: DiskReport?
    /// How near the process is to the memory that it may use; `nil` where no monitor was given.
    public var pressure: MemoryPressureStatus?
    /// The library's threads, in the order in which they were started.
    public var threads: [ThreadReport]
    /// The processors.
    public var processors: [Processor]
    /// The budgets, each with those below it.
    public var budgets: [MemoryBudgetReport]
    /// The trackers of audio objects, each with its oldest.
    public var trackers: [AudioObjectReport]
    /// The collectors of results.
    public var collectors: [ResultCollectorReport]
    /// The registries of sessions, each with its sessions.
    public var registries: [SessionRegistryReport]
    /// The registries of components.
    public var components: [ComponentReport]

    /// One processor.
    public struct Processor: Sendable, Hashable, Codable {
        /// What it was called when it was added.
        public var name: String
        /// What it is doing, in words: "recording".
        public var state: String
        /// How loud the newest chunk was; silence while nothing is captured.
        public var level: AudioLevel
        /// Why the health is what it is, in a sentence; `nil` where nothing is wrong.
        public var healthReason: String?
        /// What it holds and dropped, and its health.
        public var memoryUsage: MemoryUsage

        init(_ processor: AudioProcessor, named name: String, processRSSBytes: Int) {
            self.name = name
            state = "\(processor.state)"
            level = processor.level
            healthReason = processor.healthStatus?.reason
            memoryUsage = processor.memoryUsage(processRSSBytes: processRSSBytes)
        }

        enum CodingKeys: String, CodingKey {
            case name
            case state
            case level
            case healthReason = "health_reason"
            case memoryUsage = "memory_usage"
        }
    }

    enum CodingKeys: String, CodingKey {
        case secondsSince1970 = "seconds_since_1970"
        case process
        case disk
        case pressure
        case threads
        case processors
        case budgets
        case trackers
        case collectors
        case registries
        case components
    }
}
