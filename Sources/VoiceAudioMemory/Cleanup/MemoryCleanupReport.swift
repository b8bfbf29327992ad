/// What a clean-up did: which handlers were called, and what came of it.
public struct MemoryCleanupReport: Sendable, Hashable, Codable {
    /// The stages that were run, in this order.
    public var stages: [MemoryCleanupStage] = []
    /// Each call of a handler, in the order in which they were made.
    public var calls: [Call] = []
    /// Handlers whose call had not returned when the clean-up ended; they are not called until it has.
    public var hangingHandlers = 0
    /// Resident memory of the process before it, in bytes.
    public var residentBytesBefore: Int
    /// Resident memory of the process after it, in bytes.
    public var residentBytesAfter: Int

    /// One call of a handler.
    public struct Call: Sendable, Hashable, Codable {
        /// The handler's name.
        public var handler: String
        /// What it was asked for.
        public var stage: MemoryCleanupStage
        /// What became of it.
        public var outcome: Outcome
        /// Bytes that it says it gave back.
        public var freedBytes = 0
        /// How long it was waited for, in seconds.
        public var durationSeconds = 0.0
        /// What it failed with.
        public var error: String?

        enum CodingKeys: String, CodingKey {
            case handler
            case stage
            case outcome
            case freedBytes = "freed_bytes"
            case durationSeconds = "duration_seconds"
            case error
        }
    }

    /// What became of a call.
    public enum Outcome: String, Sendable, Hashable, CaseIterable, Codable {
        /// It returned.
        case freed
        /// It threw, or no thread could be had for it.
        case failed
        /// It did not return within its slot, and is left to itself.
        case timedOut = "timed_out"
        /// It was not made: an earlier one has not returned yet.
        case stillBusy = "still_busy"
    }

    enum CodingKeys: String, CodingKey {
        case stages
        case calls
        case hangingHandlers = "hanging_handlers"
        case residentBytesBefore = "resident_bytes_before"
        case residentBytesAfter = "resident_bytes_after"
    }
}
