public import VoiceAudioCore
import VoiceAudioMemory

/// Why a session ended.
public enum SessionEndReason: String, Sendable, Hashable, CaseIterable, Codable {
    /// Somebody ended it, by its name or its handle.
    case asked
    /// All sessions were ended.
    case allEnded = "all_ended"
    /// There were neither frames nor a touch for the idle timeout.
    case idle
    /// It lasted for the longest time that a session may.
    case lifetimeOver = "lifetime_over"
    /// The registry was dropped.
    case registryGone = "registry_gone"

    var isExpiry: Bool { self == .idle || self == .lifetimeOver }
}

/// What of a session does not end in time, and is left to itself with all that it uses.
public enum SessionRemainder: String, Sendable, Hashable, CaseIterable, Codable {
    /// The capture thread: a driver does not return. It cleans up after itself when it does.
    case captureThread = "capture_thread"
    /// Who closes the attachments, or is told of the end. The session keeps its name and its memory until all is closed.
    case closing
}

/// A session that was ended, and what is left of it.
public struct EndedSession: Sendable {
    /// What came of it.
    public var report: EndedSessionReport
    /// What was recorded; `nil` where nothing was, or somebody had stopped it before.
    public var recording: Recording?
    /// What was known of it.
    public var metadata: [String: String]
    let values: SessionValues

    /// What it was called.
    public var name: String { report.name }

    /// What did not end in time.
    public var leftToItself: [SessionRemainder] { report.leftToItself }

    /// The values of a list, in the order in which they came.
    ///
    /// - Throws: ``AudioError`` with code `damagedResult` where one is no `Value`.
    public func values<Value: Codable & Sendable>(_ type: Value.Type, in list: String) throws(AudioError) -> [Value] {
        try values.decoded(type, in: list)
    }
}

/// What came of ending a session.
public struct EndedSessionReport: Sendable, Hashable, Codable {
    /// The session's name.
    public var name: String
    /// Why it ended.
    public var reason: SessionEndReason
    /// How old it was, in seconds.
    public var ageSeconds: Double
    /// Frames of its recording.
    public var frameCount: Int = 0
    /// Frames that are missing from it.
    public var lostFrameCount: Int = 0
    /// Bytes of its memory that were given back. Those of a recording or values that somebody keeps are not among them.
    public var freedBytes: Int = 0
    /// What did not end in time; empty where all did.
    public var leftToItself: [SessionRemainder] = []
    /// What the capture failed with, or the end of the recording; `nil` where nothing failed.
    public var failure: String?

    enum CodingKeys: String, CodingKey {
        case name
        case reason
        case ageSeconds = "age_seconds"
        case frameCount = "frames"
        case lostFrameCount = "lost_frames"
        case freedBytes = "freed_bytes"
        case leftToItself = "left_to_itself"
        case failure
    }
}

/// What came of ending several sessions.
public struct EndedSessionsReport: Sendable, Hashable, Codable {
    /// Each of the sessions, in the order in which they began.
    public var sessions: [EndedSessionReport]

    /// The names of those of which something did not end in time.
    public var notEnded: [String] { sessions.filter { !$0.leftToItself.isEmpty }.map(\.name) }

    /// Whether all of all sessions ended.
    public var allEnded: Bool { sessions.allSatisfy { $0.leftToItself.isEmpty } }

    /// Bytes of memory given back by all together.
    public var freedBytes: Int { sessions.reduce(0) { $0 + $1.freedBytes } }
}
