package import VoiceAudioCore

/// Writes a WAV file through a descriptor that belongs to the caller.
///
/// The header is valid from the start on, and says what had been written when it was last updated. The descriptor's
/// offset is neither used nor moved.
///
/// > Concurrency: One thread at a time.
package final class SoundFileWriter {
    /// How the frames are stored.
    package let format: AudioFormat
    /// Frames written.
    package private(set) var frameCount = 0

    private let bytes: SoundFileBytes
    private var handle: SndFileHandle?
    private let dataOffset: Int
    private let dataLimit: Int
    private var failure: AudioError?

    /// The most bytes that a WAV file can have: its size fields have 32 bits, of which all set means "unknown".
    package static let byteLimit = Int(UInt32.max) - 1

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - descriptor: An empty file, open for writing; stays open until after ``finish()``.
    ///   - name: What messages call the file.
    ///   - format: How the frames are stored.
    ///   - byteLimit: The most bytes that the file may have.
    /// - Throws: `unsupportedFormat`, `diskFull`, `notWritable` or `outOfResources`.
    package init(
        descriptor: Int32, name: String, format: AudioFormat, byteLimit: Int = SoundFileWriter.byteLimit
    ) throws(AudioError) {
        self.format = format
        bytes = SoundFileBytes(name: name, writing: descriptor)
        let handle = try SndFileHandle(writing: bytes, format: format)
        handle.updateHeader()
        self.handle = handle
        dataOffset = bytes.byteCount
        // A pad byte may follow the frames.
        dataLimit = byteLimit - dataOffset - 1
        try check()
    }

    deinit { close() }

    /// Bytes of the file so far, its header included.
    package var byteCount: Int { bytes.byteCount }

    /// Appends frames, bit for bit.
    ///
    /// After an error the file is valid up to the last frame that fitted, and every further write throws the same error.
    ///
    /// - Parameter frames: Whole frames, interleaved, little endian.
    /// - Throws: `diskFull`, `fileTooLarge` or `notWritable`; `invalidConfiguration` where `frames` has a part of a
    ///   frame, and `invalidState` after ``finish()``: then nothing was written.
    package func write(_ frames: RawSpan) throws(AudioError) {
        if let failure { throw failure }
        guard let handle else {
            throw AudioError(.invalidState, "\"\(bytes.name)\" is finished: nothing more can be written to it")
        }
        let bytesPerFrame = format.bytesPerFrame
        guard frames.byteCount % bytesPerFrame == 0 else {
            throw AudioError(
                .invalidConfiguration,
                "\(frames.byteCount) bytes are not whole frames of \(bytesPerFrame) bytes (\(format))")
        }
        let room = dataLimit - frameCount * bytesPerFrame
        let fitting = min(frames.byteCount, room / bytesPerFrame * bytesPerFrame)
        // SAFETY: the handle copies the bytes while the span is borrowed.
        let written = unsafe frames.extracting(first: fitting).withUnsafeBytes { unsafe handle.writeRaw($0) }
        frameCount += max(0, written) / bytesPerFrame
        if written < fitting {
            // A part of a frame may have fitted too.
            bytes.truncate(to: dataOffset + frameCount * bytesPerFrame)
        }
        if written < frames.byteCount { handle.updateHeader() }
        try check()
        if written < fitting {
            try fail(AudioError(.notWritable, "\"\(bytes.name)\" took only a part: \(handle.errorText ?? "")"))
        }
        if fitting < frames.byteCount {
            try fail(
                AudioError(
                    .fileTooLarge,
                    "\"\(bytes.name)\" is full: a WAV file holds 4 GiB; go on in a new file every few hours"))
        }
    }

    /// Makes the header say what has been written.
    ///
    /// - Throws: `diskFull` or `notWritable`.
    package func updateHeader() throws(AudioError) {
        if let failure { throw failure }
        handle?.updateHeader()
        try check()
    }

    /// Writes the last header. The descriptor stays open; nothing is synced to the disk. Twice is harmless.
    ///
    /// - Throws: The error of a write that failed before; `diskFull` or `notWritable`.
    package func finish() throws(AudioError) {
        close()
        if let failure { throw failure }
        try check()
    }

    private func close() {
        handle = nil
    }

    /// Throws what a system call beneath met.
    private func check() throws(AudioError) {
        if bytes.status != 0 { try fail(AudioError(writing: bytes.name, status: bytes.status)) }
    }

    private func fail(_ error: AudioError) throws(AudioError) {
        failure = error
        throw error
    }
}
