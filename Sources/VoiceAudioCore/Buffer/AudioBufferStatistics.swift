import Synchronization

/// A number of chunks, and the frames and bytes in them.
public struct AudioCount: Sendable, Hashable, Codable {
    /// Chunks, whole or short.
    public var chunks: Int
    /// Frames in them; bytes where the ring has no format.
    public var frames: Int
    /// Bytes in them.
    public var bytes: Int

    /// A count of the values given.
    public init(chunks: Int = 0, frames: Int = 0, bytes: Int = 0) {
        self.chunks = chunks
        self.frames = frames
        self.bytes = bytes
    }

    /// Both together.
    public static func + (left: Self, right: Self) -> Self {
        Self(chunks: left.chunks + right.chunks, frames: left.frames + right.frames, bytes: left.bytes + right.bytes)
    }
}

/// What went through a ring, since it was made.
///
/// When nobody is at work on the ring, `appended` is the sum of `delivered`, `evicted`, `cleared` and what is held.
public struct AudioBufferStatistics: Sendable {
    /// Stored.
    public var appended: AudioCount
    /// Taken out by a consumer.
    public var delivered: AudioCount
    /// Dropped to make room.
    public var evicted: AudioCount
    /// Thrown away by `removeAll`.
    public var cleared: AudioCount
    /// Left out on purpose before they came here, for a listener that samples.
    public var skipped: AudioCount
    /// Refused, by the index of the reason.
    var refusals: InlineArray<10, AudioCount>
    /// The most chunks ever held.
    public var peakChunks: Int
    /// The most bytes ever held.
    public var peakBytes: Int

    /// Refused, all reasons together.
    public var refused: AudioCount {
        var sum = AudioCount()
        for index in refusals.indices { sum = sum + refusals[index] }
        return sum
    }

    /// Refused for `reason`.
    public func refused(because reason: RefusalReason) -> AudioCount { refusals[reason.index] }
}

extension RefusalReason {
    /// The place of a reason in a table.
    var index: Int {
        @_noLocks @_noAllocation
        get {
            switch self {
            case .largerThanByteCap: 0
            case .largerThanChunkLimit: 1
            case .chunkCap: 2
            case .byteCap: 3
            case .oldestBorrowed: 4
            case .blockedTooLong: 5
            case .reclaiming: 6
            case .partialFrame: 7
            case .endTaken: 8
            case .closed: 9
            }
        }
    }
}

extension BoundedAudioBuffer {
    /// What went through the ring so far.
    ///
    /// > Concurrency: Safe from any thread; counts of one instant only while nobody is at work on the ring.
    ///
    /// > Real-time: Safe: loads only, in nanoseconds.
    public var statistics: AudioBufferStatistics {
        AudioBufferStatistics(
            appended: ring.producer.appended.count, delivered: ring.consumer.delivered.count,
            evicted: ring.producer.evicted.count, cleared: ring.consumer.cleared.count,
            skipped: ring.producer.skipped.count,
            refusals: InlineArray { ring.producer.refusals[$0].count },
            peakChunks: ring.producer.peakChunks.load(ordering: .relaxed),
            peakBytes: ring.producer.peakBytes.load(ordering: .relaxed))
    }
}
