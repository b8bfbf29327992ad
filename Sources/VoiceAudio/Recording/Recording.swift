import Synchronization
public import VoiceAudioCore
public import VoiceAudioIO

/// What `stop()` hands back: the sound itself, where it was captured, and what is missing from it.
///
/// It holds the memory that the ring had, moved and not copied, until the last reference goes.
///
/// > Concurrency: Safe from any thread.
public final class Recording: Sendable {
    /// The shape of the frames.
    public let format: AudioFormat
    /// Frames held.
    public let frameCount: Int
    /// Every gap, and where it is.
    public let losses: LossLedger
    /// Frames of the beginning that are not there because the recording was longer than its caps.
    public let truncatedFrameCount: Int
    /// When the first frame was captured, on the monotonic clock; `nil` where nothing was captured.
    public let startTime: MonotonicInstant?
    /// The same as wall-clock time, in seconds since 1970.
    public let startSecondsSince1970: Double?
    /// What ended the capture early; `nil` where `stop()` did.
    public let failure: AudioError?

    private let content: FrozenAudio
    private let byteRange: Range<Int>
    private let temporaryDirectory: String?
    private let minimumFreeDiskBytes: Int

    init(
        of content: FrozenAudio, from start: Int, configuration: AudioConfiguration, wallClock: WallClock,
        failure: AudioError?
    ) {
        let range = RecordedRange(
            of: content, from: start, maxBytes: configuration.maxRecordingBytes, format: configuration.format)
        format = configuration.format
        frameCount = range.frameCount
        losses = range.losses
        truncatedFrameCount = range.truncatedFrameCount
        startTime = range.startTime
        startSecondsSince1970 = range.startTime.map(wallClock.secondsSince1970(at:))
        self.failure = failure
        self.content = content
        byteRange = range.byteRange
        temporaryDirectory = configuration.temporaryDirectory
        minimumFreeDiskBytes = configuration.minimumFreeDiskBytes
    }

    /// Bytes held.
    public var byteCount: Int { byteRange.count }

    /// How long the frames held last.
    public var duration: Duration { format.duration(ofFrames: frameCount) }

    /// Whether the beginning is missing because the recording was longer than its caps.
    public var isTruncated: Bool { truncatedFrameCount > 0 }

    /// Lends the samples' bytes in place, interleaved, little endian.
    ///
    /// - Complexity: O(1); copies nothing.
    public func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try content.withBytes { (bytes) throws(Failure) in try body(bytes.extracting(byteRange)) }
    }

    /// Lends the samples in place.
    ///
    /// - Parameters:
    ///   - type: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`; `UInt8` for the bytes of `s24`.
    ///   - body: Gets the interleaved samples.
    /// - Complexity: O(1); copies nothing.
    public func withSamples<Sample: BitwiseCopyable, Result, Failure: Error>(
        as type: Sample.Type, _ body: (Span<Sample>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withBytes { (bytes) throws(Failure) in try bytes.withSamples(as: type, body) }
    }

    /// How loud it is, over its whole length.
    public var level: AudioLevel {
        withBytes { bytes in
            // SAFETY: the span is valid for the length of the call.
            unsafe bytes.withUnsafeBytes { bytes in
                AudioLevel(bits: unsafe AudioLevel.measure(bytes, format: format.sampleFormat))
            }
        }
    }

    /// Writes a temporary WAV file and runs `body` with it; it is gone afterwards, whatever happens.
    ///
    /// It lies in the configuration's directory for temporary files, and leaves the disk space free that the
    /// configuration asks for. See ``TemporaryWAV``.
    ///
    /// - Parameters:
    ///   - named: Whether the file gets a name that ends in `.wav`; otherwise its path is `/proc/PID/fd/N`.
    ///   - mixToMono: Whether the channels are averaged into one.
    ///   - body: Gets the file, complete.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, as it is; ``AudioError`` with code `diskFull`, `notWritable`, `permissionDenied`,
    ///   `fileTooLarge` or `outOfResources`.
    public func withTemporaryWAV<Result: ~Copyable>(
        named: Bool = false, mixToMono: Bool = false, _ body: (borrowing TemporaryWAV) throws -> Result
    ) throws -> Result {
        let wav = try temporaryWAV(named: named, mixToMono: mixToMono)
        return try body(wav)
    }

    /// As `withTemporaryWAV`, for a body that suspends.
    public func withTemporaryWAV<Result: ~Copyable>(
        named: Bool = false, mixToMono: Bool = false, _ body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        let wav = try temporaryWAV(named: named, mixToMono: mixToMono)
        return try await body(wav)
    }

    /// Writes a WAV file to keep: beside `path`, synced, and then put in its place.
    ///
    /// A failure leaves an old file as it was, and nothing beside it.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - mixToMono: Whether the channels are averaged into one.
    /// - Throws: ``AudioError`` with code `notWritable`, `diskFull`, `fileTooLarge` or `outOfResources`.
    public func write(to path: String, mixToMono: Bool = false) throws(AudioError) {
        let mix = mixToMono ? MonoMix(of: format) : nil
        try WAVFile.write(
            to: path, format: mix?.format ?? format, byteCount: byteCount, minimumFreeBytes: minimumFreeDiskBytes
        ) { (writer) throws(AudioError) in try write(to: writer, mix: mix) }
    }

    private func temporaryWAV(named: Bool, mixToMono: Bool) throws(AudioError) -> TemporaryWAV {
        let place = TemporaryPlace(
            named: named, directory: temporaryDirectory, minimumFreeBytes: minimumFreeDiskBytes)
        let mix = mixToMono ? MonoMix(of: format) : nil
        return try TemporaryWAV(format: mix?.format ?? format, in: place, byteCount: byteCount) {
            (writer) throws(AudioError) in try write(to: writer, mix: mix)
        }
    }

    private func write(to writer: WAVWriter, mix: MonoMix?) throws(AudioError) {
        try withBytes { (bytes) throws(AudioError) in
            guard let mix else { return try writer.write(bytes) }
            try mix.forEachBlock(of: bytes) { (block) throws(AudioError) in try writer.write(block) }
        }
    }
}
