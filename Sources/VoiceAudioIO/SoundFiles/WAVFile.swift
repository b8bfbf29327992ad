package import VoiceAudioCore

/// Writes WAV files to keep.
package enum WAVFile {
    /// Writes a whole WAV file: beside `path`, synced, and then put in its place.
    ///
    /// A failure leaves an old file as it was, and nothing beside it.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - format: The shape of the frames.
    ///   - byteCount: Bytes of frames that are to come, as far as is known: checked against the free space.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk.
    ///   - write: Hands the frames to the writer, in any number of pieces.
    /// - Throws: `notWritable`, `diskFull`, `unsupportedFormat`, `fileTooLarge`, `outOfResources`, or what `write`
    ///   throws.
    package static func write(
        to path: String, format: AudioFormat, byteCount: Int, minimumFreeBytes: Int,
        _ write: (WAVWriter) throws(AudioError) -> Void
    ) throws(AudioError) {
        try AtomicFile.write(to: path, byteCount: byteCount, minimumFreeBytes: minimumFreeBytes) {
            file throws(AudioError) in
            let writer = try WAVWriter(descriptor: file.number, name: path, format: format)
            try write(writer)
            try writer.finish()
        }
    }
}
