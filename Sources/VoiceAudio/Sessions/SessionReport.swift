import VoiceAudioCore

/// How one session stands.
public struct SessionReport: Sendable, Hashable, Codable {
    /// What a session is about.
    public enum Phase: String, Sendable, Hashable, CaseIterable, Codable {
        /// Its source is being opened.
        case beginning
        /// It has begun.
        case active
        /// Somebody ends it.
        case ending
        /// It is no more.
        case ended
    }

    /// The session's name.
    public var name: String
    /// What it is about.
    public var phase: Phase
    /// What its processor is doing, in words: "recording".
    public var state: String
    /// How long ago it began, in seconds.
    public var ageSeconds: Double
    /// How long ago there were frames, or a touch, in seconds.
    public var idleSeconds: Double
    /// How long until it ends by itself, as it stands, in seconds; `nil` where it does not.
    public var expiresInSeconds: Double?
    /// Bytes of memory that it has.
    public var usedBytes: Int
    /// The most that it may have.
    public var limitBytes: Int
    /// Frames that its source delivered.
    public var framesDelivered: Int
    /// Frames that its source lost.
    public var framesLost: Int
    /// Entries of its metadata.
    public var metadataCount: Int
    /// Values in all of its lists.
    public var valueCount: Int
    /// Attachments.
    public var attachmentCount: Int
    /// Bytes of values and attachments.
    public var partBytes: Int
    /// The most chunks that its ring holds.
    public var maxChunks: Int
    /// What of the ring had to shrink to fit; `nil` where nothing had.
    public var ringNote: String?
    /// How loud the newest chunk was; silence while nothing is captured.
    public var level: AudioLevel
    /// What its processor holds and dropped, and its health.
    public var memoryUsage: MemoryUsage

    enum CodingKeys: String, CodingKey {
        case name
        case phase
        case state
        case ageSeconds = "age_seconds"
        case idleSeconds = "idle_seconds"
        case expiresInSeconds = "expires_in_seconds"
        case usedBytes = "used_bytes"
        case limitBytes = "limit_bytes"
        case framesDelivered = "frames_delivered"
        case framesLost = "frames_lost"
        case metadataCount = "metadata_count"
        case valueCount = "value_count"
        case attachmentCount = "attachment_count"
        case partBytes = "part_bytes"
        case maxChunks = "max_chunks"
        case ringNote = "ring_note"
        case level
        case memoryUsage = "memory_usage"
    }
}

/// How a ``SessionRegistry`` stands.
public struct SessionRegistryReport: Sendable, Hashable, Codable {
    /// The registry's name.
    public var name: String
    /// The most sessions at a time.
    public var sessionLimit: Int
    /// The most memory that they have together, in bytes.
    public var memoryLimitBytes: Int
    /// Bytes that are set apart for the sessions that there are.
    public var sharedOutBytes: Int
    /// Bytes that are taken: by them, by recordings that were handed back and are kept, and by captures that hang.
    public var usedBytes: Int
    /// Sessions that have begun, since the registry was made.
    public var begunCount: Int
    /// Those that have ended, however.
    public var endedCount: Int
    /// Those of them that expired.
    public var expiredCount: Int
    /// Sessions that were refused, or failed to begin.
    public var refusedCount: Int
    /// Capture threads of sessions that are no more: they did not end in time, and are left to themselves.
    public var quarantinedThreads: Int
    /// The sessions, in the order in which they began.
    public var sessions: [SessionReport]

    enum CodingKeys: String, CodingKey {
        case name
        case sessionLimit = "session_limit"
        case memoryLimitBytes = "memory_limit_bytes"
        case sharedOutBytes = "shared_out_bytes"
        case usedBytes = "used_bytes"
        case begunCount = "begun_count"
        case endedCount = "ended_count"
        case expiredCount = "expired_count"
        case refusedCount = "refused_count"
        case quarantinedThreads = "quarantined_threads"
        case sessions
    }
}

extension SessionCore {
    func report(processRSSBytes: Int) -> SessionReport {
        let (now, parts, statistics) = (store.clock.now, parts, processor.statistics)
        let phase: SessionReport.Phase =
            switch phase {
            case .beginning: .beginning
            case .active: .active
            case .ending: .ending
            case .ended, .inherited: .ended
            }
        return SessionReport(
            name: name, phase: phase, state: "\(processor.state)", ageSeconds: start.duration(to: now) / .seconds(1),
            idleSeconds: max(0, newestActivity.duration(to: now) / .seconds(1)),
            expiresInSeconds: expectedEnd.map { now.duration(to: $0.time) / .seconds(1) }, usedBytes: budget.usedBytes,
            limitBytes: budget.limitBytes, framesDelivered: statistics.framesDelivered,
            framesLost: statistics.framesLost, metadataCount: parts.metadata.count, valueCount: parts.valueCount,
            attachmentCount: parts.attachments.count, partBytes: parts.byteCount,
            maxChunks: processor.configuration.maxChunks, ringNote: ringNote,
            level: processor.level, memoryUsage: processor.memoryUsage(processRSSBytes: processRSSBytes))
    }
}
