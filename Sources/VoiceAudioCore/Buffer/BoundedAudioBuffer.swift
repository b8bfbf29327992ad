/// A ring of audio chunks that cannot outgrow its caps: realtime-safe, wait-free for the producer, zero-copy to read.
///
/// At every instant it holds at most `maxChunks` chunks and `maxBytes` bytes. What happens to a chunk that does not fit
/// is the ``OverflowPolicy``'s choice, and is counted. Chunks may differ in size.
///
/// **How.** A byte ring over memory mapped twice, so that every chunk, and the whole content, is contiguous, and a ring
/// of 64-byte descriptors. All counts are differences of growing positions: they cannot drift. The oldest chunk can be
/// borrowed in place; a producer that would have to evict it refuses the arriving chunk instead of waiting.
///
/// **Ends.** The plain methods take a lock per end and can be called from any thread. ``takeProducer()`` and
/// ``takeConsumer()`` hand an end to one owner, who pays no lock; the plain methods of a taken end then refuse.
///
/// **Forks.** A fork of the process (without exec) does not have the audio. There every call that would change the ring or
/// take from it is refused, as `closed` or with `invalidState`; dropping it is harmless.
///
/// > Concurrency: Safe from any thread. One producer and one consumer work at the same time without locks.
///
/// > Real-time: ``Producer`` is safe, but under ``OverflowPolicy/Rule/block(_:)``. The rest is not.
public final class BoundedAudioBuffer: Sendable {
    /// The most chunks it holds.
    public var maxChunks: Int { ring.maxChunks }
    /// The most bytes of samples it holds.
    public var maxBytes: Int { ring.maxBytes }
    /// What happens to chunks that do not fit.
    public var overflow: OverflowPolicy { ring.overflow }
    /// The shape of the frames; `nil` where the ring was made without one: then a frame is a byte.
    public let format: AudioFormat?

    package let clock: any AudioClock
    let ring: Ring
    /// Serialises the plain methods of the producer's end.
    let producerLock = Lock(())
    /// Serialises the plain methods of the consumer's end.
    let consumerLock = Lock(())
    let reclaimLock = Lock(())
    /// What somebody above took for the ring, such as a part of a budget: it goes with the ring.
    private let reservation: (any Sendable)?

    /// Makes an empty ring.
    ///
    /// - Parameters:
    ///   - maxChunks: The most chunks it holds, 1 to 2³⁰.
    ///   - maxBytes: The most bytes of samples it holds, 1 to 2⁴⁰.
    ///   - overflow: What happens to chunks that do not fit.
    ///   - format: The shape of the frames: chunks must be whole frames then. Without it a frame is a byte.
    ///   - maxChunkBytes: The largest chunk there will be, where known: the memory is then sized by
    ///     `maxChunks` × `maxChunkBytes` where that is less than `maxBytes`, plus one chunk that is being filled. A ring
    ///     that a ``Producer`` feeds and that evicts instead of being read should be given it: else it walks through
    ///     `maxBytes` of memory, as a producer that makes no system calls cannot give pages back.
    ///   - clock: What waits and `.block` go by.
    /// - Throws: ``AudioError`` with code `invalidConfiguration` or `outOfResources`.
    public convenience init(
        maxChunks: Int, maxBytes: Int, overflow: OverflowPolicy = .original, format: AudioFormat? = nil,
        maxChunkBytes: Int? = nil, clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        try self.init(
            maxChunks: maxChunks, maxBytes: maxBytes, overflow: overflow, format: format, maxChunkBytes: maxChunkBytes,
            clock: clock
        ) { _ in nil }
    }

    /// As the public one; a subscriber's ring calls its own drops a consumer's lag.
    ///
    /// - Parameters:
    ///   - isSampled: Whether drops are no loss, but left out on purpose: the newest chunk is wanted, not each.
    ///   - reserving: Gets the bytes of memory taken, of which none was touched yet. What it returns is kept as long as the
    ///     ring; where it throws, the memory goes again.
    package init(
        maxChunks: Int, maxBytes: Int, overflow: OverflowPolicy, format: AudioFormat?, maxChunkBytes: Int?,
        clock: any AudioClock, evictionCause: AudioLoss.Cause = .ringEvicted,
        refusalCause: AudioLoss.Cause = .ringRefused, isSampled: Bool = false,
        reserving: (_ byteCount: Int) throws(AudioError) -> (any Sendable)?
    ) throws(AudioError) {
        try Self.validate(maxChunks, "maxChunks", in: 1...(1 << 30))
        try Self.validate(maxBytes, "maxBytes", in: 1...(1 << 40))
        if let maxChunkBytes { try Self.validate(maxChunkBytes, "maxChunkBytes", in: 1...ChunkDescriptor.maxByteCount) }
        self.format = format
        self.clock = clock
        ring = try Ring(
            maxChunks: maxChunks, maxBytes: maxBytes, overflow: overflow, bytesPerFrame: format?.bytesPerFrame ?? 1,
            chunkLimit: maxChunkBytes ?? 0, evictionCause: evictionCause, refusalCause: refusalCause,
            isSampled: isSampled)
        reservation = try reserving(ring.allocatedBytes)
    }

    private static func validate(_ value: Int, _ name: String, in range: ClosedRange<Int>) throws(AudioError) {
        guard !range.contains(value) else { return }
        throw AudioError(
            .invalidConfiguration, "\(name) is \(value): accepted are \(range.lowerBound) to \(range.upperBound)")
    }

    /// Chunks held. The chunk being filled is not among them.
    ///
    /// > Real-time: Safe: a handful of loads.
    public var count: Int { ring.fill.chunks }

    /// Bytes of samples held.
    ///
    /// > Real-time: Safe: a handful of loads.
    public var byteCount: Int { ring.fill.bytes }

    /// Chunks and bytes held, both at the same instant.
    public var fill: (chunks: Int, bytes: Int) { ring.fill }

    /// The stream position of the oldest chunk's first frame; `nil` where the ring is empty.
    public var oldestFramePosition: Int? { ring.oldestFramePosition }

    /// Bytes of memory taken for samples and descriptors, touched or not. Never more than ``allocationLimitBytes``.
    public var allocatedBytes: Int { ring.allocatedBytes }

    /// The largest chunk that the ring takes, in bytes.
    package var maxChunkBytes: Int { ring.largestChunk }

    /// `maxBytes` + one chunk + 64 bytes × `maxChunks` + 64 KiB.
    public var allocationLimitBytes: Int { maxBytes + ring.chunkLimit + 64 * maxChunks + 64 * 1024 }

    /// Whether its reader samples: then what it evicts or refuses is left out on purpose, and no loss.
    package var isSampled: Bool { ring.isSampled }

    /// Bytes of samples' memory that the system really gave, as the kernel counts them.
    ///
    /// - Complexity: O(pages).
    public var residentBytes: Int { ring.memory.residentBytes }
}
