import VoiceAudioCore

/// Where a ``ResultCollector`` puts results that its memory has no room for, and how many.
public struct ResultSpill: Sendable, Hashable {
    /// The directory of the file, used even if it is memory; `nil` for the first of ``temporaryDirectory``, `/var/tmp` and
    /// the user's cache directory that is not.
    public var directory: String?
    /// The directory that is tried first where ``directory`` names none; `nil` stands for `TMPDIR`, and for `/tmp` where
    /// that is not set.
    public var temporaryDirectory: String?
    /// The most bytes on disk, 0 and more. With 0 all results stay in memory.
    public var maximumBytes: Int
    /// Bytes that stay free on the disk, 0 and more.
    public var minimumFreeBytes: Int

    /// - Parameters:
    ///   - directory: Where the file is; see ``directory``.
    ///   - temporaryDirectory: Where the file is if that is no memory; see ``temporaryDirectory``.
    ///   - maximumBytes: The most bytes on disk, 8 GiB by default: seven million results of 1 KiB.
    ///   - minimumFreeBytes: Bytes that stay free on the disk, 1 GiB by default.
    public init(
        directory: String? = nil, temporaryDirectory: String? = nil, maximumBytes: Int = 8 << 30,
        minimumFreeBytes: Int = 1 << 30
    ) {
        self.directory = directory
        self.temporaryDirectory = temporaryDirectory
        self.maximumBytes = maximumBytes
        self.minimumFreeBytes = minimumFreeBytes
    }

    func validate() throws(AudioError) {
        for (name, value) in [("maximumBytes", maximumBytes), ("minimumFreeBytes", minimumFreeBytes)] where value < 0 {
            throw AudioError(
                .invalidConfiguration, "the spill's \(name) is \(value): accepted are 0 and more bytes")
        }
    }
}
