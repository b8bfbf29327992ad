import CLinux
import Glibc
import VoiceAudioCore

/// A file that a recording is about to go to.
///
/// A new one has no name until it can be read, so that nobody finds it before, where the file system knows nameless files.
struct RecordingFile: ~Copyable {
    /// Empty, open for reading and writing.
    let descriptor: OwnedDescriptor
    private let directory: OwnedDescriptor
    private let name: String
    private let path: String
    private var isNameless: Bool

    /// Opens a new file, or empties a regular file.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - replacesOld: Whether there may be one already.
    ///   - minimumFreeBytes: Bytes that must stay free.
    /// - Throws: `notWritable`, with the status `EEXIST` where there is one that must stay; `diskFull` or
    ///   `outOfResources`.
    init(_ path: String, replacesOld: Bool, minimumFreeBytes: Int) throws(AudioError) {
        let target = try FileTarget(path)
        let name = target.name
        let directory = target.takeDirectory()
        try directory.requireFree(minimumFreeBytes, at: path)
        let old = directory.information(of: name)
        try old?.requireRegularFile(at: path)
        if old == nil, let file = try Self.nameless(in: directory, path) {
            descriptor = file
            isNameless = true
        } else {
            descriptor = try Self.named(name, in: directory, path, replacesOld: replacesOld)
            isNameless = false
        }
        self.name = name
        self.directory = directory
        self.path = path
    }

    private static func named(
        _ name: String, in directory: borrowing OwnedDescriptor, _ path: String, replacesOld: Bool
    ) throws(AudioError) -> OwnedDescriptor {
        // Without O_NONBLOCK, opening a named pipe would wait for a reader.
        let flags = O_RDWR | O_CREAT | O_NONBLOCK | (replacesOld ? 0 : O_EXCL)
        do throws(SystemFailure) {
            let file = try OwnedDescriptor(opening: name, in: directory, flags, mode: 0o666)
            if file.information.st_mode & S_IFMT == S_IFREG { try file.truncate(to: 0) }
            return file
        } catch {
            throw AudioError(writing: path, status: error.status)
        }
    }

    private static func nameless(
        in directory: borrowing OwnedDescriptor, _ path: String
    ) throws(AudioError) -> OwnedDescriptor? {
        do throws(SystemFailure) {
            return try OwnedDescriptor(namelessIn: directory, mode: 0o666)
        } catch {
            guard OwnedDescriptor.isUnknown(namelessStatus: error.status) else {
                throw AudioError(writing: path, status: error.status)
            }
            return nil
        }
    }

    /// Gives the file its name, once.
    ///
    /// - Throws: `notWritable`, with the status `EEXIST` where somebody made one of that name meanwhile.
    mutating func publish() throws(AudioError) {
        guard isNameless else { return }
        do throws(SystemFailure) {
            try directory.link(descriptor, as: name)
        } catch {
            throw AudioError(writing: path, status: error.status)
        }
        isNameless = false
    }

    /// Removes the file: not even its header fitted.
    func remove() {
        if !isNameless { directory.unlink(name) }
    }
}
