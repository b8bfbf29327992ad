import Synchronization
import VoiceAudioCore
import VoiceAudioMemory

/// When a session ends by itself.
struct SessionExpiry: Sendable {
    let lifetime: Duration
    let idleTimeout: Duration?
}

/// A session, whatever its source: what its registry and its handles share.
///
/// In a fork of the process it has nothing, and refuses.
final class SessionCore: Sendable {
    enum Phase: Sendable {
        case beginning, active, ending, ended
        /// Of a fork, and what it is told.
        case inherited(AudioError)
    }

    private struct Content: Sendable {
        var phase = Phase.beginning
        var parts = SessionParts()
        /// Who waits for the end, while they do.
        var waiters: [WeakReference<WakeUp>] = []
    }

    /// What the one gets who ends the session.
    struct Claim: Sendable {
        /// Whether it had not begun yet.
        let wasBeginning: Bool
        let parts: SessionParts
    }

    let name: String
    let source: any CaptureSource
    let processor: AudioProcessor
    let budget: MemoryBudget
    /// Bytes of the registry's that are set apart for it.
    let shareBytes: Int
    let ringNote: String?
    let start: MonotonicInstant
    let expiry: SessionExpiry
    let store: SessionStore
    /// The newest touch, and the newest frames when somebody looked, in nanoseconds.
    private let lastActivity: Atomic<Int64>
    private let content: PerProcess<Lock<Content>>

    init(
        name: String, source: any CaptureSource, ring: SessionRing, budget: MemoryBudget, metadata: [String: String],
        expiry: SessionExpiry, store: SessionStore
    ) throws(AudioError) {
        let content = Content(parts: try SessionParts(metadata: metadata, in: budget))
        self.content = PerProcess(Lock(content)) { owner in
            Lock(Content(phase: .inherited(owner.refusal(of: "the session \"\(name)\""))))
        }
        self.name = name
        self.source = source
        self.budget = budget
        self.expiry = expiry
        self.store = store
        shareBytes = budget.limitBytes
        ringNote = ring.note
        processor = AudioProcessor(
            source: source, configuration: ring.configuration, logSink: store.logSink, clock: store.clock,
            budget: budget)
        start = store.clock.now
        lastActivity = Atomic(start.nanoseconds)
    }

    private var state: Lock<Content> { content.value }

    var phase: Phase { state.withLock { $0.phase } }

    /// What metadata, values and attachments there are; none once the session is being ended.
    var parts: SessionParts { state.withLock { $0.parts } }

    // MARK: - Its course

    /// Notes that it has begun; answers `false` where it was ended meanwhile.
    func noteBegun() -> Bool {
        state.withLock { content in
            guard case .beginning = content.phase else { return false }
            content.phase = .active
            return true
        }
    }

    /// Changes the parts of a session that nobody ends yet.
    func changeParts(_ body: (inout SessionParts) throws(AudioError) -> Void) throws(AudioError) {
        try state.withLock { (content) throws(AudioError) in
            try refuseIfOver(content.phase)
            try body(&content.parts)
        }
    }

    /// Makes the caller the only one to end the session, and hands over what it has.
    func claimEnd() throws(AudioError) -> Claim {
        try state.withLock { (content) throws(AudioError) in
            try refuseIfOver(content.phase)
            let wasBeginning = if case .beginning = content.phase { true } else { false }
            let claim = Claim(wasBeginning: wasBeginning, parts: content.parts)
            content.phase = .ending
            content.parts = SessionParts()
            return claim
        }
    }

    private func refuseIfOver(_ phase: Phase) throws(AudioError) {
        switch phase {
        case .beginning, .active: return
        case .ending: throw AudioError(.invalidState, "the session \"\(name)\" is being ended by another call")
        case .ended: throw AudioError(.invalidState, "the session \"\(name)\" has ended")
        case .inherited(let refusal): throw refusal
        }
    }

    /// Notes that all is over, and tells who waits.
    func noteEnded() {
        let waiters = state.withLock { content in
            content.phase = .ended
            defer { content.waiters = [] }
            return content.waiters
        }
        for waiter in waiters { waiter.object?.signal() }
    }

    /// Has `waiter` signalled once all is over, if somebody still keeps it: at once where it is.
    func tellEnd(to waiter: WakeUp) {
        let isOver = state.withLock { content in
            if case .ended = content.phase { return true }
            // One that hangs for days may be waited for every second.
            content.waiters.removeAll { $0.object == nil }
            content.waiters.append(WeakReference(waiter))
            return false
        }
        if isOver { waiter.signal() }
    }

    var hasEnded: Bool { if case .ended = phase { true } else { false } }

    // MARK: - Its age

    func touch() { note(store.clock.now) }

    /// When there was the newest touch, or the newest frame.
    var newestActivity: MonotonicInstant {
        if let frames = processor.newestFrameTime { note(frames) }
        return MonotonicInstant(nanoseconds: lastActivity.load(ordering: .relaxed))
    }

    private func note(_ time: MonotonicInstant) {
        _ = lastActivity.max(time.nanoseconds, ordering: .relaxed)
    }

    /// When it ends by itself, as it stands now, and why; `nil` while it begins, and once it ends.
    var expectedEnd: (time: MonotonicInstant, reason: SessionEndReason)? {
        guard case .active = phase else { return nil }
        let byAge = start.advanced(by: expiry.lifetime)
        guard let idleTimeout = expiry.idleTimeout else { return (byAge, .lifetimeOver) }
        let byIdleness = newestActivity.advanced(by: idleTimeout)
        return byIdleness < byAge ? (byIdleness, .idle) : (byAge, .lifetimeOver)
    }
}

extension AudioProcessor {
    /// When the newest frames were captured, or their source was opened; `nil` where there never was a capture.
    fileprivate var newestFrameTime: MonotonicInstant? { capturing.withLock { $0.newestFrameTime } }
}
