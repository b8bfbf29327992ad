/// What is known of a chunk besides its samples.
public struct AudioChunkHeader: Sendable, Hashable {
    /// Chunks of the stream before this one, lost ones included.
    public var sequenceNumber: Int
    /// Frames of the stream before this chunk's first, lost ones included.
    public var framePosition: Int
    /// Frames in the chunk.
    public var frameCount: Int
    /// When the first frame was captured, on the monotonic clock.
    public var captureTime: MonotonicInstant
    /// What was lost between the chunk handed out before and this one; `nil` where nothing was.
    public var lossBefore: AudioLoss?
    /// Frames left out on purpose since the chunk handed out before, for a listener that samples; they are no loss.
    public var skippedBefore: Int

    /// A header of the values given, for chunks of your own.
    public init(
        sequenceNumber: Int, framePosition: Int, frameCount: Int, captureTime: MonotonicInstant,
        lossBefore: AudioLoss? = nil, skippedBefore: Int = 0
    ) {
        self.sequenceNumber = sequenceNumber
        self.framePosition = framePosition
        self.frameCount = frameCount
        self.captureTime = captureTime
        self.lossBefore = lossBefore
        self.skippedBefore = skippedBefore
    }
}

/// An owned copy of one chunk of audio: interleaved, little-endian samples and where they belong in the stream.
public struct AudioChunk: Sendable {
    /// Where the chunk belongs and what is missing before it.
    public let header: AudioChunkHeader

    /// The samples' bytes, interleaved, little endian.
    public let bytes: [UInt8]

    /// A chunk of your own: `bytes` are taken as they are, and should hold the header's frames.
    public init(header: AudioChunkHeader, bytes: [UInt8]) {
        self.header = header
        self.bytes = bytes
    }

    /// Copies a borrowed chunk.
    init(header: AudioChunkHeader, copying bytes: RawSpan) {
        self.header = header
        self.bytes = unsafe [UInt8](unsafeUninitializedCapacity: bytes.byteCount) { storage, count in
            // SAFETY: room for as many bytes as are copied.
            unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(storage).copyMemory(from: $0) }
            count = bytes.byteCount
        }
    }

    /// Chunks of the stream before this one, lost ones included.
    public var sequenceNumber: Int { header.sequenceNumber }
    /// Frames of the stream before this chunk's first, lost ones included.
    public var framePosition: Int { header.framePosition }
    /// Frames in the chunk.
    public var frameCount: Int { header.frameCount }
    /// Bytes in the chunk.
    public var byteCount: Int { bytes.count }
    /// When the first frame was captured, on the monotonic clock.
    public var captureTime: MonotonicInstant { header.captureTime }
    /// What was lost between the chunk handed out before and this one; `nil` where nothing was.
    public var lossBefore: AudioLoss? { header.lossBefore }
    /// Frames left out on purpose since the chunk handed out before, for a listener that samples; they are no loss.
    public var skippedBefore: Int { header.skippedBefore }

    /// Lends the samples in place.
    ///
    /// - Parameters:
    ///   - type: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`; `UInt8` for the bytes of `s24`.
    ///   - body: Gets the interleaved samples; a rest that does not fill a sample is left out.
    /// - Returns: What `body` returns.
    /// - Complexity: O(1); copies nothing.
    public func withSamples<Sample: BitwiseCopyable, Result, Failure: Error>(
        as type: Sample.Type, _ body: (Span<Sample>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: the bytes are initialised and plain.
        try unsafe bytes.span.bytes.withSamples(as: type, body)
    }
}

extension RawSpan {
    /// Lends the bytes as samples, leaving out a rest that does not fill one.
    package func withSamples<Sample: BitwiseCopyable, Result, Failure: Error>(
        as type: Sample.Type, _ body: (Span<Sample>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let count = byteCount / MemoryLayout<Sample>.stride
        // A misaligned start traps in the Span's initialiser; array storage and the chunks of a ring are aligned.
        let samples = Span<Sample>(_bytes: extracting(0..<count * MemoryLayout<Sample>.stride))
        return try body(samples)
    }
}
