import Synchronization

/// The mechanics of the ring: positions, descriptors, memory. No lock, no waiting, no allocation after `init`.
///
/// A byte ring over memory mapped twice, and a second ring of descriptors, ruled by two growing positions: `head`
/// (chunks published, the producer's) and `tail` (chunks gone, moved by compare-and-swap by whoever takes or evicts the
/// oldest; its lowest bit says that the oldest is borrowed). Whether there is a chunk at `tail`, its descriptor says: the
/// consumer reads that anyhow, and `head` would be one more cache line that goes from core to core. One producer and one
/// consumer at a time: who that is, the holder sees to. A noncopyable value and not a class, so that its methods count no
/// references.
struct Ring: ~Copyable, Sendable {
    let maxChunks: Int
    let maxBytes: Int
    let overflow: OverflowPolicy
    let bytesPerFrame: Int
    /// The largest chunk that can be filled in place; 0 where the ring was made without.
    let chunkLimit: Int
    /// The largest chunk that is accepted: `chunkLimit`, or what a descriptor can tell of.
    let largestChunk: Int
    /// Whether a rule waits for room: then a consumer looks for waiting producers.
    let mayBlock: Bool
    /// The loss that evictions and refusals are to a consumer.
    let evictionCause: AudioLoss.Cause
    let refusalCause: AudioLoss.Cause
    /// Whether its consumer samples: what it evicts or refuses is left out on purpose, and no loss.
    let isSampled: Bool

    /// A fork has neither the memory nor whoever works on the ring.
    let owner = OwningProcess()
    let memory: RingMemory
    let descriptors: DescriptorTable

    /// Chunks published. Written by the producer alone.
    let head = CacheLine()
    /// Chunks gone × 2, plus 1 while the oldest is borrowed.
    let tail = CacheLine()
    let producer = ProducerState()
    let consumer = ConsumerState()
    /// A byte position that the producer may not write beyond, while pages behind it are given back.
    let writeLimit = CacheLine(.max)
    let waiting = WaitState()
    /// The producer's side of what it agrees on with waiting consumers and with who gives pages back.
    let fence = AsymmetricFence()

    /// - Throws: `outOfResources`.
    init(
        maxChunks: Int, maxBytes: Int, overflow: OverflowPolicy, bytesPerFrame: Int, chunkLimit: Int,
        evictionCause: AudioLoss.Cause, refusalCause: AudioLoss.Cause, isSampled: Bool
    ) throws(AudioError) {
        let memory = try RingMemory(
            atLeast: Self.sampleBytes(maxChunks: maxChunks, maxBytes: maxBytes, chunkLimit: chunkLimit))
        let descriptors = try DescriptorTable(count: maxChunks)
        self.maxChunks = maxChunks
        self.maxBytes = maxBytes
        self.overflow = overflow
        self.bytesPerFrame = bytesPerFrame
        self.chunkLimit = chunkLimit
        largestChunk = chunkLimit > 0 ? chunkLimit : ChunkDescriptor.maxByteCount
        self.evictionCause = evictionCause
        self.refusalCause = refusalCause
        self.isSampled = isSampled
        mayBlock = overflow.longestWait != nil
        self.memory = memory
        self.descriptors = descriptors
    }

    /// Bytes of memory taken, touched or not.
    var allocatedBytes: Int { memory.capacity + descriptors.byteCount }

    /// Chunks and bytes held at one and the same instant.
    var fill: (chunks: Int, bytes: Int) {
        while true {
            let tail = tail.word.load(ordering: .acquiring) >> 1
            let head = head.word.load(ordering: .acquiring)
            guard head > tail else { return (0, 0) }
            // SAFETY: entries are atomic; what they say counts only if no position moved while we looked.
            let first = unsafe entry(at: tail).pointee.byteStart.load(ordering: .relaxed)
            let last = unsafe entry(at: head - 1)
            let end =
                unsafe last.pointee.byteStart.load(ordering: .relaxed)
                + Int(last.pointee.byteCount.load(ordering: .relaxed))
            atomicMemoryFence(ordering: .acquiring)
            if self.tail.word.load(ordering: .relaxed) >> 1 == tail, self.head.word.load(ordering: .relaxed) == head {
                return (head - tail, end - first)
            }
        }
    }

    /// The stream position of the oldest chunk's first frame; `nil` where the ring is empty.
    var oldestFramePosition: Int? {
        while true {
            let tail = tail.word.load(ordering: .acquiring) >> 1
            guard head.word.load(ordering: .acquiring) > tail else { return nil }
            // SAFETY: an atomic entry; what it says counts only if the tail did not move while we looked.
            let position = unsafe entry(at: tail).pointee.framePosition.load(ordering: .relaxed)
            atomicMemoryFence(ordering: .acquiring)
            if self.tail.word.load(ordering: .relaxed) >> 1 == tail { return position }
        }
    }

    /// The descriptor of the chunk at `position`, a place in the whole stream of published chunks.
    @_noLocks @_noAllocation
    func entry(at position: Int) -> UnsafeMutablePointer<ChunkDescriptor> {
        // SAFETY: within the table; who may read or write the entry is said where it is used.
        unsafe descriptors.entry(at: position)
    }
}
