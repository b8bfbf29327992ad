import CLinux
import Glibc

/// A file that is gone with this value, or with the process.
///
/// Without a name, the system frees it when its last descriptor is closed, even by SIGKILL. With one, its name is removed
/// here, or by the sweep of a later process (see ``PrivateDirectory``).
package struct TemporaryFile: ~Copyable {
    /// Open for reading and writing, its offset at 0; empty, but where it was opened anew.
    package let descriptor: OwnedDescriptor
    /// Opens it in another program.
    package var path: String { ownPath ?? "/proc/\(processID)/fd/\(descriptor.number)" }
    /// Whether it was there before, and may hold something.
    package let isOpenedAnew: Bool
    /// `nil` where it has no name.
    private let ownPath: String?
    private let processID = getpid()
    /// `nil` where it has none.
    private let name: TemporaryName?

    /// - Parameter byteCount: Bytes that are to be written, as far as is known: checked against the free space.
    /// - Throws: `diskFull`, `notWritable`, `permissionDenied` or `outOfResources`.
    package init(in place: TemporaryPlace, toWrite byteCount: Int) throws(AudioError) {
        if !place.isNamed, let file = try Self.nameless(in: place) {
            try file.requireFree(place.minimumFreeBytes, afterWriting: byteCount, at: place.directory)
            self.init(nameless: file)
            return
        }
        _ = try place.open(toWrite: byteCount)
        if place.isNamed { try self.init(namedIn: place) } else { try self.init(unlinkedIn: place) }
    }

    /// `nil` where the file system knows no nameless files, or there is no such directory.
    private static func nameless(in place: TemporaryPlace) throws(AudioError) -> OwnedDescriptor? {
        do throws(SystemFailure) {
            return try OwnedDescriptor(opening: place.directory, O_RDWR | CLINUX_O_TMPFILE | O_EXCL, mode: 0o600)
        } catch {
            guard OwnedDescriptor.isUnknown(namelessStatus: error.status) else { throw place.error(error.status) }
            return nil
        }
    }

    /// A nameless file that is there already, opened anew.
    ///
    /// - Throws: As `init(in:toWrite:)`.
    package init(reopening file: borrowing OwnedDescriptor, in place: TemporaryPlace) throws(AudioError) {
        do throws(SystemFailure) {
            try self.init(nameless: file.reopened(O_RDWR), isOpenedAnew: true)
        } catch {
            throw place.error(error.status)
        }
    }

    /// A file with a name.
    private init(namedIn place: TemporaryPlace) throws(AudioError) {
        let directory = try PrivateDirectory(in: place)
        directory.removeStaleOnce()
        let file = try directory.createFile(for: place)
        ownPath = "\(directory.path)/\(file.name)"
        isOpenedAnew = false
        name = TemporaryName(file.name, in: directory.takeDescriptor())
        descriptor = file.descriptor
    }

    /// A file that loses its name at once, where the file system knows no nameless files. What a crash leaves in between
    /// is swept as named files are.
    package init(unlinkedIn place: TemporaryPlace) throws(AudioError) {
        let directory = try PrivateDirectory(in: place)
        directory.removeStaleOnce()
        let file = try directory.createFile(for: place)
        directory.descriptor.unlink(file.name)
        self.init(nameless: file.descriptor)
    }

    private init(nameless descriptor: consuming OwnedDescriptor, isOpenedAnew: Bool = false) {
        ownPath = nil
        name = nil
        self.isOpenedAnew = isOpenedAnew
        self.descriptor = descriptor
    }
}

/// The name of a temporary file, which goes with the last reference, or at a shutdown hook's.
package final class TemporaryName: Sendable {
    private let directory: OwnedDescriptor
    private let name: String
    private let owner = OwningProcess()

    /// Those that there are.
    package static let all = WeakTable<TemporaryName>()

    fileprivate init(_ name: String, in directory: consuming OwnedDescriptor) {
        self.name = name
        self.directory = directory
        Self.all.add(self)
    }

    deinit {
        remove()
        Self.all.remove(self)
    }

    /// Removes the name; twice is harmless. A fork leaves it to its parent.
    package func remove() { if owner.isCurrent { directory.unlink(name) } }
}

extension OwnedDescriptor {
    /// Creates a file without a name in an open directory, to which `link(_:as:)` may give one later.
    package init(namelessIn directory: borrowing OwnedDescriptor, mode: UInt32) throws(SystemFailure) {
        try self.init(opening: ".", in: directory, O_RDWR | CLINUX_O_TMPFILE, mode: mode)
    }

    /// Whether a failure of `init(namelessIn:)` says that the file system or the kernel knows no such files.
    package static func isUnknown(namelessStatus status: Int32) -> Bool {
        [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(status)
    }
}
