public import VoiceAudioMemory

/// What of a program is to be cleaned up; see ``SystemReporter/cleanUp(_:deadline:)``.
public enum SystemCleanup: String, Sendable, Hashable, CaseIterable, Codable {
    /// The rings of all processors, those of sessions among them. What is being recorded stays.
    case buffers
    /// What collectors of results hold: it goes to disk.
    case spill
    /// Sessions that have lasted too long, or are idle for too long.
    case expired
    /// All of these, and every handler of the pressure monitor.
    case all
}

/// What a clean-up brought, measured. `Codable`, with keys in snake case.
public struct SystemCleanupReport: Sendable, Hashable, Codable {
    /// What was asked for.
    public var what: SystemCleanup
    /// Bytes given back, as those who gave them measured: by `buffers`, `spill`, `expired` and `handlers`.
    public var freedBytes: [String: Int] = [:]
    /// Resident memory of the process before it, in bytes.
    public var residentBytesBefore: Int
    /// Resident memory of the process after it, in bytes.
    public var residentBytesAfter: Int
    /// The names of sessions that expired.
    public var expiredSessions: [String] = []
    /// Those of them of which something did not end in time.
    public var notEndedSessions: [String] = []
    /// Who did not give anything back, and why.
    public var failures: [Failure] = []
    /// Whether all that was asked for was done, by the deadline and without failures.
    public var isComplete = false
    /// How long it took.
    public var durationSeconds = 0.0

    /// One that could not be cleaned up.
    public struct Failure: Sendable, Hashable, Codable {
        /// The handler's name.
        public var handler: String
        /// What became of its call.
        public var outcome: MemoryCleanupReport.Outcome
        /// What it failed with.
        public var error: String?
    }

    enum CodingKeys: String, CodingKey {
        case what
        case freedBytes = "freed_bytes"
        case residentBytesBefore = "resident_bytes_before"
        case residentBytesAfter = "resident_bytes_after"
        case expiredSessions = "expired_sessions"
        case notEndedSessions = "not_ended_sessions"
        case failures
        case isComplete = "is_complete"
        case durationSeconds = "duration_seconds"
    }
}
