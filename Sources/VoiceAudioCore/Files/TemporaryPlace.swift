import CLinux
import Glibc

/// Where temporary files go.
package struct TemporaryPlace: Sendable, Hashable {
    /// The directory.
    package let directory: String
    /// Whether files have a name of their own there.
    package let isNamed: Bool
    /// Bytes that must stay free on its disk.
    package let minimumFreeBytes: Int

    /// What must stay free where nothing else is said: 1 GiB.
    package static let defaultMinimumFreeBytes = 1 << 30

    /// - Parameter directory: `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    package init(
        named: Bool = false, directory: String? = nil,
        minimumFreeBytes: Int = TemporaryPlace.defaultMinimumFreeBytes
    ) {
        self.directory = directory ?? environmentVariable("TMPDIR") ?? "/tmp"
        isNamed = named
        self.minimumFreeBytes = minimumFreeBytes
    }

    /// Opens the directory, and checks that there is room.
    ///
    /// - Throws: `diskFull`, `notWritable` or `outOfResources`.
    package func open(toWrite byteCount: Int) throws(AudioError) -> OwnedDescriptor {
        let descriptor = try withStatus(error) { () throws(SystemFailure) in
            try OwnedDescriptor(opening: directory, O_RDONLY | O_DIRECTORY)
        }
        try descriptor.requireFree(minimumFreeBytes, afterWriting: byteCount, at: directory)
        return descriptor
    }

    /// The error of a file that could not be made here.
    package func error(_ status: Int32) -> AudioError {
        let error = AudioError(writing: directory, status: status)
        let message = "no temporary file: \(error.message) (VOICE_AUDIO_TEMP_DIR names the directory)"
        return AudioError(error.code, message, status: status)
    }
}

extension OwnedDescriptor {
    /// Checks that a file system keeps enough free bytes.
    ///
    /// - Parameters:
    ///   - minimumFreeBytes: Bytes that must stay free.
    ///   - byteCount: Bytes about to be written.
    ///   - path: What messages call the place.
    /// - Throws: `diskFull`.
    package func requireFree(_ minimumFreeBytes: Int, afterWriting byteCount: Int = 0, at path: String)
        throws(AudioError)
    {
        guard let free = freeByteCount else { return }
        let (needed, overflow) = minimumFreeBytes.addingReportingOverflow(byteCount)
        guard overflow || free < needed else { return }
        throw diskFullError(minimumFreeBytes, afterWriting: byteCount, at: path)
    }

    /// The error of a file system with too little space, with the numbers.
    package func diskFullError(_ minimumFreeBytes: Int, afterWriting byteCount: Int, at path: String) -> AudioError {
        AudioError(
            .diskFull,
            """
            too little space at "\(path)": \(freeByteCount ?? 0) bytes are free, \(byteCount) are to be written, and \
            \(minimumFreeBytes) must stay free; free some, write elsewhere, or lower VOICE_AUDIO_MIN_FREE_DISK_MB
            """,
            status: ENOSPC)
    }
}
