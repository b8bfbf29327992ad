import Synchronization

// The consumer's side. One thread at a time; `discard` may come from any thread besides.
extension Ring {
    /// What a claim of the oldest chunk gave.
    @safe
    enum Claim {
        case chunk(position: Int, entry: UnsafeMutablePointer<ChunkDescriptor>)
        case empty
        case alreadyBorrowed
    }

    /// Borrows the oldest chunk: until it is released, nobody evicts it.
    @_noLocks @_noAllocation
    func claim() -> Claim {
        guard owner.isCurrent else { return .empty }
        while true {
            let word = tail.word.load(ordering: .acquiring)
            if word & 1 == 1 { return .alreadyBorrowed }
            let position = word >> 1
            // SAFETY: an atomic entry.
            let entry = unsafe entry(at: position)
            guard unsafe entry.pointee.isPublished(position) else { return .empty }
            // Fails only where the chunk was evicted in this moment: then the next one is the oldest.
            if tail.word.compareExchange(expected: word, desired: word | 1, ordering: .acquiring).exchanged {
                return unsafe .chunk(position: position, entry: entry)
            }
        }
    }

    /// Behind the newest chunk there is now, of those from a borrowed one on.
    @_noLocks @_noAllocation
    func end(from position: Int, _ entry: UnsafeMutablePointer<ChunkDescriptor>) -> Int {
        var end = position
        // SAFETY: atomic entries. In the borrowed one's place no later chunk is published.
        var entry = unsafe entry
        while unsafe entry.pointee.isPublished(end) {
            end += 1
            unsafe entry = descriptors.entry(after: entry)
        }
        return end
    }

    /// Where a borrowed chunk lies.
    @inline(__always)
    func borrowed(_ position: Int, _ entry: UnsafeMutablePointer<ChunkDescriptor>) -> BorrowedChunk {
        // SAFETY: borrowed by this thread, and the mapping makes it contiguous.
        let start = unsafe memory.base + entry.pointee.byteOffset.load(ordering: .relaxed)
        let byteCount = Int(unsafe entry.pointee.byteCount.load(ordering: .relaxed))
        return unsafe BorrowedChunk(
            position: position, entry: entry, bytes: UnsafeRawBufferPointer(start: start, count: byteCount))
    }

    /// The header of a borrowed chunk, with all that is missing since the one handed out before.
    @inline(__always)
    func header(of chunk: BorrowedChunk) -> AudioChunkHeader {
        // SAFETY: the borrow.
        let framePosition = unsafe chunk.entry.pointee.framePosition.load(ordering: .relaxed)
        let expected = consumer.nextFramePosition.load(ordering: .relaxed)
        guard framePosition > expected else { return unsafe chunk.entry.pointee.header(lossBefore: nil) }
        let told = unsafe chunk.entry.pointee.toldLoss
        let missing = missing(framePosition - expected, from: expected, told: told)
        return unsafe chunk.entry.pointee.header(lossBefore: missing.loss, skippedBefore: missing.skipped)
    }

    /// Counts a borrowed chunk as handed out: what is missing before the next one is counted from its end.
    @_noLocks @_noAllocation
    func noteDelivery(of chunk: BorrowedChunk) {
        // SAFETY: the borrow.
        let frames = Int(unsafe chunk.entry.pointee.frameCount.load(ordering: .relaxed))
        let framePosition = unsafe chunk.entry.pointee.framePosition.load(ordering: .relaxed)
        let byteStart = unsafe chunk.entry.pointee.byteStart.load(ordering: .relaxed)
        let bytes = unsafe chunk.bytes.count
        consumer.nextFramePosition.store(framePosition + frames, ordering: .relaxed)
        consumer.byteEnd.store(byteStart + bytes, ordering: .relaxed)
        consumer.delivered.add(chunks: 1, frames: frames, bytes: bytes)
    }

    /// Ends the borrow: the chunks before `position` are out, and that one is the oldest. Answers whether a producer waits for
    /// room.
    @_noLocks @_noAllocation
    func endBorrow(before position: Int) -> Bool {
        if !mayBlock {
            tail.word.store(position << 1, ordering: .releasing)
            return false
        }
        tail.word.store(position << 1, ordering: .sequentiallyConsistent)
        return waiting.producers.load(ordering: .sequentiallyConsistent) > 0
    }

    /// The chunks from the borrowed one to the newest there is now, each with the loss that its producer knew of.
    func chunks(from position: Int, _ entry: UnsafeMutablePointer<ChunkDescriptor>) -> [FrozenAudio.Chunk] {
        // SAFETY: borrowed from the oldest on, so nothing behind it moves.
        let start = unsafe entry.pointee.byteStart.load(ordering: .relaxed)
        let end = unsafe end(from: position, entry)
        return (position..<end).map { position in
            let entry = unsafe self.entry(at: position)
            let chunkStart = unsafe entry.pointee.byteStart.load(ordering: .relaxed) - start
            let byteCount = Int(unsafe entry.pointee.byteCount.load(ordering: .relaxed))
            return FrozenAudio.Chunk(
                header: unsafe entry.pointee.header(lossBefore: entry.pointee.toldLoss),
                byteRange: chunkStart..<chunkStart + byteCount)
        }
    }

    /// Lends `byteCount` bytes from the borrowed chunk's first on: the mapping makes them contiguous.
    func withBytes<Result, Failure: Error>(
        from position: Int, count byteCount: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: as in chunks(from:), which told the count.
        let start = unsafe memory.base + entry(at: position).pointee.byteOffset.load(ordering: .relaxed)
        return try body(unsafe UnsafeRawBufferPointer(start: start, count: byteCount).bytes)
    }

    /// What so many missing frames were that follow the last chunk handed out: lost, by the cause that cost the most, or left
    /// out on purpose.
    private func missing(_ missing: Int, from expected: Int, told: AudioLoss?) -> (loss: AudioLoss?, skipped: Int) {
        let toldFrames = min(told?.frames ?? 0, missing)
        let untold = missing - toldFrames
        let isExact = (told?.isExact ?? true) && consumer.inexactTo.load(ordering: .relaxed) <= expected
        let wasCleared = consumer.clearedTo.load(ordering: .relaxed) > expected
        // Where a clean-up took chunks, nothing tells how many of the frames these were: all of them count as lost.
        if isSampled, !wasCleared {
            return (told.map { AudioLoss(frames: toldFrames, cause: $0.cause, isExact: isExact) }, untold)
        }
        if let told, toldFrames >= untold {
            return (AudioLoss(frames: missing, cause: told.cause, isExact: isExact), 0)
        }
        return (AudioLoss(frames: missing, cause: wasCleared ? .cleanedUp : evictionCause, isExact: isExact), 0)
    }

    /// Throws away all chunks but the newest `kept`, from any thread; 0 while the oldest is borrowed, and in a fork.
    func discard(butNewest kept: Int) -> Int {
        guard owner.isCurrent else { return 0 }
        while true {
            let word = tail.word.load(ordering: .acquiring)
            let first = word >> 1
            let end = head.word.load(ordering: .acquiring) - kept
            guard word & 1 == 0, end > first else { return 0 }
            var frames = 0
            var bytes = 0
            var clearedTo = 0
            for position in first..<end {
                // SAFETY: atomic entries; the sums count only if the exchange shows that the tail did not move.
                let entry = unsafe entry(at: position)
                let frameCount = Int(unsafe entry.pointee.frameCount.load(ordering: .relaxed))
                frames += frameCount
                bytes += Int(unsafe entry.pointee.byteCount.load(ordering: .relaxed))
                clearedTo = unsafe entry.pointee.framePosition.load(ordering: .relaxed) + frameCount
                noteIfInexact(position)
            }
            guard
                tail.word.compareExchange(
                    expected: word, desired: end << 1, ordering: .sequentiallyConsistent
                ).exchanged
            else { continue }
            consumer.cleared.addShared(chunks: end - first, frames: frames, bytes: bytes)
            consumer.clearedTo.max(clearedTo, ordering: .relaxed)
            if waiting.producers.load(ordering: .sequentiallyConsistent) > 0 { waiting.signalRoom() }
            return end - first
        }
    }
}
