// What both the plain methods and the consumer's end do.
extension BoundedAudioBuffer {
    /// Lends the oldest chunk and leaves it there; `nil` where there is none.
    @inlinable
    func lendOldest<Result, Failure: Error>(
        _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let chunk = borrowOldest() else { return nil }
        defer { giveBack(chunk) }
        // SAFETY: borrowed until it is given back.
        return try body(header(of: chunk), unsafe chunk.bytes.bytes)
    }

    /// Lends the oldest chunk, then takes it out; `nil` where there is none. It stays if `body` throws.
    @inlinable
    func takeOldest<Result, Failure: Error>(
        _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let chunk = borrowOldest() else { return nil }
        let result: Result
        do throws(Failure) {
            // SAFETY: borrowed until it is given back or taken out.
            result = try body(header(of: chunk), unsafe chunk.bytes.bytes)
        } catch {
            giveBack(chunk)
            throw error
        }
        takeOut(chunk)
        return result
    }

    /// Lends all chunks that are there, oldest first, then takes them out together; from the one on at which `body` throws
    /// they stay. Answers how many it took out.
    @inlinable
    func takeAllInPlace<Failure: Error>(
        _ body: (AudioChunkHeader, RawSpan) throws(Failure) -> Void
    ) throws(Failure) -> Int {
        guard var batch = borrowAll() else { return 0 }
        defer { takeOut(batch) }
        while let chunk = next(of: batch) {
            // SAFETY: borrowed until the batch is taken out.
            try body(header(of: chunk), unsafe chunk.bytes.bytes)
            pass(chunk, in: &batch)
        }
        return batch.count
    }

    // What the generic methods are made of. They are inlined where they are called, which is worth a third of their time.

    /// Borrows the oldest chunk: to be given back or taken out.
    @usableFromInline
    func borrowOldest() -> BorrowedChunk? {
        guard case .chunk(let position, let entry) = ring.claim() else { return nil }
        // SAFETY: the claimed one's.
        return unsafe ring.borrowed(position, entry)
    }

    /// What it is, with what is missing before it.
    // By itself: returned together with the rest, the header would be copied, for half of what a borrow costs.
    @usableFromInline
    func header(of chunk: BorrowedChunk) -> AudioChunkHeader { ring.header(of: chunk) }

    @usableFromInline
    func giveBack(_ chunk: BorrowedChunk) { endBorrow(before: chunk.position) }

    @usableFromInline
    func takeOut(_ chunk: BorrowedChunk) {
        ring.noteDelivery(of: chunk)
        endBorrow(before: chunk.position + 1)
        releasePagesOnTheWay(moved: ring.consumer.bytesSinceReclaim)
    }

    /// Borrows all chunks that are there now.
    @usableFromInline
    func borrowAll() -> BorrowedBatch? {
        guard case .chunk(let position, let entry) = ring.claim() else { return nil }
        // SAFETY: as in borrowOldest().
        return unsafe BorrowedBatch(first: position, end: ring.end(from: position, entry), entry: entry)
    }

    /// The chunk of a batch whose turn it is.
    @usableFromInline
    func next(of batch: BorrowedBatch) -> BorrowedChunk? {
        // SAFETY: borrowed with the batch.
        batch.next < batch.end ? unsafe ring.borrowed(batch.next, batch.entry) : nil
    }

    /// The next one's turn comes.
    @usableFromInline
    func pass(_ chunk: BorrowedChunk, in batch: inout BorrowedBatch) {
        ring.noteDelivery(of: chunk)
        batch.next += 1
        // SAFETY: not touched unless it is one of the batch.
        unsafe batch.entry = ring.descriptors.entry(after: batch.entry)
    }

    @usableFromInline
    func takeOut(_ batch: BorrowedBatch) {
        endBorrow(before: batch.next)
        releasePagesOnTheWay(moved: ring.consumer.bytesSinceReclaim)
    }

    private func endBorrow(before position: Int) {
        if ring.endBorrow(before: position) { ring.waiting.signalRoom() }
    }

    /// Takes all chunks out that are there now.
    func takeAll() -> [AudioChunk] {
        var chunks: [AudioChunk] = []
        let count = count
        chunks.reserveCapacity(count)
        while chunks.count < count, let chunk = takeOldest(AudioChunk.init(header:copying:)) { chunks.append(chunk) }
        return chunks
    }
}

/// A chunk of a ring, where it lies, while it is borrowed. No larger than what is returned in registers.
@usableFromInline
@safe
struct BorrowedChunk {
    let position: Int
    // SAFETY: both are valid as long as the borrow.
    let entry: UnsafeMutablePointer<ChunkDescriptor>
    @usableFromInline let bytes: UnsafeRawBufferPointer
}

/// Chunks from the oldest on, which is borrowed: so none of them can be evicted.
@usableFromInline
@safe
struct BorrowedBatch {
    let first: Int
    let end: Int
    /// Whose turn it is; the ones before are done with.
    fileprivate(set) var next: Int
    // SAFETY: that one's, valid as long as the borrow.
    fileprivate(set) var entry: UnsafeMutablePointer<ChunkDescriptor>

    init(first: Int, end: Int, entry: UnsafeMutablePointer<ChunkDescriptor>) {
        (self.first, self.end, next) = (first, end, first)
        unsafe self.entry = entry
    }

    /// Chunks that are done with.
    @usableFromInline var count: Int { next - first }
}
