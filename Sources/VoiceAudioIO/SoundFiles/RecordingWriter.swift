import Glibc
public import VoiceAudioCore

/// Streams a recording of any length to a file, in place and in constant memory.
///
/// The file can be read at every moment. It is there from the start, or with its first sound, a quarter of a second, where
/// it is Opus. Its header is brought up to date with each append that comes a tenth of a second
/// of audio after the last update. So a crash or SIGKILL costs that tenth of a second at most, and what an encoder holds
/// back: up to 4096 frames with FLAC, a quarter of a second with Opus. A power failure costs what the system has not yet
/// written to the disk, half a minute as a rule: only ``finish()`` waits for the disk.
///
/// A fork of the process cannot write to it: calls throw `invalidState`, and the file is as its parent leaves it.
///
/// After an error the file is closed by ``finish()`` or the last reference, valid up to the last frame that fitted.
///
/// > Concurrency: Safe from any thread: calls take turns. Whoever finishes the file, such as a session that ends or a
/// > shutdown hook, makes what is appended later throw `invalidState`.
///
/// > Real-time: Not safe: writes to the disk.
public final class RecordingWriter: @unchecked Sendable {
    // SAFETY: all that changes is touched under `lock` alone, by `init` and `deinit`, or in a fork, which has one thread.

    /// The file.
    public let path: String
    /// The shape of its frames.
    public let format: AudioFormat
    /// The type of the file, and its quality.
    public let type: RecordingFileType

    private let owner = OwningProcess()
    /// Taken by each call, as a shutdown hook may finish the file on a thread of its own.
    private let lock = Lock(())
    private let writer: any SoundFileWriting
    private var file: RecordingFile?
    private let minimumFreeBytes: Int
    private let clock: any AudioClock
    private var failure: AudioError?
    private let headerFrameInterval: Int
    private var headerFrameCount = 0
    private var headerTime: MonotonicInstant
    private var diskCheckTime: MonotonicInstant

    private static let headerInterval = Duration.milliseconds(100)
    private static let diskCheckInterval = Duration.seconds(1)

    /// Creates the file, or replaces a regular file, and writes the header.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - format: The shape of the frames.
    ///   - type: The type of the file; `nil` for that of its suffix, with the usual quality.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk, looked at once a second: 1 GiB where nothing is said.
    ///   - clock: The clock of that second and of the header's time.
    /// - Throws: `unsupportedFormat` (the type cannot hold the format), `invalidConfiguration` (the suffix or the quality
    ///   is none), `notWritable`, `diskFull` or `outOfResources`. An old file is as it was, unless the header itself did
    ///   not fit.
    public convenience init(
        path: String, format: AudioFormat, type: RecordingFileType? = nil,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes, clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        try self.init(
            path: path, format: format, type: type, replacesOld: true, minimumFreeBytes: minimumFreeBytes, clock: clock)
    }

    /// - Parameter replacesOld: Whether there may be a file already; if not, one is `notWritable` with status `EEXIST`.
    init(
        path: String, format: AudioFormat, type chosenType: RecordingFileType?, replacesOld: Bool,
        minimumFreeBytes: Int, clock: any AudioClock
    ) throws(AudioError) {
        if let chosenType { type = chosenType } else { type = try RecordingFileType(suffixOf: path) }
        try type.check(format)
        var file = try RecordingFile(path, replacesOld: replacesOld, minimumFreeBytes: minimumFreeBytes)
        do throws(AudioError) {
            writer = try type.startFile(descriptor: file.descriptor.number, name: path, format: format)
        } catch {
            file.remove()
            throw error
        }
        do throws(AudioError) {
            if writer.isReadable { try file.publish() }
        } catch {
            // While the descriptor is open.
            try? writer.finish()
            throw error
        }
        self.path = path
        self.format = format
        self.file = consume file
        self.minimumFreeBytes = minimumFreeBytes
        self.clock = clock
        headerFrameInterval = format.frameCount(in: Self.headerInterval)
        headerTime = clock.now
        diskCheckTime = headerTime
        Self.open.add(self)
    }

    deinit {
        try? finish()
        Self.open.remove(self)
    }

    /// Those that are not finished, for a shutdown hook.
    package static let open = WeakTable<RecordingWriter>()

    /// Whether there is nothing left to finish.
    package var isFinished: Bool { locked { file == nil } }

    /// Frames appended; after an error, those that are in the file.
    public var frameCount: Int { locked { writer.frameCount } }

    /// Bytes of the file so far, header included; what an encoder holds back is not.
    public var byteCount: Int { locked { writer.byteCount } }

    /// How long the recording is.
    public var duration: Duration { format.duration(ofFrames: frameCount) }

    /// The most bytes that the finished file has if `frameCount` frames more are appended.
    func byteCountLimit(afterAppending frameCount: Int) -> Int {
        locked { writer.byteCountLimit(afterWriting: frameCount) }
    }

    /// Appends frames.
    ///
    /// - Parameter bytes: Whole frames, interleaved, little endian.
    /// - Throws: `diskFull` (nothing fits, or less than the minimum is free), `fileTooLarge` (more than its file system
    ///   allows) or `notWritable`; from then on the same error each time. `invalidConfiguration` where there is a part of
    ///   a frame, and `invalidState` after ``finish()``.
    /// - Complexity: O(*n*) in the bytes; allocates nothing.
    public func append(_ bytes: RawSpan) throws(AudioError) {
        try checkOwner()
        try locked { () throws(AudioError) in try appendAlone(bytes) }
    }

    private func appendAlone(_ bytes: RawSpan) throws(AudioError) {
        if let failure { throw failure }
        let now = clock.now
        if diskCheckTime.duration(to: now) >= Self.diskCheckInterval {
            diskCheckTime = now
            try checkDisk()
        }
        try keepingFailure { () throws(AudioError) in
            try writer.write(bytes)
            if writer.isReadable { try file?.publish() }
        }
        if writer.frameCount - headerFrameCount >= headerFrameInterval
            || headerTime.duration(to: now) >= Self.headerInterval
        {
            try updateHeaderAlone()
        }
    }

    /// Appends a chunk: see ``append(_:)-(RawSpan)``.
    public func append(_ chunk: AudioChunk) throws(AudioError) {
        // SAFETY: the elements are plain bytes.
        try append(unsafe chunk.bytes.span.bytes)
    }

    /// Makes the header say what was appended, without waiting for the next append: for a source that pauses.
    ///
    /// What an encoder holds back is not in the file, whatever the header says; ``finish()`` writes it.
    ///
    /// - Throws: `diskFull` or `notWritable`, as ``append(_:)-(RawSpan)``.
    public func updateHeader() throws(AudioError) {
        try checkOwner()
        try locked { () throws(AudioError) in try updateHeaderAlone() }
    }

    private func updateHeaderAlone() throws(AudioError) {
        headerFrameCount = writer.frameCount
        headerTime = clock.now
        try keepingFailure { () throws(AudioError) in try writer.updateHeader() }
    }

    /// Writes the last header, waits until all is on the disk, and closes the file. Twice is harmless.
    ///
    /// - Throws: The error that an append met, again; `diskFull` or `notWritable`. The file is closed all the same.
    public func finish() throws(AudioError) {
        try checkOwner()
        try locked { () throws(AudioError) in try finishAlone() }
    }

    private func finishAlone() throws(AudioError) {
        if file != nil {
            try? keepingFailure { () throws(AudioError) in try writer.finish() }
            try? keepingFailure { () throws(AudioError) in
                // Also one without a frame, but not what had no room for a first one.
                if failure == nil || writer.isReadable { try file?.publish() }
                try sync()
            }
            file = nil
            Self.open.remove(self)
        }
        if let failure { throw failure }
    }

    /// Runs `body` alone. In a fork, which has no other thread, somebody who is not there may hold the lock.
    private func locked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        guard owner.isCurrent else { return try body() }
        return try lock.withLock { (_: inout ()) throws(Failure) in try body() }
    }

    private func checkOwner() throws(AudioError) { try owner.check("the recording \"\(path)\"") }

    private func sync() throws(AudioError) {
        try withStatus(writing: path) { () throws(SystemFailure) in
            try file?.descriptor.sync()
        }
    }

    private func checkDisk() throws(AudioError) {
        do throws(AudioError) {
            try keepingFailure { () throws(AudioError) in try file?.descriptor.requireFree(minimumFreeBytes, at: path) }
        } catch {
            // The header exists: this takes no space.
            try? updateHeaderAlone()
            throw error
        }
    }

    /// Keeps the first error that is the file's, not the caller's.
    private func keepingFailure(_ body: () throws(AudioError) -> Void) throws(AudioError) {
        do throws(AudioError) {
            try body()
        } catch {
            var error = error
            if error.status == ENOSPC && writer.refusedByteCount > 0 {
                error =
                    file?.descriptor.diskFullError(
                        minimumFreeBytes, afterWriting: writer.refusedByteCount, at: path) ?? error
            }
            if failure == nil && error.code != .invalidConfiguration && error.code != .invalidState { failure = error }
            throw error
        }
    }
}
