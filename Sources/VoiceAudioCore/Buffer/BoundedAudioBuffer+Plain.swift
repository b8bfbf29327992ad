import Glibc
import Synchronization

// The methods for everyone: each takes the lock of its end.
extension BoundedAudioBuffer {
    /// Appends a chunk: its bytes are copied into the ring.
    ///
    /// - Parameters:
    ///   - bytes: Interleaved little-endian samples: whole frames, at most `maxBytes`.
    ///   - captureTime: When the first frame was captured; now, on the ring's clock, if not given.
    /// - Returns: What became of the chunk. A refusal is counted, and changes nothing else.
    /// - Complexity: O(*n*) in the bytes, and in the chunks evicted.
    ///
    /// > Concurrency: Safe from any thread; refused as `endTaken` while someone holds the producer's end.
    ///
    /// > Real-time: Not safe: takes a lock. Use ``Producer``.
    @discardableResult
    public func append(_ bytes: RawSpan, captureTime: MonotonicInstant? = nil) -> AppendResult {
        guard ring.owner.isCurrent else { return .refused(.closed) }
        let time = captureTime ?? clock.now
        let result = producerLock.withLockUnlessHeld { (_: inout ()) -> AppendResult in
            guard !ring.producer.isTaken.load(ordering: .acquiring) else {
                ring.producer.refusals[RefusalReason.endTaken.index].addShared(
                    chunks: 1, frames: bytes.byteCount / ring.bytesPerFrame, bytes: bytes.byteCount)
                return .refused(.endTaken)
            }
            return store(bytes, captureTime: time)
        }
        // A ring that nobody reads evicts its way through its memory, too.
        if result?.isStored == true { releasePagesOnTheWay(moved: ring.producer.bytesSinceReclaim) }
        return result ?? .refused(.endTaken)
    }

    /// Appends samples; see ``append(_:captureTime:)-(RawSpan,_)``.
    @discardableResult
    public func append<Sample: BitwiseCopyable>(
        _ samples: [Sample], captureTime: MonotonicInstant? = nil
    ) -> AppendResult {
        // SAFETY: the bytes of initialised plain values.
        append(unsafe samples.span.bytes, captureTime: captureTime)
    }

    /// Takes the oldest chunk out, as an owned copy.
    ///
    /// - Returns: The chunk; `nil` where the ring is empty.
    /// - Throws: ``AudioError`` with code `endTaken`, or `borrowed` when called from within a borrow.
    /// - Complexity: O(*n*) in the chunk's bytes.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: allocates.
    public func popFirst() throws(AudioError) -> AudioChunk? {
        try consuming { takeOldest(AudioChunk.init(header:copying:)) }
    }

    /// Lends the oldest chunk in place and leaves it in the ring.
    ///
    /// While `body` runs the chunk cannot be evicted: a producer that would have to refuses what arrives. Be quick.
    ///
    /// - Returns: What `body` returns; `nil` where the ring is empty.
    /// - Throws: ``AudioError`` with code `endTaken`, or `borrowed` when called from within a borrow; what `body` throws.
    /// - Complexity: O(1).
    ///
    /// > Concurrency: Safe from any thread.
    @inlinable
    public func withOldest<Result>(_ body: (AudioChunkHeader, RawSpan) throws -> Result) throws -> Result? {
        var result: Result?
        try lendOldestAlone { header, bytes in result = try body(header, bytes) }
        return result
    }

    /// Lends the oldest chunk in place, then takes it out; it stays if `body` throws.
    ///
    /// Otherwise as ``withOldest(_:)``.
    @inlinable
    public func consumeOldest<Result>(_ body: (AudioChunkHeader, RawSpan) throws -> Result) throws -> Result? {
        var result: Result?
        try takeOldestAlone { header, bytes in result = try body(header, bytes) }
        return result
    }

    /// Takes all chunks out that are there when it is called, as owned copies, oldest first.
    ///
    /// - Throws: ``AudioError`` with code `endTaken`, or `borrowed` when called from within a borrow.
    ///
    /// > Concurrency: Safe from any thread.
    public func drain() throws(AudioError) -> [AudioChunk] {
        try consuming { takeAll() }
    }

    /// Throws all chunks away.
    ///
    /// - Returns: How many went; 0 while the oldest stays borrowed, for then nothing can go.
    ///
    /// > Concurrency: Safe from any thread, also while the ends are taken. Never waits for a borrow that lasts.
    @discardableResult
    public func removeAll() -> Int { removeAll(butNewest: 0) }

    /// Throws all chunks away but the newest `kept`; otherwise as ``removeAll()``.
    @discardableResult
    package func removeAll(butNewest kept: Int) -> Int {
        guard ring.owner.isCurrent else { return 0 }
        for _ in 0..<100 {
            let removed = ring.discard(butNewest: kept)
            if removed > 0 || count <= kept { return removed }
            // Borrowed, most often for the moment in which another thread copies it out.
            sched_yield()
        }
        return 0
    }

    /// Throws all chunks away and gives the memory's pages back to the system.
    ///
    /// - Returns: Chunks that went.
    ///
    /// > Concurrency: Safe from any thread, also while the ends are taken.
    @discardableResult
    public func forceCleanup() -> Int {
        let removed = removeAll()
        releaseUnusedPages()
        return removed
    }

    // What is generic stays small and goes into the caller, and the rest is not generic: left to the optimiser, both looked
    // up the metadata of types at each call, half of what a chunk costs a thread that slept.

    @usableFromInline
    func lendOldestAlone(_ body: (AudioChunkHeader, RawSpan) throws -> Void) throws {
        _ = try consuming { Swift.Result { try lendOldest(body) } }.get()
    }

    @usableFromInline
    func takeOldestAlone(_ body: (AudioChunkHeader, RawSpan) throws -> Void) throws {
        _ = try consuming { Swift.Result { try takeOldest(body) } }.get()
    }

    /// Runs `body` with the consumer's end for this thread alone.
    private func consuming<Result>(_ body: () -> Result) throws(AudioError) -> Result {
        try ring.owner.check("the ring")
        let result = try consumerLock.withLockUnlessHeld { (_: inout ()) throws(AudioError) -> Result in
            guard !ring.consumer.isTaken.load(ordering: .acquiring) else {
                throw AudioError(.endTaken, "the consumer's end of the ring is taken: read through its holder")
            }
            return body()
        }
        guard let result else {
            throw AudioError(.borrowed, "the ring's oldest chunk is borrowed by this very thread: end the borrow first")
        }
        return result
    }
}
