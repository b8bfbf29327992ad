import Synchronization

// The consumer's side. One thread at a time; `discardAll` may come from any thread besides.
extension Ring {
    /// What a claim of the oldest chunk gave.
    enum Claim {
        case chunk(position: Int)
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
            if position >= consumer.knownHead.load(ordering: .relaxed) {
                let head = head.word.load(ordering: .acquiring)
                consumer.knownHead.store(head, ordering: .relaxed)
                if position >= head { return .empty }
            }
            // Fails only where the chunk was evicted in this moment: then the next one is the oldest.
            if tail.word.compareExchange(expected: word, desired: word | 1, ordering: .acquiring).exchanged {
                return .chunk(position: position)
            }
        }
    }

    /// Ends the borrow and leaves the chunk where it is.
    @_noLocks @_noAllocation
    func unclaim(_ position: Int) { tail.word.store(position << 1, ordering: .releasing) }

    /// Ends the borrow and takes the chunk out. Answers whether a producer waits for room.
    @_noLocks @_noAllocation
    func release(_ position: Int) -> Bool {
        // SAFETY: the chunk is still borrowed by this thread: its entry is not overwritten.
        let entry = unsafe entry(at: position)
        let frames = Int(unsafe entry.pointee.frameCount.load(ordering: .relaxed))
        let bytes = unsafe entry.pointee.byteCount.load(ordering: .relaxed)
        let framePosition = unsafe entry.pointee.framePosition.load(ordering: .relaxed)
        let byteStart = unsafe entry.pointee.byteStart.load(ordering: .relaxed)
        consumer.nextFramePosition.store(framePosition + frames, ordering: .relaxed)
        consumer.byteEnd.store(byteStart + bytes, ordering: .relaxed)
        consumer.delivered.add(chunks: 1, frames: frames, bytes: bytes)
        if !mayBlock {
            tail.word.store((position + 1) << 1, ordering: .releasing)
            return false
        }
        tail.word.store((position + 1) << 1, ordering: .sequentiallyConsistent)
        return waiting.producers.load(ordering: .sequentiallyConsistent) > 0
    }

    /// Lends the bytes of the borrowed chunk.
    func withBytes<Result, Failure: Error>(
        of position: Int, _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: borrowed by this thread until `body` returns, and the mapping makes it contiguous.
        let entry = unsafe entry(at: position)
        let start = unsafe memory.base + entry.pointee.byteOffset.load(ordering: .relaxed)
        let bytes = unsafe UnsafeRawBufferPointer(
            start: start, count: entry.pointee.byteCount.load(ordering: .relaxed))
        return try body(header(at: position), unsafe bytes.bytes)
    }

    /// The chunks from the borrowed one to the newest there is now, each with the loss that its producer knew of.
    func chunks(from position: Int) -> [FrozenAudio.Chunk] {
        let head = head.word.load(ordering: .acquiring)
        // SAFETY: borrowed from the oldest on, so nothing behind it moves.
        let start = unsafe entry(at: position).pointee.byteStart.load(ordering: .relaxed)
        return (position..<head).map { position in
            let entry = unsafe entry(at: position)
            let chunkStart = unsafe entry.pointee.byteStart.load(ordering: .relaxed) - start
            let byteCount = unsafe entry.pointee.byteCount.load(ordering: .relaxed)
            var header = header(at: position)
            header.lossBefore = unsafe AudioLoss(
                frames: entry.pointee.lossFrames.load(ordering: .relaxed),
                kindCode: entry.pointee.lossKind.load(ordering: .relaxed))
            return FrozenAudio.Chunk(header: header, byteRange: chunkStart..<chunkStart + byteCount)
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

    /// The header of the borrowed chunk, with all that is missing since the one handed out before.
    func header(at position: Int) -> AudioChunkHeader {
        // SAFETY: borrowed by this thread.
        let entry = unsafe entry(at: position)
        let framePosition = unsafe entry.pointee.framePosition.load(ordering: .relaxed)
        let told = unsafe AudioLoss(
            frames: entry.pointee.lossFrames.load(ordering: .relaxed),
            kindCode: entry.pointee.lossKind.load(ordering: .relaxed))
        return AudioChunkHeader(
            sequenceNumber: unsafe entry.pointee.sequenceNumber.load(ordering: .relaxed),
            framePosition: framePosition,
            frameCount: Int(unsafe entry.pointee.frameCount.load(ordering: .relaxed)),
            captureTime: MonotonicInstant(nanoseconds: unsafe entry.pointee.captureTime.load(ordering: .relaxed)),
            lossBefore: loss(upTo: framePosition, told: told))
    }

    /// Everything missing between the last chunk handed out and `framePosition`, by the cause that cost the most.
    private func loss(upTo framePosition: Int, told: AudioLoss?) -> AudioLoss? {
        let expected = consumer.nextFramePosition.load(ordering: .relaxed)
        let missing = framePosition - expected
        guard missing > 0 else { return nil }
        let toldFrames = min(told?.frames ?? 0, missing)
        let untold = missing - toldFrames
        let isExact = (told?.isExact ?? true) && consumer.inexactTo.load(ordering: .relaxed) <= expected
        if let told, toldFrames >= untold { return AudioLoss(frames: missing, cause: told.cause, isExact: isExact) }
        let wasCleared = consumer.clearedTo.load(ordering: .relaxed) > expected
        return AudioLoss(frames: missing, cause: wasCleared ? .cleanedUp : evictionCause, isExact: isExact)
    }

    /// Throws away every chunk, from any thread; 0 while the oldest is borrowed, and in a fork.
    func discardAll() -> Int {
        guard owner.isCurrent else { return 0 }
        while true {
            let word = tail.word.load(ordering: .acquiring)
            let first = word >> 1
            let head = head.word.load(ordering: .acquiring)
            guard word & 1 == 0, head > first else { return 0 }
            var frames = 0
            var bytes = 0
            var clearedTo = 0
            for position in first..<head {
                // SAFETY: atomic entries; the sums count only if the exchange shows that the tail did not move.
                let entry = unsafe entry(at: position)
                let frameCount = Int(unsafe entry.pointee.frameCount.load(ordering: .relaxed))
                frames += frameCount
                bytes += unsafe entry.pointee.byteCount.load(ordering: .relaxed)
                clearedTo = unsafe entry.pointee.framePosition.load(ordering: .relaxed) + frameCount
                noteIfInexact(position)
            }
            guard
                tail.word.compareExchange(
                    expected: word, desired: head << 1, ordering: .sequentiallyConsistent
                ).exchanged
            else { continue }
            consumer.cleared.addShared(chunks: head - first, frames: frames, bytes: bytes)
            consumer.clearedTo.max(clearedTo, ordering: .relaxed)
            if waiting.producers.load(ordering: .sequentiallyConsistent) > 0 { waiting.signalRoom() }
            return head - first
        }
    }
}
