public import VoiceAudioCore
public import VoiceAudioIO
public import VoiceAudioMemory

/// How a program's captures and memory stand at one moment, small enough to be made ten times a second: what a display that
/// follows them shows. `Codable`, with keys in snake case. All else is in ``SystemReport``.
public struct LiveReport: Sendable, Hashable, Codable {
    /// When it was made, on the wall clock.
    public var secondsSince1970: Double
    /// What is wrong, the worst first; none where all is well.
    public var problems: [Problem]
    /// What the process takes.
    public var process: Process
    /// How near the process is to the memory that it may use; `nil` where no monitor was given.
    public var pressure: Pressure?
    /// The budgets that were added.
    public var budgets: [Budget]
    /// The registries of sessions.
    public var registries: [Registry]
    /// The processors, those that were added first, and then those of the registries' sessions.
    public var processors: [Processor]

    /// Whether nothing is wrong.
    public var isWell: Bool { problems.isEmpty }

    /// Something that is wrong, for people.
    public struct Problem: Sendable, Hashable, Codable {
        /// How bad a problem is.
        public enum Severity: String, Sendable, Hashable, CaseIterable, Codable {
            /// Nothing is lost yet.
            case warning
            /// Audio is being lost, or will be.
            case failure
        }

        /// How bad it is.
        public var severity: Severity
        /// What it is, in a sentence.
        public var text: String
    }

    /// What the process takes.
    public struct Process: Sendable, Hashable, Codable {
        /// Resident bytes of the process.
        public var residentBytes: Int
        /// Seconds of processor time of all its threads, since it began.
        public var cpuSeconds: Double
        /// The library's threads by name: how many there are of each.
        public var threads: [String: Int]
        /// Those of them that did not end in time.
        public var quarantinedThreads: Int
        /// Bytes that the processors' histories have taken.
        public var ringBytes: Int
        /// What `ringBytes` never exceeds.
        public var ringLimitBytes: Int

        enum CodingKeys: String, CodingKey {
            case residentBytes = "resident_bytes"
            case cpuSeconds = "cpu_seconds"
            case threads
            case quarantinedThreads = "quarantined_threads"
            case ringBytes = "ring_bytes"
            case ringLimitBytes = "ring_limit_bytes"
        }
    }

    /// How near the process is to the memory that it may use.
    public struct Pressure: Sendable, Hashable, Codable {
        /// As the monitor last saw it.
        public var level: MemoryPressureLevel
        /// Used bytes of the limit that decides.
        public var usedBytes: Int
        /// The limit that decides; 0 before the first sample.
        public var limitBytes: Int
        /// Used bytes from which on the level is `moderate`.
        public var moderateBytes: Int
        /// Used bytes from which on it is `high`: by percent, or as less than the minimum is free.
        public var highBytes: Int
        /// Used bytes from which on it is `critical`.
        public var criticalBytes: Int
        /// When it is critical at the present rate; `nil` where use does not rise.
        public var secondsToCritical: Double?
        /// Whether nothing new is to begin, as a clean-up did not help.
        public var isProcessingPaused: Bool

        enum CodingKeys: String, CodingKey {
            case level
            case usedBytes = "used_bytes"
            case limitBytes = "limit_bytes"
            case moderateBytes = "moderate_bytes"
            case highBytes = "high_bytes"
            case criticalBytes = "critical_bytes"
            case secondsToCritical = "seconds_to_critical"
            case isProcessingPaused = "is_processing_paused"
        }
    }

    /// What is taken of one budget.
    public struct Budget: Sendable, Hashable, Codable {
        /// The budget's name.
        public var name: String
        /// Bytes that are taken of it.
        public var usedBytes: Int
        /// The most that may be.
        public var limitBytes: Int

        enum CodingKeys: String, CodingKey {
            case name
            case usedBytes = "used_bytes"
            case limitBytes = "limit_bytes"
        }
    }

    /// How one registry of sessions stands.
    public struct Registry: Sendable, Hashable, Codable {
        /// The registry's name.
        public var name: String
        /// Sessions there are.
        public var sessionCount: Int
        /// The most there may be.
        public var sessionLimit: Int
        /// Bytes that are taken: by them, and by what they handed back and is kept.
        public var usedBytes: Int
        /// The most that may be.
        public var limitBytes: Int

        enum CodingKeys: String, CodingKey {
            case name
            case sessionCount = "session_count"
            case sessionLimit = "session_limit"
            case usedBytes = "used_bytes"
            case limitBytes = "limit_bytes"
        }
    }

    /// How one processor fares.
    public struct Processor: Sendable, Hashable, Codable {
        /// What it was called when it was added; the name of its session.
        public var name: String
        /// The registry whose session it is; `nil` where it is none's.
        public var registry: String?
        /// Frames per second.
        public var sampleRate: Int
        /// What it is doing, in words: "recording".
        public var state: String
        /// How the capture fares; `nil` while nothing is captured.
        public var health: CaptureHealth?
        /// Why, in a sentence; `nil` where nothing is wrong.
        public var healthReason: String?
        /// How loud the newest chunk was; silence while nothing is captured.
        public var level: AudioLevel
        /// How much of the history's chunks is full, 0…1.
        public var chunkFill: Double
        /// How much of the history's bytes is full, 0…1.
        public var byteFill: Double
        /// What was lost since it was made.
        public var losses: Losses

        enum CodingKeys: String, CodingKey {
            case name
            case registry
            case sampleRate = "sample_rate"
            case state
            case health
            case healthReason = "health_reason"
            case level
            case chunkFill = "chunk_fill"
            case byteFill = "byte_fill"
            case losses
        }
    }

    /// Lost frames by cause.
    public struct Losses: Sendable, Hashable, Codable {
        /// The device lost them.
        public var device: Int
        /// The history dropped its oldest, as it is to: no loss to who records no longer than it holds.
        public var ringEvicted: Int
        /// The history refused them.
        public var ringRefused: Int
        /// A clean-up threw them away.
        public var cleanedUp: Int
        /// Present subscribers were too slow for them, all together.
        public var missedBySubscribers: Int

        enum CodingKeys: String, CodingKey {
            case device
            case ringEvicted = "ring_evicted"
            case ringRefused = "ring_refused"
            case cleanedUp = "cleaned_up"
            case missedBySubscribers = "missed_by_subscribers"
        }
    }

    enum CodingKeys: String, CodingKey {
        case secondsSince1970 = "seconds_since_1970"
        case problems
        case process
        case pressure
        case budgets
        case registries
        case processors
    }
}
