public import VoiceAudioCore
public import VoiceAudioIO
public import VoiceAudioMemory

/// Many sessions at once, such as the calls of a bot: each with its recorder, its memory and its parts, all within limits.
///
/// ```swift
/// let calls = SessionRegistry(limits: .init(sessions: 256, memory: .mebibytes(64)), expectedDuration: .seconds(600))
/// let call = try calls.begin("call-17", source: source)        // records at once
/// …
/// let report = calls.endAll(deadline: .seconds(10))            // every call ended or named
/// ```
///
/// **Limits.** There are never more sessions than the limit, and what is set apart for them is never more than the memory.
/// Each has an equal part unless it asks for another, and a ring that fits it. What is taken, to the byte, is in a
/// ``MemoryBudget``; recordings that were handed back count there for as long as they are kept.
///
/// **Ends.** A session ends once: when somebody ends it, when it lasts too long or nothing comes, at `endAll`, or when the
/// registry is dropped. Whatever the end, its recording stops, its attachments are closed, and its memory is free.
///
/// In a fork of the process (without exec) it has no sessions, and refuses new ones.
///
/// > Concurrency: Safe from any thread. Nothing of the program's is called under a lock.
///
/// > Real-time: Not safe: takes locks, and some calls wait.
public final class SessionRegistry: Sendable {
    let store: SessionStore

    /// Makes an empty registry. What is not accepted of the settings, the first `begin` throws.
    ///
    /// - Parameters:
    ///   - name: What logs and reports call it.
    ///   - limits: How many sessions there may be, and how much memory they have together.
    ///   - expectedDuration: How long a session lasts, above zero.
    ///   - lifetime: How long one may last before it is ended; twice what is expected if not given.
    ///   - idleTimeout: How long there may be neither frames nor a touch before it is ended; `nil` for ever.
    ///   - configuration: The settings of a session that brings none of its own. The caps of its ring shrink where a
    ///     session's memory asks for it.
    ///   - budget: Where the memory is taken from besides, such as the process's.
    ///   - clock: What ages, timeouts and deadlines go by.
    ///   - logSink: Where log lines go, from the configuration's `logLevel` on.
    ///   - onEnd: Is given each session that expired or was ended with all others, with its recording: off any lock, on the
    ///     thread that ended it, once its attachments are closed. Not one that had not begun: of that its `begin` tells. It
    ///     must not keep the registry.
    public init(
        name: String = "sessions", limits: Limits = Limits(), expectedDuration: Duration = .seconds(600),
        lifetime: Duration? = nil, idleTimeout: Duration? = .seconds(300),
        configuration: AudioConfiguration = AudioConfiguration(), budget: MemoryBudget? = nil,
        clock: any AudioClock = SystemClock(), logSink: any AudioLogSink = SilentLogSink(),
        onEnd: (@Sendable (EndedSession) -> Void)? = nil
    ) {
        store = SessionStore(
            name: name, limits: limits,
            expiry: SessionExpiry(lifetime: lifetime ?? expectedDuration * 2, idleTimeout: idleTimeout),
            configuration: configuration, parent: budget, clock: clock, logSink: logSink, onEnd: onEnd)
    }

    deinit { _ = store.endAll(because: .registryGone, deadline: nil) }

    // MARK: - Sessions

    /// Begins a session, and records from its source's first frame on.
    ///
    /// - Parameters:
    ///   - name: What it is called, 1 to 256 bytes, as no other at the time.
    ///   - source: What it captures from.
    ///   - configuration: Its settings; the registry's if not given.
    ///   - memory: What it has for its ring, metadata and parts; the registry's memory by the number of sessions if not
    ///     given. An eighth is kept from the ring.
    ///   - metadata: What is known of it. It counts, with 64 bytes an entry.
    ///   - startsRecording: Whether it is recorded at once; else `session.processor` waits to be started.
    ///   - deadline: How long opening the source may take.
    /// - Throws: ``AudioError`` with code `limitReached` where there are as many sessions as may be; `budgetExceeded` where
    ///   there is not enough memory; `invalidState` where there is one of that name, while all are being ended, and in a
    ///   fork; `invalidConfiguration`; `cancelled` where it was ended meanwhile; and what opening the source fails with. Then
    ///   nothing of it stays.
    public func begin<Source: CaptureSource>(
        _ name: String, source: Source, configuration: AudioConfiguration? = nil, memory: MemorySize? = nil,
        metadata: [String: String] = [:], startsRecording: Bool = true, deadline: Duration = .seconds(5)
    ) throws(AudioError) -> AudioSession<Source> {
        let core = try store.begin(
            name, source: source, configuration: configuration, memory: memory, metadata: metadata,
            startsRecording: startsRecording, deadline: deadline)
        return AudioSession(source: source, core: core)
    }

    /// As the blocking `begin`, without blocking the caller's thread.
    public func begin<Source: CaptureSource>(
        _ name: String, source: Source, configuration: AudioConfiguration? = nil, memory: MemorySize? = nil,
        metadata: [String: String] = [:], startsRecording: Bool = true, deadline: Duration = .seconds(5)
    ) async throws(AudioError) -> AudioSession<Source> {
        try await onThreadOfItsOwn { [store] () throws(AudioError) in
            let core = try store.begin(
                name, source: source, configuration: configuration, memory: memory, metadata: metadata,
                startsRecording: startsRecording, deadline: deadline)
            return AudioSession(source: source, core: core)
        }
    }

    /// The sessions that there are at this moment, in the order in which they began; those that begin or end among them.
    /// Others may come and go while one looks at them.
    public var sessions: [AudioSession<any CaptureSource>] { store.cores.map { AudioSession($0) } }

    /// The session of that name; `nil` where there is none.
    public func session(named name: String) -> AudioSession<any CaptureSource>? {
        store.table.withLock { $0.core(named: name) }.map { AudioSession($0) }
    }

    /// How many sessions there are.
    public var count: Int { store.table.withLock { $0.count } }

    /// How it stands, and each of its sessions.
    ///
    /// - Complexity: O(*n*) in the sessions.
    public var report: SessionRegistryReport { store.report(processRSSBytes: ProcessMemory.residentBytes) }

    // MARK: - Ending

    /// Ends the session of that name, as its own `end` does.
    ///
    /// - Throws: ``AudioError`` with code `noSuchSession` where there is none; `invalidState` where somebody ends it.
    @discardableResult
    public func end(_ name: String, deadline: Duration? = nil) throws(AudioError) -> EndedSession {
        guard let core = store.table.withLock({ $0.core(named: name) }) else {
            throw AudioError(.noSuchSession, "there is no session \"\(name)\": it has ended, or never began")
        }
        return try store.end(core, deadline: deadline)
    }

    /// Ends the sessions that have lasted too long, or are idle for too long. That happens by itself, too.
    ///
    /// - Parameter deadline: How long that may take; the configuration's `stopTimeout` if not given.
    /// - Returns: Which they were, and the memory that they gave back.
    @discardableResult
    public func expireSessions(deadline: Duration? = nil) -> EndedSessionsReport { store.expire(deadline: deadline) }

    /// Ends all sessions at once. None begins meanwhile; afterwards the registry may be used again.
    ///
    /// A few threads do it; while sessions hang there are more, so that the others end all the same.
    ///
    /// - Parameter deadline: By when all of them are to have ended; the configuration's `stopTimeout` if not given.
    /// - Returns: What came of each session: ended, or named as not ended in time.
    @discardableResult
    public func endAll(deadline: Duration? = nil) -> EndedSessionsReport {
        store.endAll(because: .allEnded, deadline: deadline)
    }

    /// As the blocking `endAll`, without blocking the caller's thread.
    @discardableResult
    public func endAll(deadline: Duration? = nil) async -> EndedSessionsReport {
        do throws(AudioError) {
            return try await onThreadOfItsOwn { [store] in store.endAll(because: .allEnded, deadline: deadline) }
        } catch {
            return store.endAll(because: .allEnded, deadline: deadline)
        }
    }
}

extension AudioError.Code {
    /// There is no session of that name.
    public static let noSuchSession = Self(rawValue: "noSuchSession")
}
