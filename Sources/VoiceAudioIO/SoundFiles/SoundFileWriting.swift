package import VoiceAudioCore

/// Writes one sound file through a descriptor, open for reading and writing, that belongs to the caller.
///
/// The descriptor's offset is neither used nor moved. After an error the file is valid up to the last frame that fitted,
/// and every further write throws the same error.
///
/// > Concurrency: One thread at a time.
package protocol SoundFileWriting: AnyObject {
    /// Frames written; after an error, those that are in the file.
    var frameCount: Int { get }
    /// Bytes of the file so far, its header included.
    var byteCount: Int { get }
    /// Whether a reader can open the file as it is.
    var isReadable: Bool { get }
    /// Bytes of the write that failed, which need not be those of the frames.
    var refusedByteCount: Int { get }

    /// The most bytes that the finished file has if `frameCount` frames more are written.
    func byteCountLimit(afterWriting frameCount: Int) -> Int

    /// Appends frames.
    ///
    /// - Parameter frames: Whole frames, interleaved, little endian.
    /// - Throws: `diskFull`, `fileTooLarge` or `notWritable`; `invalidConfiguration` where `frames` has a part of a
    ///   frame, and `invalidState` after ``finish()``: then nothing was written.
    func write(_ frames: RawSpan) throws(AudioError)

    /// Makes the header say what has been written, as far as it is in the file.
    ///
    /// - Throws: `diskFull` or `notWritable`.
    func updateHeader() throws(AudioError)

    /// Writes what is left and the last header. The descriptor stays open; nothing is synced. Twice is harmless.
    ///
    /// - Throws: The error of a write that failed before; `diskFull` or `notWritable`.
    func finish() throws(AudioError)
}

extension RawSpan {
    /// Checks that these are whole frames.
    ///
    /// - Throws: `invalidConfiguration`.
    func requireWholeFrames(of format: AudioFormat) throws(AudioError) {
        guard byteCount % format.bytesPerFrame == 0 else {
            throw AudioError(
                .invalidConfiguration,
                "\(byteCount) bytes are not whole frames of \(format.bytesPerFrame) bytes (\(format))")
        }
    }
}

extension AudioError {
    /// The error of a write after the end.
    init(finished name: String) {
        self.init(.invalidState, "\"\(name)\" is finished: nothing more can be written to it")
    }
}
