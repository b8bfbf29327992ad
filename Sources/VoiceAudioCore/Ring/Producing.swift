import Synchronization

// The producer's side. One thread at a time.
extension Ring {
    /// How an attempt to put a chunk in went.
    enum Outcome {
        case stored(evicted: Int, wakesConsumers: Bool)
        case refused(RefusalReason)
    }

    /// Copies an admitted chunk in and publishes it; counts a refused one.
    @_noLocks @_noAllocation
    func copyIn(_ bytes: UnsafeRawBufferPointer, captureTime: MonotonicInstant, admission: Admission) -> Outcome {
        switch admission {
        case .refused(let reason), .mustWait(let reason): return refuse(reason, byteCount: bytes.count)
        case .admitted(let evicted):
            guard reserve(bytes.count) else { return refuse(.reclaiming, byteCount: bytes.count) }
            // SAFETY: reserved for this thread; the ring holds at most `maxBytes` with this chunk, so nothing that can
            // be read lies there.
            unsafe reservedBytes.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
            let wakes = publish(byteCount: bytes.count, captureTime: captureTime)
            return .stored(evicted: evicted, wakesConsumers: wakes)
        }
    }

    /// Publishes what was filled into the reserved place, if admitted; counts a refused one.
    @_noLocks @_noAllocation
    func commit(byteCount: Int, captureTime: MonotonicInstant, admission: Admission) -> Outcome {
        switch admission {
        case .refused(let reason), .mustWait(let reason): return refuse(reason, byteCount: byteCount)
        case .admitted(let evicted):
            return .stored(evicted: evicted, wakesConsumers: publish(byteCount: byteCount, captureTime: captureTime))
        }
    }

    /// Whether a chunk is admitted.
    enum Admission {
        case admitted(evicted: Int)
        case refused(RefusalReason)
        /// The cap's rule is to wait for room.
        case mustWait(RefusalReason)
    }

    /// Makes room for `byteCount` bytes by the overflow policy.
    ///
    /// Wait-free: a compare-and-swap fails only where a consumer got hold of the oldest chunk, and after a few of those
    /// the chunk is refused.
    @_noLocks @_noAllocation
    func admit(_ byteCount: Int) -> Admission {
        if waiting.isClosed.load(ordering: .relaxed) || !owner.isCurrent { return .refused(.closed) }
        if byteCount <= 0 { return .refused(.partialFrame) }
        if byteCount % bytesPerFrame != 0 { return .refused(.partialFrame) }
        if byteCount > maxBytes { return .refused(.largerThanByteCap) }
        if byteCount > largestChunk { return .refused(.largerThanChunkLimit) }

        let head = head.word.load(ordering: .relaxed)
        let byteEnd = producer.byteEnd.load(ordering: .relaxed)
        let known = producer.knownTail.load(ordering: .relaxed)
        let firstByte = producer.knownFirstByte.load(ordering: .relaxed)
        if head - known < maxChunks, byteEnd - firstByte + byteCount <= maxBytes {
            return .admitted(evicted: 0)
        }
        for _ in 0..<8 {
            let word = tail.word.load(ordering: .acquiring)
            let tail = word >> 1
            noteTail(tail, head: head)
            let evictions: Int
            switch plan(byteCount, head: head, tail: tail, byteEnd: byteEnd) {
            case .admitted(evicted: 0): return .admitted(evicted: 0)
            case .admitted(let count): evictions = count
            case .refused(let reason): return .refused(reason)
            case .mustWait(let reason): return .mustWait(reason)
            }
            if word & 1 == 1 { return .refused(.oldestBorrowed) }
            let (frames, bytes) = frameAndByteCount(from: tail, count: evictions)
            // Releasing: an observer that sees the new tail sees all that we did before. Acquiring: what a consumer
            // read before it let go was read before we write there.
            let (exchanged, _) = self.tail.word.compareExchange(
                expected: word, desired: (tail + evictions) << 1, ordering: .acquiringAndReleasing)
            if exchanged {
                noteTail(tail + evictions, head: head)
                producer.evicted.add(chunks: evictions, frames: frames, bytes: bytes)
                if isSampled { keepLosses(from: tail, count: evictions) }
                return .admitted(evicted: evictions)
            }
        }
        return .refused(.oldestBorrowed)
    }

    /// What the policy asks for with the ring in this state. Changes nothing.
    @_noLocks @_noAllocation
    func plan(_ byteCount: Int, head: Int, tail: Int, byteEnd: Int) -> Admission {
        var first = tail
        if head - first >= maxChunks {
            switch overflow.atChunkCap {
            case .dropOldest: first = head - maxChunks + 1
            case .dropNewest: return .refused(.chunkCap)
            case .keepNewestHalf: first = head - maxChunks / 2
            case .block: return .mustWait(.chunkCap)
            }
        }
        if byteEnd - firstByte(at: first, head: head) + byteCount > maxBytes {
            let target: Int
            switch overflow.atByteCap {
            case .dropOldest: target = maxBytes - byteCount
            case .dropNewest: return .refused(.byteCap)
            case .keepNewestHalf: target = min(maxBytes / 2, maxBytes - byteCount)
            case .block: return .mustWait(.byteCap)
            }
            while byteEnd - firstByte(at: first, head: head) > target { first += 1 }
        }
        return .admitted(evicted: first - tail)
    }

    /// Where the bytes of the chunks from `position` on start; the end of all bytes where there are none.
    @_noLocks @_noAllocation
    private func firstByte(at position: Int, head: Int) -> Int {
        // SAFETY: entries from a known tail to `head` are this producer's own, and not yet overwritten.
        position < head
            ? unsafe entry(at: position).pointee.byteStart.load(ordering: .relaxed)
            : producer.byteEnd.load(ordering: .relaxed)
    }

    @_noLocks @_noAllocation
    private func frameAndByteCount(from position: Int, count: Int) -> (frames: Int, bytes: Int) {
        var frames = 0
        var bytes = 0
        for position in position..<position + count {
            // SAFETY: as in firstByte(at:head:).
            let entry = unsafe entry(at: position)
            frames += Int(unsafe entry.pointee.frameCount.load(ordering: .relaxed))
            bytes += Int(unsafe entry.pointee.byteCount.load(ordering: .relaxed))
            noteIfInexact(position)
        }
        return (frames, bytes)
    }

    /// Keeps that a chunk which is about to go without having been read tells of an estimated loss.
    ///
    /// Right even if it is read after all: then the reader is told, and its position is beyond this one.
    @_noLocks @_noAllocation
    func noteIfInexact(_ position: Int) {
        // SAFETY: an atomic entry.
        let entry = unsafe entry(at: position)
        guard unsafe entry.pointee.lossKind.load(ordering: .relaxed) & 0x100 != 0 else { return }
        consumer.inexactTo.max(unsafe entry.pointee.framePosition.load(ordering: .relaxed), ordering: .relaxed)
    }

    /// Chooses the place of the next chunk and reserves it; `false` while pages there are being given back.
    ///
    /// An empty ring starts again at the front of its memory instead of touching more of it, so that a ring that holds
    /// little touches little. Only then is the tail looked at: it is the consumer's, and to fetch it costs more than all
    /// else here.
    @_noLocks @_noAllocation
    @inline(__always)
    func reserve(_ byteCount: Int) -> Bool {
        var start = producer.byteEnd.load(ordering: .relaxed)
        var offset = producer.offsetEnd.load(ordering: .relaxed)
        if offset + byteCount > producer.touchedEnd.load(ordering: .relaxed) {
            let isEmpty = tail.word.load(ordering: .acquiring) >> 1 == head.word.load(ordering: .relaxed)
            if isEmpty, offset > 0, writeLimit.word.load(ordering: .relaxed) == .max {
                start += memory.capacity - offset
                offset = 0
            }
            producer.touchedEnd.max(offset + byteCount, ordering: .relaxed)
        }
        let end = start + byteCount
        producer.reservedEnd.store(end, ordering: .relaxed)
        // Either we see the limit, or who gives pages back sees the reservation.
        fence.often()
        if end > writeLimit.word.load(ordering: .acquiring) {
            producer.reservedEnd.store(producer.byteEnd.load(ordering: .relaxed), ordering: .releasing)
            return false
        }
        producer.reservedStart.store(start, ordering: .relaxed)
        producer.reservedOffset.store(offset, ordering: .relaxed)
        return true
    }

    /// Where the reserved chunk's bytes go.
    var reservedBytes: UnsafeMutableRawPointer {
        @_noLocks @_noAllocation
        get {
            // SAFETY: an offset below the capacity; the mapping holds two.
            unsafe memory.base + producer.reservedOffset.load(ordering: .relaxed)
        }
    }

    /// Publishes the reserved and filled chunk. Answers whether somebody waits to be woken.
    @_noLocks @_noAllocation
    @inline(__always)
    func publish(byteCount: Int, captureTime: MonotonicInstant) -> Bool {
        let frameCount = byteCount / bytesPerFrame
        let position = head.word.load(ordering: .relaxed)
        let start = producer.reservedStart.load(ordering: .relaxed)
        // SAFETY: the entry is free: admission saw fewer than `maxChunks` chunks, and only this thread adds any.
        let entry = unsafe entry(at: position)
        // An observer that sees what we write here must see that the entry's old chunk went.
        atomicMemoryFence(ordering: .releasing)
        unsafe entry.pointee.byteStart.store(start, ordering: .relaxed)
        // In an empty ring, as far as we know, it is the oldest: and its place was chosen only now.
        if position == producer.knownTail.load(ordering: .relaxed) {
            producer.knownFirstByte.store(start, ordering: .relaxed)
        }
        unsafe entry.pointee.byteOffset.store(producer.reservedOffset.load(ordering: .relaxed), ordering: .relaxed)
        unsafe entry.pointee.byteCount.store(Int32(truncatingIfNeeded: byteCount), ordering: .relaxed)
        unsafe entry.pointee.frameCount.store(Int32(truncatingIfNeeded: frameCount), ordering: .relaxed)
        unsafe entry.pointee.captureTime.store(captureTime.nanoseconds, ordering: .relaxed)
        unsafe entry.pointee.lossFrames.store(producer.lossFrames.load(ordering: .relaxed), ordering: .relaxed)
        unsafe entry.pointee.lossKind.store(producer.lossKind.load(ordering: .relaxed), ordering: .relaxed)
        clearLoss()
        let sequenceNumber = producer.nextSequenceNumber.load(ordering: .relaxed)
        let framePosition = producer.nextFramePosition.load(ordering: .relaxed)
        unsafe entry.pointee.sequenceNumber.store(sequenceNumber, ordering: .relaxed)
        unsafe entry.pointee.framePosition.store(framePosition, ordering: .relaxed)
        advance(frames: frameCount)

        let end = start + byteCount
        let offset = producer.reservedOffset.load(ordering: .relaxed) + byteCount
        producer.offsetEnd.store(offset < memory.capacity ? offset : offset - memory.capacity, ordering: .relaxed)
        unsafe entry.pointee.publish(position)
        // After that: who counts the chunk can take it.
        head.word.store(position + 1, ordering: .releasing)
        // After `head`: who sees this end and then an empty ring knows that the chunk is gone, and not still to come.
        producer.byteEnd.store(end, ordering: .releasing)
        producer.appended.add(chunks: 1, frames: frameCount, bytes: byteCount)
        notePeaks(head: position + 1, byteEnd: end)
        // Either we see who waits, or they see the chunk.
        fence.often()
        return waiting.consumers.load(ordering: .relaxed) > 0
    }

    @inline(__always)
    private func notePeaks(head: Int, byteEnd: Int) {
        let chunks = head - producer.knownTail.load(ordering: .relaxed)
        let bytes = byteEnd - producer.knownFirstByte.load(ordering: .relaxed)
        if chunks <= producer.peakChunks.load(ordering: .relaxed), bytes <= producer.peakBytes.load(ordering: .relaxed)
        {
            return
        }
        // Higher than the peak as far as we know.
        raisePeaks(head: head, byteEnd: byteEnd)
    }

    /// Looks how much the consumer took meanwhile.
    @_noLocks @_noAllocation
    private func raisePeaks(head: Int, byteEnd: Int) {
        let tail = min(self.tail.word.load(ordering: .acquiring) >> 1, head)
        noteTail(tail, head: head)
        let bytes = byteEnd - producer.knownFirstByte.load(ordering: .relaxed)
        producer.peakChunks.max(head - tail, ordering: .relaxed)
        producer.peakBytes.max(bytes, ordering: .relaxed)
    }

    /// Keeps the tail as seen, and where its bytes start: with `head` it tells what the ring holds at most.
    @_noLocks @_noAllocation
    private func noteTail(_ tail: Int, head: Int) {
        guard tail != producer.knownTail.load(ordering: .relaxed) else { return }
        producer.knownTail.store(tail, ordering: .relaxed)
        producer.knownFirstByte.store(firstByte(at: tail, head: head), ordering: .relaxed)
    }

    /// Counts a refused chunk; the next stored one tells of it.
    @_noLocks @_noAllocation
    func refuse(_ reason: RefusalReason, byteCount: Int) -> Outcome {
        let frames = byteCount / bytesPerFrame
        producer.refusals[reason.index].addShared(chunks: 1, frames: frames, bytes: byteCount)
        if !isSampled { addLoss(AudioLoss(frames: frames, cause: refusalCause)) }
        advance(frames: frames)
        producer.reservedEnd.store(producer.byteEnd.load(ordering: .relaxed), ordering: .relaxed)
        return .refused(reason)
    }

    /// Leaves a chunk out on purpose: it is counted, and no loss.
    @_noLocks @_noAllocation
    func skip(byteCount: Int) {
        let frames = byteCount / bytesPerFrame
        producer.skipped.add(chunks: 1, frames: frames, bytes: byteCount)
        advance(frames: frames)
    }

    /// What chunks that were just evicted told of is told by the next one: in a sampled ring they themselves are no loss.
    @_noLocks @_noAllocation
    private func keepLosses(from position: Int, count: Int) {
        for position in position..<position + count {
            // SAFETY: evicted by this thread, which alone writes over entries, and has not yet.
            if let loss = unsafe entry(at: position).pointee.toldLoss { addLoss(loss) }
        }
    }

    /// Frames that never reached this ring; the next stored chunk tells of them.
    @_noLocks @_noAllocation
    func noteLoss(_ loss: AudioLoss) {
        guard loss.frames > 0 else { return }
        addLoss(loss)
        let position = producer.nextFramePosition.load(ordering: .relaxed)
        producer.nextFramePosition.store(position + loss.frames, ordering: .relaxed)
    }

    @_noLocks @_noAllocation
    private func advance(frames: Int) {
        let sequenceNumber = producer.nextSequenceNumber.load(ordering: .relaxed)
        let framePosition = producer.nextFramePosition.load(ordering: .relaxed)
        producer.nextSequenceNumber.store(sequenceNumber + 1, ordering: .relaxed)
        producer.nextFramePosition.store(framePosition + frames, ordering: .relaxed)
    }

    @_noLocks @_noAllocation
    private func addLoss(_ loss: AudioLoss) {
        let frames = producer.lossFrames.load(ordering: .relaxed)
        producer.lossFrames.store(frames + loss.frames, ordering: .relaxed)
        let kind = producer.lossKind.load(ordering: .relaxed)
        let added = loss.kindCode
        let most = producer.lossByCause[Int(kind & 0xFF)].load(ordering: .relaxed)
        let sum = producer.lossByCause[Int(added & 0xFF)].load(ordering: .relaxed) + loss.frames
        producer.lossByCause[Int(added & 0xFF)].store(sum, ordering: .relaxed)
        // Only the cause that just grew can have become the one that cost the most.
        producer.lossKind.store(sum >= most ? added | kind & 0x100 : kind | added & 0x100, ordering: .relaxed)
    }

    @_noLocks @_noAllocation
    private func clearLoss() {
        guard producer.lossFrames.load(ordering: .relaxed) > 0 else { return }
        producer.lossFrames.store(0, ordering: .relaxed)
        producer.lossKind.store(0, ordering: .relaxed)
        for code in producer.lossByCause.indices { producer.lossByCause[code].store(0, ordering: .relaxed) }
    }
}
