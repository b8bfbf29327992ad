public import VoiceAudioCore
import VoiceAudioIO
public import VoiceAudioMemory

/// A call, a conversation, a stream: one of many in a ``SessionRegistry``, with its recorder, its memory and its parts.
///
/// A handle: copies are the same session, and are equal. The registry keeps the session until somebody ends it or it
/// expires; dropping handles changes nothing.
///
/// ```swift
/// let call = try calls.begin("call-17", source: source)           // records from its first frame on
/// try call.append(transcript, to: "transcripts")                  // counted, gone with the session
/// try call.attach(writer, named: "file") { try $0.finish() }      // closed with the session, once
/// let ended = try call.end(deadline: .seconds(2))                 // the recording, and what was appended
/// ```
///
/// In a fork of the process (without exec) it has no parts, and refuses.
///
/// > Concurrency: Safe from any thread.
///
/// > Real-time: Not safe: takes locks.
public struct AudioSession<Source: Sendable>: Sendable {
    /// What it captures from.
    public let source: Source
    let core: SessionCore

    /// What it is called; no other in the registry is called so at the time.
    public var name: String { core.name }

    /// What captures: to pause it, to listen, to look. Its ring has the size that fits the session's memory.
    ///
    /// Whoever stops it has the recording; the session then ends without one.
    public var processor: AudioProcessor { core.processor }

    /// What all of the session takes its memory from; parts of your own may, too.
    public var budget: MemoryBudget { core.budget }

    /// What of the ring's configuration had to shrink to fit the session's memory, in words; `nil` where nothing had.
    public var ringNote: String? { core.ringNote }

    /// What is known of it; none once it is being ended.
    public var metadata: [String: String] { core.parts.metadata }

    /// How it stands.
    public var report: SessionReport { core.report(processRSSBytes: ProcessMemory.residentBytes) }

    /// Notes that the session is in use, for its idle timeout. Frames do that by themselves.
    public func touch() { core.touch() }

    /// Notes something of it; `nil` takes it away.
    ///
    /// - Throws: ``AudioError`` with code `budgetExceeded`, and `invalidState` once the session is being ended.
    public func setMetadata(_ key: String, to value: String?) throws(AudioError) {
        try core.changeParts { (parts) throws(AudioError) in try parts.setMetadata(key, to: value) }
    }

    /// Adds a value behind the others of a list, such as a piece of a transcript.
    ///
    /// It is held as encoded bytes: `[UInt8]` as they are, all else as JSON. They count against the session's budget, with
    /// 64 bytes each, until whoever the session was handed back to lets it go.
    ///
    /// - Throws: ``AudioError`` with code `budgetExceeded`, `resultNotEncodable`, and `invalidState` once the session is
    ///   being ended. Nothing is added then.
    public func append<Value: Codable & Sendable>(_ value: Value, to list: String) throws(AudioError) {
        let bytes: [UInt8]
        do {
            bytes = try ResultCoding<Value>.standard.encode(value)
        } catch {
            throw AudioError(.resultNotEncodable, "a value for \"\(list)\" cannot be encoded: \(error)")
        }
        try core.changeParts { (parts) throws(AudioError) in try parts.append(bytes, to: list) }
    }

    /// The values of a list, in the order in which they came; none once the session is being ended.
    ///
    /// - Throws: ``AudioError`` with code `damagedResult` where one is no `Value`.
    public func values<Value: Codable & Sendable>(
        _ type: Value.Type, in list: String
    ) throws(AudioError) -> [Value] {
        try core.parts.kept.decoded(type, in: list)
    }

    /// Adds something that goes with the session: a writer, a subscription, a connection.
    ///
    /// At the session's end, whoever ends it and whatever fails, attachments are closed once each, the newest first.
    ///
    /// - Parameters:
    ///   - value: What the session keeps until then.
    ///   - attachmentName: To find it by.
    ///   - byteCount: Bytes of memory that go with it, for the session's budget; 0 where it takes its own from there.
    ///   - close: Ends it. What it throws is logged, and keeps no other from being closed.
    /// - Throws: ``AudioError`` with code `budgetExceeded`, `invalidConfiguration`, and `invalidState` where there is one of
    ///   that name, or the session is being ended: then it stays the caller's, and `close` is not called.
    ///
    /// > Concurrency: `close` is called on the thread that ends the session, or one that stands in for it; never under
    /// > a lock.
    public func attach<Value: Sendable>(
        _ value: Value, named attachmentName: String, byteCount: Int = 0,
        close: (@Sendable (Value) throws -> Void)? = nil
    ) throws(AudioError) {
        var closeValue: (@Sendable () throws -> Void)?
        if let close { closeValue = { try close(value) } }
        let attachment = SessionAttachment(
            name: attachmentName, value: value, byteCount: byteCount, close: closeValue)
        try core.changeParts { (parts) throws(AudioError) in try parts.attach(attachment) }
    }

    /// What was attached by that name; `nil` where nothing was, or something else, and once the session is being ended.
    public func attachment<Value: Sendable>(_ type: Value.Type, named attachmentName: String) -> Value? {
        core.parts.attachments.first { $0.name == attachmentName }?.value as? Value
    }

    /// Ends the session: stops its recording, closes its attachments, the newest first, and frees its memory.
    ///
    /// - Parameter deadline: How long that may take; the configuration's `stopTimeout` if not given. A capture thread or an
    ///   attachment that does not end in time is left to itself, and ``EndedSession/leftToItself`` says so.
    /// - Returns: The recording and the values, which count against the session's budget until they go.
    /// - Throws: ``AudioError`` with code `invalidState` where somebody ends it already, or did.
    @discardableResult
    public func end(deadline: Duration? = nil) throws(AudioError) -> EndedSession {
        try core.store.end(core, deadline: deadline)
    }

    /// As the blocking `end()`, without blocking the caller's thread; throws `outOfResources` where no thread can be had, and
    /// has ended nothing then.
    @discardableResult
    public func end(deadline: Duration? = nil) async throws(AudioError) -> EndedSession {
        try await onThreadOfItsOwn { [core] () throws(AudioError) in try core.store.end(core, deadline: deadline) }
    }
}

/// By which session they are of.
extension AudioSession: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.core === right.core }

    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(core)) }
}

extension AudioSession where Source == any CaptureSource {
    init(_ core: SessionCore) { self.init(source: core.source, core: core) }
}
