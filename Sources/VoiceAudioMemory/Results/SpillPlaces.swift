import Glibc
import VoiceAudioCore

/// The directories that a spill may go to, in the order in which they are tried.
struct SpillPlaces: Sendable {
    /// Whether one that is memory is passed over.
    let avoidsMemory: Bool
    let directories: [String]

    init(directories: [String], avoidsMemory: Bool) {
        self.directories = directories
        self.avoidsMemory = avoidsMemory
    }

    init(_ spill: ResultSpill) {
        if let directory = spill.directory {
            self.init(directories: [directory], avoidsMemory: false)
        } else {
            let cache = environmentVariable("XDG_CACHE_HOME") ?? environmentVariable("HOME").map { $0 + "/.cache" }
            let first = TemporaryPlace(directory: spill.temporaryDirectory).directory
            let directories = [first, "/var/tmp"] + (cache.map { [$0] } ?? [])
            self.init(directories: directories, avoidsMemory: true)
        }
    }

    /// A file in the first directory that will do.
    ///
    /// - Parameter byteCount: Bytes that are to be written first.
    /// - Returns: The file, and whether the first directory is memory.
    /// - Throws: What the first directory on a disk refused with; `notWritable` where all are memory.
    func makeFile(minimumFreeBytes: Int, toWrite byteCount: Int) throws(AudioError) -> (
        file: SpillFile, firstIsMemory: Bool
    ) {
        var refusal: AudioError?
        for directory in directories where !(avoidsMemory && Self.isMemory(directory)) {
            do throws(AudioError) {
                let file = try SpillFile(in: directory, minimumFreeBytes: minimumFreeBytes, toWrite: byteCount)
                return (file, Self.isMemory(directories[0]))
            } catch {
                refusal = refusal ?? error
            }
        }
        throw refusal
            ?? AudioError(
                .notWritable,
                """
                results have no place on a disk: \(directories.joined(separator: ", ")) are memory; name a directory on \
                a disk in TMPDIR, or in the collector's spill
                """)
    }

    /// Whether a directory's file system is memory, as far as can be known.
    private static func isMemory(_ directory: String) -> Bool {
        guard let descriptor = try? OwnedDescriptor(opening: directory, O_RDONLY | O_DIRECTORY) else { return false }
        return descriptor.isInMemory ?? false
    }
}
