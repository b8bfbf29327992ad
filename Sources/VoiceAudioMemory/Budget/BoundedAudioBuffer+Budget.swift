public import VoiceAudioCore

extension BoundedAudioBuffer {
    /// Makes an empty ring whose memory is taken from `budget`, to the byte, until the ring goes.
    ///
    /// A ring that a `Recording` was made of goes with the recording.
    ///
    /// - Parameters:
    ///   - maxChunks: The most chunks it holds, 1 to 2³⁰.
    ///   - maxBytes: The most bytes of samples it holds, 1 to 2⁴⁰.
    ///   - overflow: What happens to chunks that do not fit.
    ///   - format: The shape of the frames: chunks must be whole frames then. Without it a frame is a byte.
    ///   - maxChunkBytes: The largest chunk there will be, where known: the ring may then need less memory.
    ///   - clock: What waits and `.block` go by.
    ///   - budget: Where its ``allocatedBytes`` are taken from.
    ///   - purpose: What the budget's report calls it.
    /// - Throws: ``AudioError`` with code `budgetExceeded`, `invalidConfiguration` or `outOfResources`; nothing stays
    ///   taken or allocated then.
    public convenience init(
        maxChunks: Int, maxBytes: Int, overflow: OverflowPolicy = .original, format: AudioFormat? = nil,
        maxChunkBytes: Int? = nil, clock: any AudioClock = SystemClock(), budget: MemoryBudget,
        purpose: String = "ring"
    ) throws(AudioError) {
        try self.init(
            maxChunks: maxChunks, maxBytes: maxBytes, overflow: overflow, format: format, maxChunkBytes: maxChunkBytes,
            clock: clock
        ) { (byteCount) throws(AudioError) in try budget.reserve(byteCount, for: purpose) }
    }
}
