import CLinux
import Glibc
import VoiceAudioCore

/// A file that is gone with this value, or with the process.
///
/// Without a name, the system frees it when its last descriptor is closed, even by SIGKILL. With one, its name is removed
/// here, or by the sweep of a later process (see ``PrivateDirectory``).
struct TemporaryFile: ~Copyable {
    /// Empty, open for reading and writing, its offset at 0.
    let descriptor: OwnedDescriptor
    /// Opens it in another program.
    let path: String
    private let directory: OwnedDescriptor?
    private let name: String
    private let owner = OwningProcess()

    /// - Parameter byteCount: Bytes that are to be written, as far as is known: checked against the free space.
    /// - Throws: `diskFull`, `notWritable`, `permissionDenied` or `outOfResources`.
    init(in place: TemporaryPlace, toWrite byteCount: Int) throws(AudioError) {
        let parent = try place.open(toWrite: byteCount)
        if place.isNamed {
            try self.init(namedIn: place)
        } else {
            do throws(SystemFailure) {
                try self.init(nameless: OwnedDescriptor(namelessIn: parent, mode: 0o600, canBeNamed: false))
            } catch {
                guard OwnedDescriptor.isUnknown(namelessStatus: error.status) else { throw place.error(error.status) }
                try self.init(unlinkedIn: place)
            }
        }
    }

    /// A file with a name.
    private init(namedIn place: TemporaryPlace) throws(AudioError) {
        let directory = try PrivateDirectory(in: place)
        directory.removeStaleOnce()
        let file = try directory.createFile(for: place)
        path = "\(directory.path)/\(file.name)"
        name = file.name
        descriptor = file.descriptor
        self.directory = directory.takeDescriptor()
    }

    /// A file that loses its name at once, where the file system knows no nameless files. What a crash leaves in between
    /// is swept as named files are.
    init(unlinkedIn place: TemporaryPlace) throws(AudioError) {
        let directory = try PrivateDirectory(in: place)
        directory.removeStaleOnce()
        let file = try directory.createFile(for: place)
        directory.descriptor.unlink(file.name)
        self.init(nameless: file.descriptor)
    }

    private init(nameless descriptor: consuming OwnedDescriptor) {
        path = "/proc/\(getpid())/fd/\(descriptor.number)"
        name = ""
        directory = nil
        self.descriptor = descriptor
    }

    /// A fork leaves the name to its parent.
    deinit { if owner.isCurrent { directory?.unlink(name) } }
}

extension OwnedDescriptor {
    /// Creates a file without a name in an open directory.
    ///
    /// - Parameter canBeNamed: Whether `link(_:as:)` may give it a name later.
    init(
        namelessIn directory: borrowing OwnedDescriptor, mode: UInt32, canBeNamed: Bool
    ) throws(SystemFailure) {
        try self.init(
            opening: ".", in: directory, O_RDWR | CLINUX_O_TMPFILE | (canBeNamed ? 0 : O_EXCL), mode: mode)
    }

    /// Whether a failure of `init(namelessIn:)` says that the file system or the kernel knows no such files.
    static func isUnknown(namelessStatus status: Int32) -> Bool {
        [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(status)
    }
}
