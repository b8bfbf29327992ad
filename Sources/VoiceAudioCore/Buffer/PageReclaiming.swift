import Glibc
import Synchronization

extension BoundedAudioBuffer {
    /// Gives the pages that hold no audio back to the system.
    ///
    /// A producer that is at work goes on meanwhile. Should it run more than two chunks and 1/64 of the memory ahead
    /// within the call, the chunk beyond is refused as ``RefusalReason/reclaiming``; this cannot happen to the plain
    /// ``append(_:captureTime:)-(RawSpan,_)`` but where it was waiting for room.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: system calls.
    public func releaseUnusedPages() {
        guard ring.owner.isCurrent else { return }
        while !releaseUnusedPagesIfNobodyAppends() {
            // Who waits for room, perhaps for long, holds the lock: do not wait for it in turn.
            if ring.waiting.producers.load(ordering: .relaxed) > 0 { return releasePages(slack: slackForProducer) }
            sched_yield()
        }
    }

    /// Gives pages back on the way, whenever another step of bytes went by the caller's end: for takers and plain appends.
    ///
    /// Without this, a ring with a large byte cap that holds little would walk through all of its pages. Never waits:
    /// a consumer that waited here for a producer that waits for room would be waiting for itself.
    func releasePagesOnTheWay(moved byteCount: @autoclosure () -> Int) {
        // Where the size of a chunk is known, so is that of the memory: that much may be there.
        guard ring.memory.capacity >= (ring.chunkLimit > 0 ? 32 : 4) * Self.reclaimStep,
            byteCount() >= Self.reclaimStep, releaseUnusedPagesIfNobodyAppends()
        else { return }
        ring.producer.noteReclaim()
        ring.consumer.noteReclaim()
    }

    /// Keeps plain appends out meanwhile; answers `false` where one is under way.
    private func releaseUnusedPagesIfNobodyAppends() -> Bool {
        let done: Void? = producerLock.withLockIfFree { (_: inout ()) in
            releasePages(slack: ring.producer.isTaken.load(ordering: .acquiring) ? slackForProducer : 0)
        }
        return done != nil
    }

    /// Bytes that a producer at work may go on while pages are given back.
    private var slackForProducer: Int { max(2 * ring.chunkLimit, ring.memory.capacity / 64) }

    private func releasePages(slack: Int) {
        // Two threads that give back must not lift each other's limit.
        reclaimLock.withLock { (_: inout ()) in ring.releasePages(slack: slack) }
    }

    private static var reclaimStep: Int { 1 << 20 }
}
