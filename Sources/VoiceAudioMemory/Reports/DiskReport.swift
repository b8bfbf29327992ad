import Glibc
public import VoiceAudioCore

/// The room that a directory's file system has.
public struct DiskReport: Sendable, Hashable, Codable {
    /// The directory.
    public var directory: String
    /// Bytes that this user may still write; `nil` where the file system does not say.
    public var freeBytes: Int?
    /// Bytes of the whole file system; `nil` where it does not say.
    public var totalBytes: Int?
    /// Whether it is no disk but memory (tmpfs): what is written there counts as memory. `nil` where it does not say.
    public var isMemory: Bool?

    enum CodingKeys: String, CodingKey {
        case directory
        case freeBytes = "free_bytes"
        case totalBytes = "total_bytes"
        case isMemory = "is_memory"
    }

    /// Looks how much room there is.
    ///
    /// - Parameter directory: `nil` stands for where temporary files go: `TMPDIR`, and `/tmp` where that is not set.
    /// - Throws: ``AudioError`` with code `notWritable` or `outOfResources` where the directory cannot be opened.
    public init(of directory: String? = nil) throws(AudioError) {
        let path = directory ?? TemporaryPlace().directory
        let descriptor = try withStatus(writing: path) { () throws(SystemFailure) in
            try OwnedDescriptor(opening: path, O_RDONLY | O_DIRECTORY)
        }
        self.directory = path
        freeBytes = descriptor.freeByteCount
        totalBytes = descriptor.totalByteCount
        isMemory = descriptor.isInMemory
    }
}
