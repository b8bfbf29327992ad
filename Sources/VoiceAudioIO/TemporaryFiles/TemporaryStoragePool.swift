import CLinux
public import VoiceAudioCore

/// Nameless temporary files that are used again: for programs that write one temporary WAV after the other.
///
/// Writing over a file is faster than making one, whose room on the disk has to be found first. A file comes back when the
/// body is left, and is used again only if by then nobody else has it open, in whatever process: the system is asked. So no
/// reader that stayed behind sees the next sound.
///
/// A file that waits to be used again keeps its last sound, without a name, until that is written over, the file is dropped
/// or the process ends. Where that is too long, write without a pool.
///
/// > Concurrency: Safe from any thread. Any number of files at once; what the pool keeps is bounded.
public final class TemporaryStoragePool: Sendable {
    /// Files kept for use again, at most.
    public let maxIdleFiles: Int
    /// Bytes that these may have in all.
    public let maxIdleBytes: Int

    let place: TemporaryPlace
    private let idle = Lock<[PooledFile]>([])
    private let owner = OwningProcess()

    /// An empty pool.
    ///
    /// - Parameters:
    ///   - maxIdleFiles: Files kept for use again, at least 1.
    ///   - maxIdleBytes: Bytes that these may have in all, at least 1.
    ///   - directory: Where the files go; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk; 1 GiB where nothing is said.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`.
    public init(
        maxIdleFiles: Int = 4, maxIdleBytes: Int = 64 << 20, directory: String? = nil,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes
    ) throws(AudioError) {
        guard maxIdleFiles >= 1, maxIdleBytes >= 1 else {
            throw AudioError(
                .invalidConfiguration,
                "a pool of \(maxIdleFiles) files and \(maxIdleBytes) bytes holds nothing: at least 1 of each is accepted"
            )
        }
        self.maxIdleFiles = maxIdleFiles
        self.maxIdleBytes = maxIdleBytes
        place = TemporaryPlace(directory: directory, minimumFreeBytes: minimumFreeBytes)
    }

    /// How many files wait for use, and how many bytes they have; none in a fork, which does not share them.
    public var idleFiles: (count: Int, byteCount: Int) {
        guard owner.isCurrent else { return (0, 0) }
        return idle.withLock { ($0.count, $0.byteCount) }
    }

    /// Drops the files that wait for use.
    ///
    /// - Returns: Bytes that the file system gets back.
    @discardableResult
    public func removeIdleFiles() -> Int {
        guard owner.isCurrent else { return 0 }
        // Closed when the lock is free.
        let dropped = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        return dropped.byteCount
    }

    /// Lends a file that waits, or a new one. Where the disk lacks room, those that wait are dropped before that is an error.
    ///
    /// - Throws: `diskFull`, `notWritable`, `permissionDenied`, `outOfResources`, or `invalidState` in a fork.
    func take(toWrite byteCount: Int) throws(AudioError) -> PooledFile {
        try owner.check("the storage pool")
        do throws(AudioError) {
            return try takeAsItIs(toWrite: byteCount)
        } catch {
            guard error.code == .diskFull, removeIdleFiles() > 0 else { throw error }
            return try takeAsItIs(toWrite: byteCount)
        }
    }

    private func takeAsItIs(toWrite byteCount: Int) throws(AudioError) -> PooledFile {
        guard let file = idle.withLock({ $0.popLast() }) else {
            return PooledFile(try TemporaryFile(in: place, toWrite: byteCount))
        }
        _ = try place.open(toWrite: max(0, byteCount - file.byteCount))
        return file
    }

    /// Takes a file back, when what was opened of it is closed.
    func giveBack(_ file: PooledFile) {
        guard owner.isCurrent, file.isOnlyOpening else { return }
        idle.withLock { idle in
            if idle.count < maxIdleFiles, idle.byteCount + file.byteCount <= maxIdleBytes { idle.append(file) }
        }
    }
}

/// A file of a pool. What is lent is opened anew, so that whoever keeps it open can be told from the pool.
final class PooledFile: Sendable {
    private let file: TemporaryFile

    init(_ file: consuming TemporaryFile) { self.file = file }

    var byteCount: Int { Int(file.descriptor.information.st_size) }

    var isOnlyOpening: Bool { file.descriptor.isOnlyOpening }

    /// - Throws: `notWritable` or `outOfResources`.
    func opened(in place: TemporaryPlace) throws(AudioError) -> TemporaryFile {
        try TemporaryFile(reopening: file.descriptor, in: place)
    }
}

extension [PooledFile] {
    fileprivate var byteCount: Int { reduce(0) { $0 + $1.byteCount } }
}
