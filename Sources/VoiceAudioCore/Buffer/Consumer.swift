import Synchronization

extension BoundedAudioBuffer {
    /// The consumer's end of a ring: no lock; whoever has it has it alone.
    ///
    /// Given back when it goes out of scope.
    public struct Consumer: ~Copyable, Sendable {
        /// The ring that it reads.
        public let buffer: BoundedAudioBuffer

        fileprivate init(buffer: BoundedAudioBuffer) { self.buffer = buffer }

        deinit { buffer.ring.consumer.isTaken.store(false, ordering: .releasing) }

        /// Takes the oldest chunk out, as an owned copy; `nil` where the ring is empty.
        ///
        /// - Complexity: O(*n*) in the chunk's bytes; allocates them.
        public mutating func popFirst() -> AudioChunk? { buffer.takeOldest(AudioChunk.init(header:copying:)) }

        /// Lends the oldest chunk in place and leaves it in the ring; `nil` where the ring is empty.
        ///
        /// While `body` runs the chunk cannot be evicted: a producer that would have to refuses what arrives. Be quick.
        @inlinable
        public mutating func withOldest<Result, Failure: Error>(
            _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
        ) throws(Failure) -> Result? {
            try buffer.lendOldest(body)
        }

        /// Lends the oldest chunk in place, then takes it out; it stays if `body` throws. `nil` where the ring is empty.
        ///
        /// > Real-time: Safe where `body` is, but in a ring of 4 MiB and more (32 MiB where the chunks' limit is known):
        /// > that gives pages back now and then.
        @inlinable
        public mutating func consumeOldest<Result, Failure: Error>(
            _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
        ) throws(Failure) -> Result? {
            try buffer.takeOldest(body)
        }

        /// Lends all chunks that are there now in place, oldest first, then takes them out together.
        ///
        /// For a reader that comes when there are several: it costs less than one ``consumeOldest(_:)`` a chunk. But the room of
        /// the first is free only after the last.
        ///
        /// - Returns: Chunks taken out. If `body` throws, that chunk and those behind it stay.
        ///
        /// While it runs no chunk can be evicted, as in ``withOldest(_:)``.
        ///
        /// > Real-time: As ``consumeOldest(_:)``.
        @inlinable
        @discardableResult
        public mutating func consumeAll<Failure: Error>(
            _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Void
        ) throws(Failure) -> Int {
            try buffer.takeAllInPlace(body)
        }

        /// Takes all chunks out that are there now, as owned copies, oldest first.
        public mutating func drain() -> [AudioChunk] { buffer.takeAll() }
    }

    /// Takes the consumer's end.
    ///
    /// - Throws: ``AudioError`` with code `endTaken` where somebody has it, or is in the midst of a borrow; `invalidState`
    ///   in a fork.
    ///
    /// > Concurrency: Safe from any thread.
    public func takeConsumer() throws(AudioError) -> Consumer {
        try ring.owner.check("the ring")
        let taken = consumerLock.withLockUnlessHeld { (_: inout ()) in
            !ring.consumer.isTaken.exchange(true, ordering: .acquiringAndReleasing)
        }
        guard taken == true else { throw AudioError(.endTaken, "the consumer's end of the ring is taken") }
        return Consumer(buffer: self)
    }
}
