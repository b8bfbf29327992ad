import Synchronization

/// Who waits on a ring, and what wakes them. The eventfds exist once somebody has waited.
struct WaitState: ~Copyable {
    /// Consumers that wait for chunks.
    let consumers = Atomic<Int>(0)
    /// Producers that wait for room.
    let producers = Atomic<Int>(0)
    /// Chunks that must be there for a waiting consumer to be woken.
    let wakeCount = Atomic<Int>(1)
    /// Nothing more will be appended.
    let isClosed = Atomic<Bool>(false)
    private let chunks = AtomicLazyReference<WakeUp>()
    private let room = AtomicLazyReference<WakeUp>()

    func chunkWakeUp() throws(AudioError) -> WakeUp { try Self.existing(chunks) }

    func roomWakeUp() throws(AudioError) -> WakeUp { try Self.existing(room) }

    func signalChunks() { chunks.load()?.signal() }

    func signalRoom() { room.load()?.signal() }

    private static func existing(_ place: borrowing AtomicLazyReference<WakeUp>) throws(AudioError) -> WakeUp {
        if let wakeUp = place.load() { return wakeUp }
        return place.storeIfNil(try WakeUp(counts: true))
    }
}
