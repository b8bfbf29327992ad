import Synchronization

extension BoundedAudioBuffer {
    /// How a wait for chunks ended.
    public enum WaitResult: Sendable, Hashable {
        /// The chunks are there.
        case ready
        /// The deadline came first.
        case timedOut
        /// The ring was closed, and holds fewer chunks than asked for; what it holds can still be taken.
        case closed
    }

    /// Waits until the ring holds `count` chunks, is closed, or `timeout` has passed.
    ///
    /// - Parameters:
    ///   - count: Chunks to wait for, 1 to `maxChunks`: a consumer that wants to be woken less often asks for more.
    ///   - timeout: Longest wait, on the ring's clock. `.zero` polls; `nil` waits for ever.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, `limitReached` where 16 threads wait already,
    ///   `outOfResources` where no eventfd can be had, or `invalidState` in a fork.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: blocks.
    public func waitForChunks(_ count: Int = 1, timeout: Duration?) throws(AudioError) -> WaitResult {
        try waitForChunks(count, timeout: timeout, interrupt: -1) ?? .timedOut
    }

    /// As the public one, but ends early, with `nil`, when the descriptor `interrupt` is readable.
    package func waitForChunks(
        _ count: Int, timeout: Duration?, interrupt: Int32
    ) throws(AudioError) -> WaitResult? {
        try ring.owner.check("the ring")
        let deadline = timeout.map { clock.now.advanced(by: $0) }
        let wakeUp = try beginWaiting(for: count)
        defer { endWaiting(wakeUp) }
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(wakeUp.descriptor, at: 0)
        descriptors.watch(interrupt, at: 1)
        while true {
            // Before the count: what was stored before the ring was closed is there.
            let isClosed = isClosed
            if self.count >= count { return .ready }
            if isClosed { return .closed }
            if let deadline, clock.now >= deadline { return .timedOut }
            guard clock.wait(for: descriptors, until: deadline) > 0 else { continue }
            if descriptors.isReady(at: 0) { wakeUp.clear() }
            if descriptors.isReady(at: 1) { return nil }
        }
    }

    /// Announces a waiting consumer: from now on `wakeUp` is signalled with each chunk that makes `count` or more.
    ///
    /// Look at the ring after this and before you wait. To be ended by ``endWaiting(_:)`` with the same object.
    ///
    /// - Throws: `invalidConfiguration`, `limitReached` or `outOfResources`.
    package func beginWaiting(for count: Int) throws(AudioError) -> WakeUp {
        guard (1...maxChunks).contains(count) else {
            throw AudioError(
                .invalidConfiguration, "a wait for \(count) chunks cannot end well: the ring holds 1 to \(maxChunks)")
        }
        return try ring.waiting.enter(chunks: count)
    }

    package func endWaiting(_ wakeUp: WakeUp) { ring.waiting.leave(wakeUp) }

    /// Whether the ring was closed: nothing more will come.
    public var isClosed: Bool { ring.waiting.isClosed.load(ordering: .sequentiallyConsistent) }

    /// Says that nothing more will come, and wakes all who wait. What is held can still be taken.
    ///
    /// > Concurrency: Safe from any thread.
    public func close() {
        ring.waiting.isClosed.store(true, ordering: .sequentiallyConsistent)
        ring.waiting.signalConsumers(chunks: .max)
        if ring.waiting.producers.load(ordering: .sequentiallyConsistent) > 0 { ring.waiting.signalRoom() }
    }

    /// Wakes consumers if as many chunks are there as they wait for. By the producer, after a publish that asks for it.
    func wakeConsumers() { ring.waiting.signalConsumers(chunks: count) }

    /// Admits a chunk under a policy that blocks: waits for room as long as the cap's rule says.
    ///
    /// - Parameter interrupt: A descriptor that ends the wait early when readable.
    func admitWaiting(_ byteCount: Int, interrupt: Int32) -> Ring.Admission {
        ring.waiting.producers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        // Either who makes room sees us, or we see the room when we look.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        defer { ring.waiting.producers.wrappingSubtract(1, ordering: .sequentiallyConsistent) }
        guard let room = try? ring.waiting.roomWakeUp() else { return .refused(.blockedTooLong) }
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(room.descriptor, at: 0)
        descriptors.watch(interrupt, at: 1)
        let start = clock.now
        var isInterrupted = false
        while true {
            let admission = ring.admit(byteCount)
            guard case .mustWait(let cap) = admission else { return admission }
            let deadline = start.advanced(by: wait(at: cap))
            if isInterrupted || clock.now >= deadline { return .refused(.blockedTooLong) }
            guard clock.wait(for: descriptors, until: deadline) > 0 else { continue }
            isInterrupted = descriptors.isReady(at: 1)
            room.clear()
        }
    }

    /// Whether a producer waits for room.
    package var waitsForRoom: Bool { ring.waiting.producers.load(ordering: .sequentiallyConsistent) > 0 }

    private func wait(at cap: RefusalReason) -> Duration {
        if case .block(let wait) = cap == .chunkCap ? overflow.atChunkCap : overflow.atByteCap { wait } else { .zero }
    }
}
