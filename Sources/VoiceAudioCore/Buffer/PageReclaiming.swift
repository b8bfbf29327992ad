import Synchronization

extension BoundedAudioBuffer {
    /// Gives the pages that hold no audio back to the system.
    ///
    /// Where the producer's end is taken, its owner goes on meanwhile; should it run more than two chunks ahead within
    /// the call, the chunk beyond is refused as ``RefusalReason/reclaiming``.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: system calls.
    public func releaseUnusedPages() {
        producerLock.withLockUnlessHeld { (_: inout ()) in
            // Two threads that reclaim must not lift each other's limit.
            reclaimLock.withLock { (_: inout ()) in
                ring.releasePages(slack: ring.producer.isTaken.load(ordering: .acquiring) ? 2 * ring.chunkLimit : 0)
            }
        }
    }

    /// Gives pages back behind a reader who never empties a large ring, whenever it has read another step.
    ///
    /// Without this, a ring with a large byte cap that holds little would walk through all of its pages. A ring whose
    /// chunks have a known size has no more memory than they need.
    func releasePagesBehindReader() {
        guard ring.memory.capacity >= 4 * Self.reclaimStep else { return }
        let read = ring.consumer.byteEnd.load(ordering: .relaxed)
        guard read - ring.consumer.reclaimedTo.load(ordering: .relaxed) >= Self.reclaimStep else { return }
        ring.consumer.reclaimedTo.store(read, ordering: .relaxed)
        releaseUnusedPages()
    }

    private static var reclaimStep: Int { 1 << 20 }
}
