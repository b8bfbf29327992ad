package import VoiceAudioCore

/// Writes a WAV file: frames bit for bit, behind a header that is valid from the start on.
///
/// > Concurrency: One thread at a time.
package final class WAVWriter: SoundFileWriting {
    /// What becomes of a file that reaches 4 GiB.
    package enum Growth {
        /// It is full: the header is the shortest, 44 bytes where samples are integers.
        case plain
        /// It goes on as RF64.
        case toRF64
    }

    /// How the frames are stored.
    package let format: AudioFormat
    package private(set) var frameCount = 0

    private let bytes: SoundFileBytes
    private let dataOffset: Int
    private let growth: Growth
    private var header: WAVHeader
    /// Bytes of frames that the header in the file tells of.
    private var toldByteCount: Int
    private var isFinished = false
    private var failure: AudioError?

    /// The most bytes that a WAV file can have: its size fields have 32 bits, of which all set means "unknown".
    package static let plainByteLimit = Int(UInt32.max) - 1

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - descriptor: An empty file, open for reading and writing; stays open until after ``finish()``.
    ///   - name: What messages call the file.
    ///   - format: How the frames are stored.
    ///   - growth: What becomes of a file that reaches the limit.
    ///   - expectedByteCount: Bytes of frames that are to come, where nobody reads the file before it is finished: the
    ///     header tells of them from the start, and need not be written again where they come.
    ///   - plainByteLimit: The most bytes that a file with 32-bit sizes may have.
    /// - Throws: `unsupportedFormat`, `diskFull`, `notWritable` or `outOfResources`.
    package init(
        descriptor: Int32, name: String, format: AudioFormat, growth: Growth = .plain, expectedByteCount: Int = 0,
        plainByteLimit: Int = WAVWriter.plainByteLimit
    ) throws(AudioError) {
        try RecordingFileType.wav.check(format)
        self.format = format
        self.growth = growth
        header = WAVHeader(format, hasRoomToGrow: growth == .toRF64, plainByteLimit: plainByteLimit)
        toldByteCount = expectedByteCount <= header.plainDataLimit ? expectedByteCount : 0
        if toldByteCount > 0 { header.setDataByteCount(toldByteCount) }
        bytes = SoundFileBytes(name: name, writing: descriptor)
        dataOffset = header.bytes.count
        // SAFETY: the header lives through the call.
        _ = unsafe header.bytes.withUnsafeBytes { unsafe bytes.write($0) }
        try check()
    }

    deinit { try? finish() }

    package var byteCount: Int { bytes.byteCount }

    package var isReadable: Bool { true }

    package var refusedByteCount: Int { bytes.refusedByteCount }

    package func byteCountLimit(afterWriting frameCount: Int) -> Int {
        let dataByteCount = (self.frameCount + frameCount) * format.bytesPerFrame
        return dataOffset + dataByteCount + dataByteCount % 2
    }

    package func write(_ frames: RawSpan) throws(AudioError) {
        if let failure { throw failure }
        guard !isFinished else { throw AudioError(finished: bytes.name) }
        try frames.requireWholeFrames(of: format)
        let bytesPerFrame = format.bytesPerFrame
        var fitting = frames.byteCount
        if growth == .plain {
            let room = header.plainDataLimit - frameCount * bytesPerFrame
            fitting = min(fitting, room / bytesPerFrame * bytesPerFrame)
        }
        // SAFETY: the span lives through the call.
        let written = unsafe frames.extracting(first: fitting).withUnsafeBytes { unsafe bytes.write($0) }
        frameCount += written / bytesPerFrame
        // A part of a frame may have fitted too.
        if written < fitting { bytes.truncate(to: dataOffset + frameCount * bytesPerFrame) }
        if written < frames.byteCount { writeHeader() }
        try check()
        if written < fitting { try fail(AudioError(.notWritable, "\"\(bytes.name)\" took only a part")) }
        if fitting < frames.byteCount {
            try fail(AudioError(.fileTooLarge, "\"\(bytes.name)\" is full: a plain WAV file holds 4 GiB"))
        }
    }

    package func updateHeader() throws(AudioError) {
        if let failure { throw failure }
        // The descriptor may be closed by now, and its number another file's.
        guard !isFinished else { return }
        writeHeader()
        try check()
    }

    package func finish() throws(AudioError) {
        if !isFinished {
            isFinished = true
            if frameCount * format.bytesPerFrame % 2 == 1 && failure == nil { writePadByte() }
            writeHeader()
        }
        if let failure { throw failure }
        try check()
    }

    private func writePadByte() {
        let pad: [UInt8] = [0]
        // SAFETY: the array lives through the call.
        _ = unsafe pad.withUnsafeBytes { unsafe bytes.write($0) }
    }

    private func writeHeader() {
        let byteCount = frameCount * format.bytesPerFrame
        guard byteCount != toldByteCount else { return }
        header.setDataByteCount(byteCount)
        if bytes.overwrite(header.bytes, at: 0) { toldByteCount = byteCount }
    }

    /// Throws what a system call beneath met.
    private func check() throws(AudioError) {
        if bytes.status != 0 { try fail(AudioError(writing: bytes.name, status: bytes.status)) }
    }

    private func fail(_ error: AudioError) throws(AudioError) {
        failure = failure ?? error
        throw error
    }
}
