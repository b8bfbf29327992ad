/// What became of an appended chunk.
public enum AppendResult: Sendable, Hashable {
    /// It is in the ring.
    case stored
    /// It is in the ring, and this many of the oldest chunks went to make room.
    case storedAfterEvicting(Int)
    /// It is not in the ring; nothing else changed.
    case refused(RefusalReason)

    /// Whether the chunk is in the ring.
    public var isStored: Bool {
        switch self {
        case .stored, .storedAfterEvicting: true
        case .refused: false
        }
    }
}

/// Why a ring refused a chunk.
public enum RefusalReason: String, Sendable, Hashable, CaseIterable, Codable {
    /// The chunk alone is larger than the byte cap.
    case largerThanByteCap
    /// The chunk is larger than the largest chunk that the ring was made for, or than 1 GiB.
    case largerThanChunkLimit
    /// The ring holds its most chunks, and the rule there keeps the old ones.
    case chunkCap
    /// The ring's bytes would exceed the cap, and the rule there keeps the old ones.
    case byteCap
    /// The oldest chunk had to go and is borrowed.
    case oldestBorrowed
    /// There was no room until the deadline of `.block`.
    case blockedTooLong
    /// The place was among pages that the ring was just giving back to the system. What was evicted to make room for
    /// the chunk is gone all the same.
    case reclaiming
    /// The bytes are no whole number of frames, or none.
    case partialFrame
    /// Someone holds the producer's end.
    case endTaken
    /// The ring was closed, or belongs to the process of which this is a fork.
    case closed
}
