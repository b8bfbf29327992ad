import CLinux
import Glibc
import VoiceAudioCore

/// Writes files to keep, so that at every moment the old file or the new one is there, whole.
enum AtomicFile {
    /// Writes a file beside `path`, syncs it, and gives it that name, replacing what had it.
    ///
    /// A failure leaves the old file as it was, and nothing beside it. So does SIGKILL, but for the instant between two
    /// calls that replacing an old file takes, and on file systems without nameless files.
    ///
    /// - Parameters:
    ///   - path: The file; a symbolic link is followed.
    ///   - byteCount: Bytes that are to be written, as far as is known: checked against the free space.
    ///   - minimumFreeBytes: Bytes that must stay free.
    ///   - write: Writes to the empty file that it is given.
    /// - Throws: `notWritable`, `diskFull`, `outOfResources`, or what `write` throws.
    static func write(
        to path: String, byteCount: Int, minimumFreeBytes: Int,
        _ write: (borrowing OwnedDescriptor) throws(AudioError) -> Void
    ) throws(AudioError) {
        let target = try FileTarget(path)
        let name = target.name
        let directory = target.takeDirectory()
        try directory.requireRegularFile(name, at: path)
        try directory.requireFree(minimumFreeBytes, afterWriting: byteCount, at: path)

        let temporaryName = ".voice-audio-\(String(UInt64.random(in: 0 ... .max), radix: 16)).tmp"
        var hasTemporaryName = false
        // Once the file has its final name, this name is gone, and removing it does nothing.
        defer { if hasTemporaryName { directory.unlink(temporaryName) } }
        let file = try withStatus(writing: path) { () throws(SystemFailure) in
            do throws(SystemFailure) {
                return try OwnedDescriptor(namelessIn: directory, mode: 0o666)
            } catch {
                guard OwnedDescriptor.isUnknown(namelessStatus: error.status) else { throw error }
            }
            hasTemporaryName = true
            return try OwnedDescriptor(
                opening: temporaryName, in: directory, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o666)
        }
        try write(file)
        try withStatus(writing: path) { () throws(SystemFailure) in
            try file.sync()
            if !hasTemporaryName {
                if try directory.linkIfFree(file, as: name) { return try directory.sync() }
                try directory.link(file, as: temporaryName)
                hasTemporaryName = true
            }
            try directory.rename(temporaryName, to: name)
            try directory.sync()
        }
    }
}

/// A file that is to be written: its directory, open, and its name there.
struct FileTarget: ~Copyable {
    let directory: OwnedDescriptor
    let name: String

    /// - Parameter path: The file; a symbolic link is followed.
    /// - Throws: `notWritable`, or `outOfResources`.
    init(_ path: String) throws(AudioError) {
        let resolved = KernelFiles.resolved(path) ?? path
        let slash = resolved.lastIndex(of: "/")
        let name = slash.map { String(resolved[resolved.index(after: $0)...]) } ?? resolved
        guard !["", ".", ".."].contains(name) else {
            throw AudioError(writing: path, status: path.isEmpty ? ENOENT : EISDIR)
        }
        let parent = slash.map { $0 == resolved.startIndex ? "/" : String(resolved[..<$0]) } ?? "."
        directory = try withStatus(writing: path) { () throws(SystemFailure) in
            try OwnedDescriptor(opening: parent, O_RDONLY | O_DIRECTORY)
        }
        self.name = name
    }

    /// Gives the directory away.
    consuming func takeDirectory() -> OwnedDescriptor { directory }
}

extension OwnedDescriptor {
    /// Checks that a name of this directory is free, or a regular file's.
    ///
    /// - Throws: `notWritable`.
    fileprivate func requireRegularFile(_ name: String, at path: String) throws(AudioError) {
        guard let information = information(of: name) else { return }
        try information.requireRegularFile(at: path)
    }

    /// Gives a nameless file a name, unless it is taken; whether it was free.
    fileprivate func linkIfFree(_ file: borrowing OwnedDescriptor, as name: String) throws(SystemFailure) -> Bool {
        do throws(SystemFailure) {
            try link(file, as: name)
            return true
        } catch {
            guard error.status == EEXIST else { throw error }
            return false
        }
    }
}

extension stat {
    /// Checks that sound can be written in this file's place.
    ///
    /// - Throws: `notWritable`.
    func requireRegularFile(at path: String) throws(AudioError) {
        guard st_mode & S_IFMT != S_IFREG else { return }
        throw st_mode & S_IFMT == S_IFDIR
            ? AudioError(writing: path, status: EISDIR)
            : AudioError(.notWritable, "\"\(path)\" is not a regular file: a WAV file cannot be written to it")
    }
}
