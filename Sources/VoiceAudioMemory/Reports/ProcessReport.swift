/// What this process takes of the machine, as the kernel tells it. What cannot be read is `nil`, never 0.
public struct ProcessReport: Sendable, Hashable, Codable {
    /// The process's number.
    public var processID: Int
    /// Seconds since the process began.
    public var uptimeSeconds: Double?
    /// When the process began, on the wall clock: the same in each report, unless that clock is set.
    public var startedSecondsSince1970: Double?
    /// Its memory.
    public var memory: Memory
    /// Its processor time.
    public var cpu: CPU
    /// Its threads.
    public var threads: Threads
    /// Its descriptors.
    public var descriptors: Descriptors

    /// Memory, in bytes.
    public struct Memory: Sendable, Hashable, Codable {
        /// Resident: what it has in RAM.
        public var residentBytes: Int?
        /// The most that was ever resident.
        public var peakResidentBytes: Int?
        /// What of it is shared memory: the rings. A page that was touched through both of a ring's halves counts twice.
        public var sharedResidentBytes: Int?
        /// What was moved out to swap space.
        public var swappedBytes: Int?

        enum CodingKeys: String, CodingKey {
            case residentBytes = "resident_bytes"
            case peakResidentBytes = "peak_resident_bytes"
            case sharedResidentBytes = "shared_resident_bytes"
            case swappedBytes = "swapped_bytes"
        }
    }

    /// Processor time, of all threads since the process began.
    public struct CPU: Sendable, Hashable, Codable {
        /// Seconds in its own code.
        public var userSeconds: Double
        /// Seconds in the kernel.
        public var systemSeconds: Double
        /// What it took since the last report, of one core: two busy threads take 200. `nil` where nobody compares.
        public var percent: Double?

        enum CodingKeys: String, CodingKey {
            case userSeconds = "user_seconds"
            case systemSeconds = "system_seconds"
            case percent
        }
    }

    /// Threads.
    public struct Threads: Sendable, Hashable, Codable {
        /// All of them.
        public var count: Int?
        /// The library's own, by name: how many there are of each.
        public var own: [String: Int]
    }

    /// Descriptors.
    public struct Descriptors: Sendable, Hashable, Codable {
        /// Open ones.
        public var open: Int?
        /// The most that may be open.
        public var limit: Int?
    }

    enum CodingKeys: String, CodingKey {
        case processID = "process_id"
        case uptimeSeconds = "uptime_seconds"
        case startedSecondsSince1970 = "started_seconds_since_1970"
        case memory
        case cpu
        case threads
        case descriptors
    }
}
