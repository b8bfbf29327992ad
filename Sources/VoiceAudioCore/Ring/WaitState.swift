import Synchronization

/// Who waits on a ring, and what wakes them. The eventfds exist once somebody has waited.
struct WaitState: ~Copyable {
    /// A consumer that waits: each has an eventfd of its own, so that none takes another's signal.
    struct Place: ~Copyable {
        /// Chunks that must be there for it to be woken; 0 while the place is free.
        let chunks = Atomic<Int>(0)
        let wakeUp = LazyWakeUp()
    }

    /// Consumers that wait for chunks.
    let consumers = Atomic<Int>(0)
    /// Producers that wait for room: one at most.
    let producers = Atomic<Int>(0)
    /// Nothing more will be appended.
    let isClosed = Atomic<Bool>(false)
    private let places = InlineArray<16, Place> { _ in Place() }
    private let room = LazyWakeUp()

    func roomWakeUp() throws(AudioError) -> WakeUp { try room.existing() }

    func signalRoom() { room.load()?.signal() }

    /// Takes a place for a consumer that waits for `chunks`.
    ///
    /// - Throws: `limitReached`, `outOfResources`.
    func enter(chunks: Int) throws(AudioError) -> WakeUp {
        for index in places.indices where places[index].chunks.load(ordering: .relaxed) == 0 {
            let wakeUp = try places[index].wakeUp.existing()
            let (isOurs, _) = places[index].chunks.compareExchange(
                expected: 0, desired: chunks, ordering: .acquiringAndReleasing)
            guard isOurs else { continue }
            wakeUp.clearOld()
            consumers.wrappingAdd(1, ordering: .sequentiallyConsistent)
            // Either the producer sees us after its next publication, or we see the chunk when we look now.
            AsymmetricFence().seldom()
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
}

/// An eventfd that exists once somebody has asked for it.
///
/// `AtomicLazyReference` would do, but looks up the metadata of generic types at each load: 5 µs of each period, where the
/// capture thread has slept since the last one and nothing of that is in a cache any more.
@safe struct LazyWakeUp: ~Copyable {
    // SAFETY: what is stored was retained, once, and stays stored until the deinit releases it.
    private let stored = unsafe Atomic<Unmanaged<WakeUp>?>(nil)

    deinit { unsafe stored.load(ordering: .acquiring)?.release() }

    func load() -> WakeUp? { unsafe stored.load(ordering: .acquiring)?.takeUnretainedValue() }

    /// Makes it where it is not there yet.
    func existing() throws(AudioError) -> WakeUp {
        if let wakeUp = load() { return wakeUp }
        let new = unsafe Unmanaged.passRetained(try WakeUp())
        let (isStored, original) = unsafe stored.compareExchange(
            expected: nil, desired: new, ordering: .acquiringAndReleasing)
        // Another thread was first: its own is the one.
        guard !isStored, let original = unsafe original else { return unsafe new.takeUnretainedValue() }
        unsafe new.release()
        return unsafe original.takeUnretainedValue()
    }
}
