import Glibc
import VoiceAudioCore

/// The file without a name that a collector's results go to; gone with its last reference, or the process.
///
/// A block on it is never written again, so it is read without a lock.
final class SpillFile: Sendable {
    /// Where it is.
    let directory: String
    private let file: TemporaryFile
    private let minimumFreeBytes: Int

    /// - Parameter byteCount: Bytes that are to be written first.
    /// - Throws: `diskFull`, `notWritable`, `permissionDenied` or `outOfResources`.
    init(in directory: String, minimumFreeBytes: Int, toWrite byteCount: Int) throws(AudioError) {
        let place = TemporaryPlace(directory: directory, minimumFreeBytes: minimumFreeBytes)
        file = try TemporaryFile(in: place, toWrite: byteCount)
        self.directory = directory
        self.minimumFreeBytes = minimumFreeBytes
    }

    /// For tests that damage what is in it.
    var descriptor: Int32 { file.descriptor.number }

    /// - Throws: `diskFull`, `fileTooLarge` or `notWritable`: a part may have been written, which nothing knows of.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(AudioError) {
        try file.descriptor.requireFree(minimumFreeBytes, afterWriting: bytes.count, at: directory)
        // SAFETY: the caller's buffer, for the call.
        try withStatus(writing: directory) { () throws(SystemFailure) in
            try unsafe file.descriptor.write(bytes, at: offset)
        }
    }

    /// Fills `bytes`, or as many as the file has: what it lacks, checksums tell.
    ///
    /// - Throws: `unreadableFile`.
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws(AudioError) {
        do throws(SystemFailure) {
            // SAFETY: the caller's buffer, for the call.
            _ = try unsafe file.descriptor.read(into: bytes, at: offset)
        } catch {
            throw AudioError(reading: directory, status: error.status)
        }
    }
}
