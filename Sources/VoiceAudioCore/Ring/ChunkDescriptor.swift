import Glibc
import Synchronization

/// What the ring keeps of one chunk: 64 bytes.
///
/// Every field is atomic, so that an observer may look while the producer writes; it then checks that the ring's
/// positions did not move, and throws away what it saw if they did. Accesses are relaxed: `head` and `tail` publish.
struct ChunkDescriptor: ~Copyable {
    /// The chunk's first byte, counted over all bytes that ever passed through the ring.
    let byteStart: Atomic<Int>
    /// The same place within the memory.
    let byteOffset: Atomic<Int>
    let byteCount: Atomic<Int>
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
}
