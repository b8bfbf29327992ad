import VoiceAudioCore
import VoiceAudioIO
import VoiceAudioMemory

/// What a ``SessionRegistry`` has. The registry is the outside of it, so that dropping it is seen: sessions and threads
/// keep this.
final class SessionStore: Sendable {
    let name: String
    let configuration: AudioConfiguration
    let expiry: SessionExpiry
    let clock: any AudioClock
    let logSink: any AudioLogSink
    let onEnd: (@Sendable (EndedSession) -> Void)?
    let limits: SessionRegistry.Limits
    private let budget: Result<MemoryBudget, AudioError>
    private let contents: PerProcess<Lock<SessionTable>>

    init(
        name: String, limits: SessionRegistry.Limits, expiry: SessionExpiry, configuration: AudioConfiguration,
        parent: MemoryBudget?, clock: any AudioClock, logSink: any AudioLogSink,
        onEnd: (@Sendable (EndedSession) -> Void)?
    ) {
        self.name = name
        self.limits = limits
        self.expiry = expiry
        self.configuration = configuration
        self.clock = clock
        self.logSink = LevelFilter(sink: logSink, leastSevere: configuration.logLevel)
        self.onEnd = onEnd
        let budget = Result<MemoryBudget, AudioError> { () throws(AudioError) in
            try limits.validate()
            try expiry.validate()
            guard let parent else { return try MemoryBudget(name: name, limitBytes: limits.memory.byteCount) }
            return try parent.child(name: name, limitBytes: limits.memory.byteCount)
        }
        self.budget = budget
        let refusal: AudioError? = if case .failure(let error) = budget { error } else { nil }
        contents = PerProcess(Lock(SessionTable(limits: limits, refusal: refusal))) { owner in
            Lock(SessionTable(limits: limits, refusal: owner.refusal(of: "the session registry \"\(name)\"")))
        }
    }

    var table: Lock<SessionTable> { contents.value }

    // MARK: - Beginning

    func begin(
        _ name: String, source: any CaptureSource, configuration: AudioConfiguration?, memory: MemorySize?,
        metadata: [String: String], startsRecording: Bool, deadline: Duration
    ) throws(AudioError) -> SessionCore {
        do throws(AudioError) {
            let core = try makeCore(name, source, configuration ?? self.configuration, memory, metadata)
            try table.withLock { (table) throws(AudioError) in
                try table.add(core)
                guard table.housekeeper == nil else { return }
                do throws(AudioError) {
                    table.housekeeper = try Housekeeper(self)
                } catch {
                    // A session that would never expire must not be.
                    _ = table.remove(core)
                    throw error
                }
            }
            try start(core, startsRecording: startsRecording, deadline: deadline)
            return core
        } catch {
            noteRefusal(of: name, because: error)
            throw error
        }
    }

    private func makeCore(
        _ name: String, _ source: any CaptureSource, _ configuration: AudioConfiguration, _ memory: MemorySize?,
        _ metadata: [String: String]
    ) throws(AudioError) -> SessionCore {
        try validateSessionName(name)
        let budget = try budget.get()
        let shareBytes = memory?.byteCount ?? limits.shareBytes
        // Before anything is made: a refusal is to cost little.
        try table.withLock { (table) throws(AudioError) in try table.admit(name, shareBytes: shareBytes) }
        return try SessionCore(
            name: name, source: source, ring: SessionRing(configuration.fitting(source), shareBytes: shareBytes),
            budget: budget.child(name: name, limitBytes: shareBytes), metadata: metadata, expiry: expiry, store: self)
    }

    private func start(_ core: SessionCore, startsRecording: Bool, deadline: Duration) throws(AudioError) {
        do throws(AudioError) {
            if startsRecording { try core.processor.start(deadline: deadline) }
            guard core.noteBegun() else {
                throw AudioError(.cancelled, "the session \"\(core.name)\" was ended before it had begun")
            }
        } catch {
            abandon(core)
            throw error
        }
        let housekeeper = table.withLock { table in
            table.noteBegun()
            return table.housekeeper
        }
        if let end = core.expectedEnd { housekeeper?.note(end.time) }
        log(
            .info, "session begun",
            ["session": core.name, "source": core.source.name, "memory_bytes": "\(core.shareBytes)"].merging(
                core.ringNote.map { ["ring": $0] } ?? [:]
            ) { $1 })
    }

    /// Takes out what could not begin.
    private func abandon(_ core: SessionCore) {
        // Also where somebody is ending it, who may have found nothing yet to clean up.
        core.processor.cleanup()
        guard let claim = try? core.claimEnd() else { return }
        close(claim, of: core, because: .asked)
    }

    private func noteRefusal(of name: String, because error: AudioError) {
        let now = clock.now
        guard let count = table.withLock({ $0.noteRefusal(at: now) }) else { return }
        log(.warning, "session refused", ["session": name, "error": "\(error)", "refusals": "\(count)"])
    }

    // MARK: - Looking

    var cores: [SessionCore] { table.withLock { $0.cores } }

    /// When the next session expires, as it stands.
    var nextExpiry: MonotonicInstant? { cores.compactMap { $0.expectedEnd?.time }.min() }

    /// Bytes that are taken: by sessions, and by what they handed back and is kept.
    var usedBytes: Int { (try? budget.get().usedBytes) ?? 0 }

    /// - Parameter processRSSBytes: Resident bytes of the process, which each session's report has.
    func report(processRSSBytes: Int) -> SessionRegistryReport {
        let sessions = cores.map { $0.report(processRSSBytes: processRSSBytes) }
        let quarantinedThreads = quarantinedThreadCount
        let usedBytes = usedBytes
        return table.withLock { table in
            SessionRegistryReport(
                name: name, sessionLimit: limits.sessions, memoryLimitBytes: limits.memory.byteCount,
                sharedOutBytes: table.sharedOutBytes, usedBytes: usedBytes, begunCount: table.begunCount,
                endedCount: table.endedCount, expiredCount: table.expiredCount, refusedCount: table.refusedCount,
                quarantinedThreads: quarantinedThreads, sessions: sessions)
        }
    }

    /// Capture threads of sessions that are no more. Forgets those that have ended.
    var quarantinedThreadCount: Int {
        let processors = table.withLock { $0.leftBehind }
        // Off the lock, and held meanwhile: a processor's end may be that of a source of the program's.
        let counts = processors.map(\.quarantinedThreadCount)
        table.withLock { table in table.forget(zip(processors, counts).filter { $0.1 == 0 }.map(\.0)) }
        return counts.reduce(0, +)
    }

    func log(
        _ level: AudioLogLevel, _ message: @autoclosure () -> String,
        _ metadata: @autoclosure () -> [String: String] = [:]
    ) {
        logSink.log(
            level: level, message: message(), metadata: metadata().merging(["registry": name]) { $1 },
            source: "VoiceAudio")
    }
}
