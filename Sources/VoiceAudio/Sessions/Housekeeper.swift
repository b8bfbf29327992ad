import Synchronization
import VoiceAudioCore

/// The thread that ends sessions that expire: there while its registry has sessions.
///
/// It waits for the next moment at which one may expire. It keeps what the registry keeps, and not the registry, whose end
/// is the end of all sessions and so of this.
final class Housekeeper: Sendable {
    /// What it shares with its thread.
    private final class Signals: Sendable {
        let wakeUp: WakeUp
        let isRetired = Atomic<Bool>(false)
        /// The moment that it waits for, in nanoseconds; the first there is while it looks for it.
        let dueTime = Atomic<Int64>(.min)

        init() throws(AudioError) { wakeUp = try WakeUp() }
    }

    private let signals: Signals
    private let thread: WorkerThread

    /// - Throws: `outOfResources`.
    init(_ store: SessionStore) throws(AudioError) {
        let signals = try Signals()
        self.signals = signals
        thread = try WorkerThread(name: "va-sessions") { Self.run(store, signals) }
    }

    /// A session has come that expires at `time`.
    func note(_ time: MonotonicInstant) {
        let due = signals.dueTime.load(ordering: .sequentiallyConsistent)
        if due == .min || time.nanoseconds < due { signals.wakeUp.signal() }
    }

    /// There are no sessions any more. It ends in its own time.
    func retire() {
        signals.isRetired.store(true, ordering: .releasing)
        signals.wakeUp.signal()
    }

    private static func run(_ store: SessionStore, _ signals: Signals) {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(signals.wakeUp.descriptor, at: 0)
        while !signals.isRetired.load(ordering: .acquiring) {
            // First this, then the look: whoever comes in between is either seen or wakes us.
            signals.dueTime.store(.min, ordering: .sequentiallyConsistent)
            let due = store.nextExpiry
            signals.dueTime.store(due?.nanoseconds ?? .max, ordering: .sequentiallyConsistent)
            _ = store.clock.wait(for: descriptors, until: due)
            signals.wakeUp.clear()
            if signals.isRetired.load(ordering: .acquiring) { return }
            _ = store.expire()
        }
    }
}
