import Synchronization

extension BoundedAudioBuffer {
    /// The producer's end of a ring: wait-free, realtime-safe; whoever has it has it alone.
    ///
    /// Given back when it goes out of scope.
    public struct Producer: ~Copyable, Sendable {
        /// The ring that it feeds.
        public let buffer: BoundedAudioBuffer

        fileprivate init(buffer: BoundedAudioBuffer) { self.buffer = buffer }

        deinit {
            buffer.ring.producer.isFilling.store(false, ordering: .relaxed)
            buffer.ring.producer.isTaken.store(false, ordering: .releasing)
        }

        /// Appends a chunk: its bytes are copied into the ring.
        ///
        /// - Parameters:
        ///   - bytes: Interleaved little-endian samples: whole frames.
        ///   - captureTime: When the first frame was captured.
        /// - Returns: What became of the chunk. A refusal is counted, and changes nothing else.
        /// - Complexity: O(*n*) in the bytes, and in the chunks evicted; never allocates.
        ///
        /// > Concurrency: The holder's thread alone, while others read.
        ///
        /// > Real-time: Safe, but under ``OverflowPolicy/Rule/block(_:)``: no lock, and no system call but one
        /// > `write(2)` to an eventfd where a consumer waits.
        @discardableResult
        public mutating func append(_ bytes: RawSpan, captureTime: MonotonicInstant) -> AppendResult {
            precondition(!isFilling, "a chunk is being filled in place: commit it first")
            return buffer.store(bytes, captureTime: captureTime)
        }

        /// Says that frames were lost before what is appended next.
        ///
        /// > Real-time: Safe.
        public mutating func noteLoss(_ loss: AudioLoss) { buffer.ring.noteLoss(loss) }

        /// Leaves a chunk of so many bytes out on purpose. It is counted as skipped, is no loss, and wakes nobody.
        ///
        /// > Real-time: Safe.
        package mutating func skip(byteCount: Int) { buffer.ring.skip(byteCount: byteCount) }

        /// The place of the next chunk, to be filled in place and then committed.
        ///
        /// It stays reserved, and what was filled into it stays, until ``commit(byteCount:captureTime:interrupt:)``:
        /// asked for again, it is the same place. `nil` in the moment in which the ring gives its pages back.
        package mutating func reserve() -> UnsafeMutableRawBufferPointer? {
            guard buffer.ring.owner.isCurrent, isFilling || buffer.ring.reserve(buffer.ring.chunkLimit) else {
                return nil
            }
            buffer.ring.producer.isFilling.store(true, ordering: .relaxed)
            // SAFETY: the memory has room for one chunk beside all that the ring may hold.
            return unsafe UnsafeMutableRawBufferPointer(start: buffer.ring.reservedBytes, count: buffer.ring.chunkLimit)
        }

        /// Publishes the first `byteCount` bytes of the reserved place.
        ///
        /// - Parameter interrupt: A descriptor that ends a blocking policy's wait early when readable.
        /// - Precondition: ``reserve()`` gave a place since the last commit.
        package mutating func commit(
            byteCount: Int, captureTime: MonotonicInstant, interrupt: Int32 = -1
        ) -> AppendResult {
            precondition(isFilling, "nothing to commit: no place is reserved")
            let admission = buffer.admit(byteCount, interrupt: interrupt)
            buffer.ring.producer.isFilling.store(false, ordering: .relaxed)
            return buffer.finish(
                buffer.ring.commit(byteCount: byteCount, captureTime: captureTime, admission: admission))
        }

        private var isFilling: Bool { buffer.ring.producer.isFilling.load(ordering: .relaxed) }

        /// Counts a chunk that could not even be placed.
        package mutating func noteUnplaced(byteCount: Int) { _ = buffer.ring.refuse(.reclaiming, byteCount: byteCount) }
    }

    /// Takes the producer's end.
    ///
    /// - Throws: ``AudioError`` with code `endTaken` where somebody has it; `invalidState` in a fork.
    ///
    /// > Concurrency: Safe from any thread.
    public func takeProducer() throws(AudioError) -> Producer {
        try ring.owner.check("the ring")
        let taken = producerLock.withLockUnlessHeld { (_: inout ()) in
            !ring.producer.isTaken.exchange(true, ordering: .acquiringAndReleasing)
        }
        guard taken == true else { throw AudioError(.endTaken, "the producer's end of the ring is taken") }
        return Producer(buffer: self)
    }

    /// Numbers the stream's next chunk and frame. Before the first chunk, for a ring that joins a running stream.
    package func startNumbering(atSequenceNumber sequenceNumber: Int, framePosition: Int) {
        ring.producer.nextSequenceNumber.store(sequenceNumber, ordering: .relaxed)
        ring.producer.nextFramePosition.store(framePosition, ordering: .relaxed)
        ring.consumer.nextFramePosition.store(framePosition, ordering: .relaxed)
    }

    /// The stream's next chunk and frame numbers.
    ///
    /// > Concurrency: Exact on the producer's thread.
    package var nextNumbers: (sequenceNumber: Int, framePosition: Int) {
        (
            ring.producer.nextSequenceNumber.load(ordering: .relaxed),
            ring.producer.nextFramePosition.load(ordering: .relaxed)
        )
    }

    /// Frames lost since the newest chunk, which no chunk tells of yet.
    ///
    /// > Concurrency: Exact while no producer is at work.
    package var untoldLoss: AudioLoss? {
        AudioLoss(
            frames: ring.producer.lossFrames.load(ordering: .relaxed),
            kindCode: ring.producer.lossKind.load(ordering: .relaxed))
    }
}
