import Glibc
import VoiceAudioCore

/// The handlers of a clean-up, by priority, and which of them are being called.
///
/// Nothing of a handler's runs while the lock is held: not even its end, which the last reference to it may bring.
final class HandlerTable: Sendable {
    /// A handler that may be gone.
    final class Entry: Sendable {
        let identity: ObjectIdentifier
        let name: String
        let priority: Int
        weak let handler: (any MemoryCleanupHandler)?

        init(_ handler: any MemoryCleanupHandler) {
            identity = ObjectIdentifier(handler)
            name = handler.cleanupName
            priority = handler.cleanupPriority
            self.handler = handler
        }
    }

    private struct State: Sendable {
        /// By falling priority, then in the order of registration.
        var entries: [Entry] = []
        /// When to look for handlers that are gone.
        var countToPruneAt = 16
        /// Those being called: handlers, not entries, as one may leave and come back meanwhile.
        var busy: Set<ObjectIdentifier> = []
        /// Those of them whose slot is over.
        var overdue: Set<ObjectIdentifier> = []
        /// The threads of the calls.
        var threads: Set<pthread_t> = []
    }

    private let state = Lock(State())

    /// Takes a handler in, unless it is there.
    func add(_ handler: any MemoryCleanupHandler) {
        let entry = Entry(handler)
        let isFull = state.withLock { state in
            // A dead one may have had the same address.
            if let old = state.entries.firstIndex(where: { $0.identity == entry.identity }) {
                guard state.entries[old].handler == nil else { return false }
                state.entries.remove(at: old)
            }
            let place = state.entries.firstIndex { $0.priority < entry.priority } ?? state.entries.endIndex
            state.entries.insert(entry, at: place)
            return state.entries.count >= state.countToPruneAt
        }
        if isFull { prune() }
    }

    func remove(_ handler: any MemoryCleanupHandler) {
        let identity = ObjectIdentifier(handler)
        state.withLock { state in state.entries.removeAll { $0.identity == identity } }
    }

    /// Forgets those that are gone.
    func prune() {
        let gone = Set(entries.filter { $0.handler == nil }.map(ObjectIdentifier.init))
        state.withLock { state in
            state.entries.removeAll { gone.contains(ObjectIdentifier($0)) }
            state.countToPruneAt = max(16, 2 * state.entries.count)
        }
    }

    var entries: [Entry] { state.withLock { $0.entries } }

    /// Handlers whose call goes on beyond its slot.
    var overdueCount: Int { state.withLock { $0.overdue.count } }

    /// Notes that a handler is being called; answers `false` where it is already.
    func beginCall(of entry: Entry) -> Bool {
        state.withLock { $0.busy.insert(entry.identity).inserted }
    }

    /// Notes that this is the thread of a call.
    func noteThread() { state.withLock { _ = $0.threads.insert(pthread_self()) } }

    /// Whether this is the thread of a call.
    var isWithinCall: Bool { state.withLock { $0.threads.contains(pthread_self()) } }

    /// Notes that the slot of a call is over; answers `false` where the call has returned meanwhile.
    func noteOverdue(_ entry: Entry) -> Bool {
        state.withLock { state in
            guard state.busy.contains(entry.identity) else { return false }
            state.overdue.insert(entry.identity)
            return true
        }
    }

    /// Notes, on its thread, that a call has returned; answers whether its slot was over.
    func endCall(of entry: Entry) -> Bool {
        state.withLock { state in
            state.threads.remove(pthread_self())
            state.busy.remove(entry.identity)
            return state.overdue.remove(entry.identity) != nil
        }
    }
}
