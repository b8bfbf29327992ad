import CLinux
public import VoiceAudioCore

/// A WAV file that exists for as long as the body of `withTemporaryWAV` runs, readable by its user alone.
///
/// It is complete before the body runs, and gone when the body is left in whatever way: return, error, cancellation, or
/// the end of the process, SIGKILL included.
///
/// One in a file of a ``TemporaryStoragePool`` is not to be reached any more when the body is left; its bytes stay until they
/// are written over or the file is dropped.
///
/// > Concurrency: Any number at once, in any number of threads and processes; they never collide.
public struct TemporaryWAV: ~Copyable {
    /// Opens the file in this program or another.
    ///
    /// Without `named: true` this is `/proc/PID/fd/N`, which processes of the same user in the same PID namespace can open
    /// (a container has a namespace of its own). It has no `.wav` suffix: pass `named: true` for a program that wants one.
    public var path: String { file.path }

    /// The open file, its offset at 0, for reading in this process. Closed after the body: duplicate it to keep it.
    public var descriptor: Int32 { file.descriptor.number }

    /// Bytes of the file, header included.
    public let byteCount: Int

    /// The shape of its frames; `nil` where the bytes of a WAV file were given that holds another encoding, such as µ-law.
    public let format: AudioFormat?

    private let file: TemporaryFile

    /// What must stay free on the disk where nothing else is said: 1 GiB, as `VOICE_AUDIO_MIN_FREE_DISK_MB` has it.
    public static let defaultMinimumFreeBytes = TemporaryPlace.defaultMinimumFreeBytes

    /// Writes frames.
    ///
    /// - Parameters:
    ///   - format: The shape of the frames.
    ///   - place: Where to write.
    ///   - byteCount: Bytes of frames that are to come, as far as is known: checked against the free space.
    ///   - write: Hands the frames to the writer, in any number of pieces.
    /// - Throws: `unsupportedFormat`, `diskFull`, `fileTooLarge`, `notWritable`, `permissionDenied`, `outOfResources`,
    ///   or what `write` throws.
    package init(
        format: AudioFormat, in place: TemporaryPlace, byteCount: Int,
        writing write: (WAVWriter) throws(AudioError) -> Void
    ) throws(AudioError) {
        let file = try TemporaryFile(in: place, toWrite: byteCount)
        try self.init(format: format, in: place, file: file, byteCount: byteCount, writing: write)
    }

    /// Writes frames to a file that is there, over what it holds.
    ///
    /// - Throws: As `init(format:in:byteCount:writing:)`.
    init(
        format: AudioFormat, in place: TemporaryPlace, file: consuming TemporaryFile, byteCount: Int,
        writing write: (WAVWriter) throws(AudioError) -> Void
    ) throws(AudioError) {
        let written = try Self.write(
            to: file, name: Self.name(in: place), format: format, byteCount: byteCount, write)
        try self.init(file, byteCount: written, format: format, in: place)
    }

    /// Writes the frames; the bytes of the file. The writer is gone on return, before the file can be.
    private static func write(
        to file: borrowing TemporaryFile, name: String, format: AudioFormat, byteCount: Int,
        _ write: (WAVWriter) throws(AudioError) -> Void
    ) throws(AudioError) -> Int {
        let writer = try WAVWriter(
            descriptor: file.descriptor.number, name: name, format: format, expectedByteCount: byteCount)
        try write(writer)
        try writer.finish()
        return writer.byteCount
    }

    /// Writes a WAV file as it is.
    ///
    /// - Throws: `unreadableFile` where the bytes are no WAV file; `diskFull`, `notWritable`, `permissionDenied` or
    ///   `outOfResources`.
    package init(wavBytes: [UInt8], in place: TemporaryPlace) throws(AudioError) {
        let format = try Self.format(ofWAVBytes: wavBytes)
        try self.init(
            wavBytes: wavBytes, format: format, in: place, file: TemporaryFile(in: place, toWrite: wavBytes.count))
    }

    /// The shape of the frames of a WAV file.
    ///
    /// - Throws: `unreadableFile` where the bytes are no WAV file.
    static func format(ofWAVBytes wavBytes: [UInt8]) throws(AudioError) -> AudioFormat? {
        try SoundFileReader(wavBytes: wavBytes, name: "the WAV file's bytes").wavFormat()
    }

    /// Writes a WAV file to a file that is there, over what it holds.
    ///
    /// - Throws: `diskFull`, `notWritable` or `outOfResources`.
    init(
        wavBytes: [UInt8], format: AudioFormat?, in place: TemporaryPlace, file: consuming TemporaryFile
    ) throws(AudioError) {
        let bytes = SoundFileBytes(name: Self.name(in: place), writing: file.descriptor.number)
        // SAFETY: the array outlives the call.
        let written = unsafe wavBytes.withUnsafeBytes { unsafe bytes.write($0) }
        guard written == wavBytes.count else { throw AudioError(writing: bytes.name, status: bytes.status) }
        try self.init(file, byteCount: written, format: format, in: place)
    }

    /// Ends the file behind what was written: it may have been longer.
    private init(
        _ file: consuming TemporaryFile, byteCount: Int, format: AudioFormat?, in place: TemporaryPlace
    ) throws(AudioError) {
        do throws(SystemFailure) {
            if file.isOpenedAnew, file.descriptor.information.st_size > byteCount {
                try file.descriptor.truncate(to: byteCount)
            }
        } catch {
            throw AudioError(writing: Self.name(in: place), status: error.status)
        }
        self.file = file
        self.byteCount = byteCount
        self.format = format
    }

    private static func name(in place: TemporaryPlace) -> String { "temporary WAV in \(place.directory)" }

    /// Removes the named temporary files that processes of this user left behind when they were killed.
    ///
    /// The first named temporary file of a process does this by itself. Files in use are left alone, whichever process
    /// uses them.
    ///
    /// - Parameter directory: Where temporary files go; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    /// - Returns: Files removed.
    /// - Throws: `permissionDenied`, `notWritable` or `outOfResources`.
    @discardableResult
    public static func removeStale(in directory: String? = nil) throws(AudioError) -> Int {
        try PrivateDirectory(in: TemporaryPlace(named: true, directory: directory)).removeStale()
    }
}
