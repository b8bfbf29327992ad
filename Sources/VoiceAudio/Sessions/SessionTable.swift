import VoiceAudioCore
import VoiceAudioMemory

/// The sessions of a registry by name, what is set apart for them, and what was counted: behind the store's lock.
struct SessionTable: Sendable {
    let limits: SessionRegistry.Limits
    /// Why nothing is accepted: bad settings, or a fork.
    let refusal: AudioError?

    private var entries: [String: (number: Int, core: SessionCore)] = [:]
    private var lastNumber = 0
    private(set) var sharedOutBytes = 0
    private(set) var begunCount = 0
    private(set) var endedCount = 0
    private(set) var expiredCount = 0
    private(set) var refusedCount = 0
    /// Calls of `endAll()` at work.
    private var endingsOfAll = 0
    /// When a refusal was logged, and how many there were since.
    private var lastLoggedRefusal: (time: MonotonicInstant, laterCount: Int)?
    /// Processors of sessions that are no more, with threads that had not ended then.
    private(set) var leftBehind: [AudioProcessor] = []
    /// There while sessions are.
    var housekeeper: Housekeeper?

    init(limits: SessionRegistry.Limits, refusal: AudioError?) {
        self.limits = limits
        self.refusal = refusal
    }

    /// The sessions in the order in which they began.
    var cores: [SessionCore] { entries.values.sorted { $0.number < $1.number }.map(\.core) }

    var count: Int { entries.count }

    func core(named name: String) -> SessionCore? { entries[name]?.core }

    /// Whether a session of that name and size may begin.
    ///
    /// - Throws: `invalidState`, `limitReached`, `budgetExceeded`, and the table's refusal.
    func admit(_ name: String, shareBytes: Int) throws(AudioError) {
        if let refusal { throw refusal }
        guard endingsOfAll == 0 else {
            throw AudioError(.invalidState, "the session \"\(name)\" cannot begin while all are being ended")
        }
        guard entries[name] == nil else {
            throw AudioError(
                .invalidState, "there is a session \"\(name)\" already: end it first, or choose another name")
        }
        guard entries.count < limits.sessions else {
            throw AudioError(
                .limitReached,
                "the session \"\(name)\" would be one too many: there are \(entries.count), accepted are \(limits.sessions)"
            )
        }
        let leftBytes = limits.memory.byteCount - sharedOutBytes
        guard shareBytes <= leftBytes else {
            throw AudioError(
                .budgetExceeded,
                """
                \(shareBytes) bytes for the session "\(name)" are more than is left: \(sharedOutBytes) of \
                \(limits.memory.byteCount) are set apart for \(entries.count) sessions
                """)
        }
    }

    mutating func add(_ core: SessionCore) throws(AudioError) {
        try admit(core.name, shareBytes: core.shareBytes)
        lastNumber += 1
        entries[core.name] = (lastNumber, core)
        sharedOutBytes += core.shareBytes
    }

    mutating func noteBegun() { begunCount += 1 }

    /// Takes a session out. Answers who has nothing to do any more.
    ///
    /// - Parameter reason: Why it ended; `nil` where it had not begun.
    mutating func remove(_ core: SessionCore, because reason: SessionEndReason? = nil) -> Housekeeper? {
        guard entries[core.name]?.core === core else { return nil }
        entries[core.name] = nil
        sharedOutBytes -= core.shareBytes
        if let reason {
            endedCount += 1
            if reason.isExpiry { expiredCount += 1 }
        }
        // Its threads may hang, and are told of for as long as they do.
        if core.processor.quarantinedThreadCount > 0 { leftBehind.append(core.processor) }
        guard entries.isEmpty else { return nil }
        defer { housekeeper = nil }
        return housekeeper
    }

    mutating func beginEndingAll() -> [SessionCore] {
        endingsOfAll += 1
        return cores
    }

    mutating func endEndingAll() { endingsOfAll -= 1 }

    /// Counts a refusal. Answers how many are to be told of now, `nil` where it is too soon: a line a second at most.
    mutating func noteRefusal(at now: MonotonicInstant) -> Int? {
        refusedCount += 1
        if let last = lastLoggedRefusal, last.time.duration(to: now) < .seconds(1) {
            lastLoggedRefusal?.laterCount += 1
            return nil
        }
        defer { lastLoggedRefusal = (now, 0) }
        return 1 + (lastLoggedRefusal?.laterCount ?? 0)
    }

    /// Forgets processors whose threads have ended; the caller holds them, so that none goes under the lock.
    mutating func forget(_ processors: [AudioProcessor]) {
        leftBehind.removeAll { old in processors.contains { $0 === old } }
    }
}
