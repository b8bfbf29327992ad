import Synchronization

extension Ring {
    /// Gives the pages that hold no audio back to the system. One thread at a time.
    ///
    /// - Parameter slack: How many bytes a producer that is at work may go on meanwhile.
    func releasePages(slack: Int) {
        guard owner.isCurrent else { return }
        // Everything in use lies at or behind this, and positions only grow.
        let start = firstByteInUse
        for _ in 0..<4 {
            let limit = producer.reservedEnd.load(ordering: .sequentiallyConsistent) + slack
            writeLimit.word.store(limit, ordering: .sequentiallyConsistent)
            // Either the producer's next reservation sees the limit, or we see the reservation.
            fence.seldom()
            if producer.reservedEnd.load(ordering: .sequentiallyConsistent) <= limit {
                memory.releasePages(from: limit, count: start + memory.capacity - limit)
                producer.touchedEnd.store(0, ordering: .relaxed)
                break
            }
        }
        writeLimit.word.store(.max, ordering: .sequentiallyConsistent)
    }

    private var firstByteInUse: Int {
        while true {
            let tail = tail.word.load(ordering: .acquiring) >> 1
            // Before `head`, as the producer writes it after `head`: a chunk published later starts at or behind it.
            let written = producer.byteEnd.load(ordering: .acquiring)
            let head = head.word.load(ordering: .acquiring)
            guard head > tail else { return written }
            // SAFETY: an atomic entry; it counts only if the tail did not move while we looked.
            let start = unsafe entry(at: tail).pointee.byteStart.load(ordering: .relaxed)
            atomicMemoryFence(ordering: .acquiring)
            if self.tail.word.load(ordering: .relaxed) >> 1 == tail { return start }
        }
    }
}
