import Synchronization

/// Who waits on a ring, and what wakes them. The eventfds exist once somebody has waited.
struct WaitState: ~Copyable {
    /// A consumer that waits: each has an eventfd of its own, so that none takes another's signal.
    struct Place: ~Copyable {
        /// Chunks that must be there for it to be woken; 0 while the place is free.
        let chunks = Atomic<Int>(0)
        let wakeUp = AtomicLazyReference<WakeUp>()
    }

    /// Consumers that wait for chunks.
    let consumers = Atomic<Int>(0)
    /// Producers that wait for room: one at most.
    let producers = Atomic<Int>(0)
    /// Nothing more will be appended.
    let isClosed = Atomic<Bool>(false)
    private let places = InlineArray<16, Place> { _ in Place() }
    private let room = AtomicLazyReference<WakeUp>()

    func roomWakeUp() throws(AudioError) -> WakeUp { try Self.existing(room) }

    func signalRoom() { room.load()?.signal() }

    /// Takes a place for a consumer that waits for `chunks`.
    ///
    /// - Throws: `limitReached`, `outOfResources`.
    func enter(chunks: Int) throws(AudioError) -> WakeUp {
        for index in places.indices where places[index].chunks.load(ordering: .relaxed) == 0 {
            let wakeUp = try Self.existing(places[index].wakeUp)
            let (isOurs, _) = places[index].chunks.compareExchange(
                expected: 0, desired: chunks, ordering: .acquiringAndReleasing)
            guard isOurs else { continue }
            wakeUp.clear()
            consumers.wrappingAdd(1, ordering: .sequentiallyConsistent)
            // Either the producer sees us after its next publication, or we see the chunk when we look now.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            return wakeUp
        }
        throw AudioError(.limitReached, "\(places.count) threads wait on the ring already, the most there can be")
    }

    func leave(_ wakeUp: WakeUp) {
        consumers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        for index in places.indices where places[index].wakeUp.load() === wakeUp {
            places[index].chunks.store(0, ordering: .releasing)
        }
    }

    /// Wakes the consumers that wait for no more than `chunks`.
    func signalConsumers(chunks: Int) {
        for index in places.indices {
            let awaited = places[index].chunks.load(ordering: .acquiring)
            if awaited > 0, awaited <= chunks { places[index].wakeUp.load()?.signal() }
        }
    }

    private static func existing(_ place: borrowing AtomicLazyReference<WakeUp>) throws(AudioError) -> WakeUp {
        if let wakeUp = place.load() { return wakeUp }
        return place.storeIfNil(try WakeUp())
    }
}
