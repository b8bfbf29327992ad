import Glibc
import Synchronization

/// What the ring keeps of one chunk: 64 bytes.
///
/// Every field is atomic, so that an observer may look while the producer writes; it then checks that the ring's
/// positions did not move, and throws away what it saw if they did. Accesses are relaxed: `published`, `head` and `tail`
/// publish.
struct ChunkDescriptor: ~Copyable {
    /// The largest chunk that it can tell of.
    static var maxByteCount: Int { 1 << 30 }

    /// The chunk's first byte, counted over all bytes that ever passed through the ring.
    let byteStart: Atomic<Int>
    /// The same place within the memory.
    let byteOffset: Atomic<Int>
    let byteCount: Atomic<Int32>
    /// The lowest bits of one more than the chunk's position, from when it may be read: written last.
    let published: Atomic<UInt32>
    let frameCount: Atomic<Int32>
    /// The cause of `lossFrames` and whether they are exact: ``AudioLoss/kindCode``.
    let lossKind: Atomic<Int32>
    let sequenceNumber: Atomic<Int>
    let framePosition: Atomic<Int>
    /// Nanoseconds on the monotonic clock.
    let captureTime: Atomic<Int64>
    /// Frames missing before this chunk that the producer knows of.
    let lossFrames: Atomic<Int>
}

extension ChunkDescriptor {
    /// Publishes the chunk of a position: who sees that sees all that was written before.
    @_noLocks @_noAllocation
    func publish(_ position: Int) {
        published.store(UInt32(truncatingIfNeeded: position + 1), ordering: .releasing)
    }

    /// Whether the chunk of a position was published: also where a later one has taken its place since.
    @_noLocks @_noAllocation
    func isPublished(_ position: Int) -> Bool {
        let published = published.load(ordering: .acquiring)
        return Int32(bitPattern: published &- UInt32(truncatingIfNeeded: position + 1)) >= 0
    }
}

// Of a chunk that nobody writes over: borrowed, or evicted by the producer itself.
extension ChunkDescriptor {
    /// The loss before the chunk that its producer knew of.
    var toldLoss: AudioLoss? {
        @_noLocks @_noAllocation
        get {
            AudioLoss(
                frames: lossFrames.load(ordering: .relaxed), kindCode: lossKind.load(ordering: .relaxed))
        }
    }

    /// What a reader is told of the chunk, with what is missing before it.
    @inline(__always)
    func header(lossBefore: AudioLoss?, skippedBefore: Int = 0) -> AudioChunkHeader {
        AudioChunkHeader(
            sequenceNumber: sequenceNumber.load(ordering: .relaxed),
            framePosition: framePosition.load(ordering: .relaxed),
            frameCount: Int(frameCount.load(ordering: .relaxed)),
            captureTime: MonotonicInstant(nanoseconds: captureTime.load(ordering: .relaxed)),
            lossBefore: lossBefore, skippedBefore: skippedBefore)
    }
}

extension AudioLoss {
    /// Cause and exactness as one number, for a descriptor; 0 is none.
    var kindCode: Int32 {
        @_noLocks @_noAllocation
        get {
            let code: Int32 =
                switch cause {
                case .deviceOverrun: 1
                case .deviceGap: 2
                case .ringEvicted: 3
                case .ringRefused: 4
                case .consumerLag: 5
                case .cleanedUp: 6
                case .disk: 7
                case .recordingLimit: 8
                }
            return isExact ? code : code | 0x100
        }
    }

    /// The loss that a descriptor tells of; `nil` where there is none.
    @_noLocks @_noAllocation
    init?(frames: Int, kindCode: Int32) {
        guard frames > 0 else { return nil }
        let cause: Cause
        switch kindCode & 0xFF {
        case 1: cause = .deviceOverrun
        case 2: cause = .deviceGap
        case 3: cause = .ringEvicted
        case 4: cause = .ringRefused
        case 5: cause = .consumerLag
        case 6: cause = .cleanedUp
        case 7: cause = .disk
        default: cause = .recordingLimit
        }
        self.init(frames: frames, cause: cause, isExact: kindCode & 0x100 == 0)
    }
}

/// The ring's descriptors: zero-filled memory of their own, whose pages come when they are touched.
@safe
struct DescriptorTable: ~Copyable, Sendable {
    let count: Int
    let byteCount: Int
    // SAFETY: `count` entries, unmapped in deinit; all-zero is a valid value of every field.
    nonisolated(unsafe) private let entries: UnsafeMutablePointer<ChunkDescriptor>

    /// - Throws: `outOfResources`.
    init(count: Int) throws(AudioError) {
        let byteCount = RingMemory.roundedUpToPages(count * MemoryLayout<ChunkDescriptor>.stride)
        // SAFETY: anonymous memory is zero-filled and page-aligned, and nobody else has its address.
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw AudioError(systemCall: "mmap", status: errno)
        }
        self.count = count
        self.byteCount = byteCount
        unsafe entries = mapped.bindMemory(to: ChunkDescriptor.self, capacity: count)
    }

    deinit { unsafe munmap(entries, byteCount) }

    /// The descriptor of the chunk at `position`, a place in the whole stream of published chunks.
    @_noLocks @_noAllocation
    func entry(at position: Int) -> UnsafeMutablePointer<ChunkDescriptor> {
        // SAFETY: the remainder is within the table.
        unsafe entries + position % count
    }

    /// The descriptor of the chunk after that of `entry`.
    @_noLocks @_noAllocation
    func entry(after entry: UnsafeMutablePointer<ChunkDescriptor>) -> UnsafeMutablePointer<ChunkDescriptor> {
        // SAFETY: within the table.
        let next = unsafe entry + 1
        return unsafe next == entries + count ? entries : next
    }
}
