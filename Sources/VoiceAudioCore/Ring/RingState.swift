import Synchronization

/// Chunks, frames and bytes that shared a fate. One thread at a time adds; any thread reads.
struct Tally: ~Copyable {
    let chunks = Atomic<Int>(0)
    let frames = Atomic<Int>(0)
    let bytes = Atomic<Int>(0)

    /// Adds for a single writer: no read-modify-write instruction.
    @_noLocks @_noAllocation
    func add(chunks: Int, frames: Int, bytes: Int) {
        self.chunks.store(self.chunks.load(ordering: .relaxed) &+ chunks, ordering: .relaxed)
        self.frames.store(self.frames.load(ordering: .relaxed) &+ frames, ordering: .relaxed)
        self.bytes.store(self.bytes.load(ordering: .relaxed) &+ bytes, ordering: .relaxed)
    }

    /// Adds where several threads may.
    @_noLocks @_noAllocation
    func addShared(chunks: Int, frames: Int, bytes: Int) {
        self.chunks.wrappingAdd(chunks, ordering: .relaxed)
        self.frames.wrappingAdd(frames, ordering: .relaxed)
        self.bytes.wrappingAdd(bytes, ordering: .relaxed)
    }

    var count: AudioCount {
        AudioCount(
            chunks: chunks.load(ordering: .relaxed), frames: frames.load(ordering: .relaxed),
            bytes: bytes.load(ordering: .relaxed))
    }
}

/// What the producer keeps. Written by the producer alone; relaxed unless said otherwise.
struct ProducerState: ~Copyable {
    let isTaken = Atomic<Bool>(false)
    /// The end of the newest chunk, over all bytes ever, and the same place within the memory.
    let byteEnd = Atomic<Int>(0)
    let offsetEnd = Atomic<Int>(0)
    /// The end of what the producer may be writing: fenced against `writeLimit`.
    let reservedEnd = Atomic<Int>(0)
    /// Where the chunk being filled starts, over all bytes and within the memory.
    let reservedStart = Atomic<Int>(0)
    let reservedOffset = Atomic<Int>(0)
    /// The end of the memory that was written since pages were last given back. Set to 0 by who gives them back; should the
    /// producer not see that, the next to give back will mend it.
    let touchedEnd = Atomic<Int>(0)
    /// The tail as last seen: behind the true one or equal, so that room seen is room.
    let knownTail = Atomic<Int>(0)
    /// Where the bytes of the chunk at that tail start; the end of all bytes where there was none yet.
    let knownFirstByte = Atomic<Int>(0)
    let nextSequenceNumber = Atomic<Int>(0)
    let nextFramePosition = Atomic<Int>(0)
    /// Whether a place is reserved for a chunk that is being filled in place.
    let isFilling = Atomic<Bool>(false)
    /// Frames lost since the newest chunk, the kind that cost the most of them, and those of each cause by its code.
    let lossFrames = Atomic<Int>(0)
    let lossKind = Atomic<Int32>(0)
    let lossByCause = InlineArray<16, Atomic<Int>> { _ in Atomic(0) }

    let appended = Tally()
    let evicted = Tally()
    let skipped = Tally()
    /// By the index of the reason.
    let refusals = InlineArray<10, Tally> { _ in Tally() }
    let peakChunks = Atomic<Int>(0)
    let peakBytes = Atomic<Int>(0)
    private let reclaimedAt = Atomic<Int>(0)

    private let after = InlineArray<16, Int>(repeating: 0)

    /// As the consumer's.
    var bytesSinceReclaim: Int { byteEnd.load(ordering: .relaxed) - reclaimedAt.load(ordering: .relaxed) }

    func noteReclaim() { reclaimedAt.store(byteEnd.load(ordering: .relaxed), ordering: .relaxed) }
}

/// What the consumer keeps. Written by the consumer alone unless said otherwise; relaxed.
struct ConsumerState: ~Copyable {
    private let before = InlineArray<16, Int>(repeating: 0)
    let isTaken = Atomic<Bool>(false)
    /// Where the chunk after the last one handed out should start.
    let nextFramePosition = Atomic<Int>(0)
    /// The end of the last chunk handed out, over all bytes ever.
    let byteEnd = Atomic<Int>(0)
    /// Where `byteEnd` was when pages were last given back on the way. Written by any thread, as the producer's.
    private let reclaimedAt = Atomic<Int>(0)
    /// The frame position of the last evicted or cleared chunk that told of an estimated loss. Written by any thread.
    let inexactTo = Atomic<Int>(0)
    let delivered = Tally()
    /// Thrown away by `removeAll`, from any thread.
    let cleared = Tally()
    /// The frame position behind the last chunk that `removeAll` threw away.
    let clearedTo = Atomic<Int>(0)

    /// Bytes that went by since pages were last given back: each side looks at its own, as the other's is on another core.
    var bytesSinceReclaim: Int { byteEnd.load(ordering: .relaxed) - reclaimedAt.load(ordering: .relaxed) }

    func noteReclaim() { reclaimedAt.store(byteEnd.load(ordering: .relaxed), ordering: .relaxed) }
}
