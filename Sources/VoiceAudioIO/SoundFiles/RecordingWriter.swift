import CLinux
import Glibc
public import VoiceAudioCore

/// Streams a recording of any length to a WAV file, in place and in constant memory.
///
/// The file is there, with a valid header, from the start on. The header is brought up to date at least once in each
/// second of audio, and by the first append after each second of time: a crash costs at most what came after that.
///
/// A fork of the process cannot write to it: calls throw `invalidState`, and the file is as its parent leaves it.
///
/// After an error the file is closed by ``finish()`` or the last reference, valid up to the last frame that fitted.
///
/// > Concurrency: One thread at a time: this object does not lock.
///
/// > Real-time: Not safe: writes to the disk.
public final class RecordingWriter {
    /// The file.
    public let path: String
    /// The shape of its frames.
    public let format: AudioFormat

    private let writer: SoundFileWriter
    private let owner = OwningProcess()
    private var file: OwnedDescriptor?
    private let minimumFreeBytes: Int
    private let clock: any AudioClock
    private var failure: AudioError?
    private var headerFrameCount = 0
    private var headerTime: MonotonicInstant
    private var diskCheckTime: MonotonicInstant

    /// Creates the file, or replaces a regular file, and writes the header.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - format: The shape of the frames.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk, looked at once a second: 1 GiB where nothing is said.
    ///   - clock: The clock of that second and of the header's.
    /// - Throws: `unsupportedFormat`, `notWritable`, `diskFull` or `outOfResources`. An old file is as it was, unless the
    ///   header itself did not fit.
    public init(
        path: String, format: AudioFormat, minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes,
        clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        try SndFileHandle.check(format)
        let target = try FileTarget(path)
        try target.directory.requireFree(minimumFreeBytes, at: path)
        let file = try withStatus(writing: path) { () throws(SystemFailure) in
            // Without O_NONBLOCK, opening a named pipe would wait for a reader.
            try OwnedDescriptor(
                opening: target.name, in: target.directory, O_RDWR | O_CREAT | O_NONBLOCK, mode: 0o666)
        }
        try file.information.requireRegularFile(at: path)
        try withStatus(writing: path) { () throws(SystemFailure) in
            try file.truncate(to: 0)
        }
        do throws(AudioError) {
            writer = try SoundFileWriter(descriptor: file.number, name: path, format: format)
        } catch {
            // Not even the header fitted.
            target.directory.unlink(target.name)
            throw error
        }
        self.path = path
        self.format = format
        self.file = consume file
        self.minimumFreeBytes = minimumFreeBytes
        self.clock = clock
        headerTime = clock.now
        diskCheckTime = headerTime
    }

    deinit { try? finish() }

    /// Frames in the file.
    public var frameCount: Int { writer.frameCount }

    /// Bytes of the file, header included.
    public var byteCount: Int { writer.byteCount }

    /// How long the recording is.
    public var duration: Duration { format.duration(ofFrames: frameCount) }

    /// Appends frames.
    ///
    /// - Parameter bytes: Whole frames, interleaved, little endian.
    /// - Throws: `diskFull` (nothing fits, or less than the minimum is free), `fileTooLarge` (a WAV file holds 4 GiB) or
    ///   `notWritable`; from then on the same error each time. `invalidConfiguration` where there is a part of a frame,
    ///   and `invalidState` after ``finish()``.
    /// - Complexity: O(*n*) in the bytes; allocates nothing.
    public func append(_ bytes: RawSpan) throws(AudioError) {
        try checkOwner()
        if let failure { throw failure }
        let now = clock.now
        let second = Duration.seconds(1)
        if diskCheckTime.duration(to: now) >= second {
            diskCheckTime = now
            try checkDisk()
        }
        try keepingFailure { () throws(AudioError) in try writer.write(bytes) }
        if frameCount - headerFrameCount >= format.sampleRateHz || headerTime.duration(to: now) >= second {
            try updateHeader()
        }
    }

    /// Appends a chunk: see ``append(_:)-(RawSpan)``.
    public func append(_ chunk: AudioChunk) throws(AudioError) {
        // SAFETY: the elements are plain bytes.
        try append(unsafe chunk.bytes.span.bytes)
    }

    /// Makes the header say what was appended, without waiting for the next append: for a source that pauses.
    ///
    /// - Throws: `diskFull` or `notWritable`, as ``append(_:)-(RawSpan)``.
    public func updateHeader() throws(AudioError) {
        try checkOwner()
        headerFrameCount = frameCount
        headerTime = clock.now
        try keepingFailure { () throws(AudioError) in try writer.updateHeader() }
    }

    /// Writes the last header, waits until all is on the disk, and closes the file. Twice is harmless.
    ///
    /// - Throws: The error that an append met, again; `diskFull` or `notWritable`. The file is closed all the same.
    public func finish() throws(AudioError) {
        try checkOwner()
        if file != nil {
            try? keepingFailure { () throws(AudioError) in try writer.finish() }
            try? keepingFailure { () throws(AudioError) in try sync() }
            file = nil
        }
        if let failure { throw failure }
    }

    private func checkOwner() throws(AudioError) { try owner.check("the recording \"\(path)\"") }

    private func sync() throws(AudioError) {
        try withStatus(writing: path) { () throws(SystemFailure) in
            try file?.sync()
        }
    }

    private func checkDisk() throws(AudioError) {
        do throws(AudioError) {
            try keepingFailure { () throws(AudioError) in try file?.requireFree(minimumFreeBytes, at: path) }
        } catch {
            // The header exists: this takes no space.
            try? updateHeader()
            throw error
        }
    }

    /// Keeps the first error that is the file's, not the caller's.
    private func keepingFailure(_ body: () throws(AudioError) -> Void) throws(AudioError) {
        do throws(AudioError) {
            try body()
        } catch {
            if failure == nil && error.code != .invalidConfiguration && error.code != .invalidState { failure = error }
            throw error
        }
    }
}
