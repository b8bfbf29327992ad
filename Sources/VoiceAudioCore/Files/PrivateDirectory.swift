import CLinux
import Glibc

/// The directory of this user's named temporary files: `voice-audio-UID`, open to nobody else.
///
/// A file's owner holds its lock (`flock(2)`) for as long as it is in use, and the system drops the lock when the process
/// ends in whatever way. So a file whose lock is free is a leftover.
package struct PrivateDirectory: ~Copyable {
    package let descriptor: OwnedDescriptor
    package let path: String

    /// Opens the directory, creating it where it is missing.
    ///
    /// - Throws: `permissionDenied` where something else has its name, or others may use it; else what `place` throws.
    package init(in place: TemporaryPlace) throws(AudioError) {
        let path = "\(place.directory)/voice-audio-\(geteuid())"
        let descriptor = try withStatus { status in
            [ELOOP, ENOTDIR].contains(status) ? Self.refusal(path, "it is no directory") : place.error(status)
        } of: { () throws(SystemFailure) in
            try makeDirectory(path)
            return try OwnedDescriptor(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        }
        let information = descriptor.information
        guard information.st_uid == geteuid() else {
            throw Self.refusal(path, "it belongs to user \(information.st_uid)")
        }
        guard information.st_mode & 0o077 == 0 else {
            throw Self.refusal(path, "its mode is \(String(information.st_mode & 0o7777, radix: 8)), not 700")
        }
        self.path = path
        self.descriptor = descriptor
    }

    private static func refusal(_ path: String, _ reason: String) -> AudioError {
        AudioError(
            .permissionDenied,
            """
            "\(path)" cannot hold private files: \(reason); remove it, or let VOICE_AUDIO_TEMP_DIR name a directory \
            of your own
            """)
    }

    /// A new, empty, locked file.
    package struct File: ~Copyable {
        package let descriptor: OwnedDescriptor
        package let name: String
    }

    /// Gives the descriptor away.
    package consuming func takeDescriptor() -> OwnedDescriptor { descriptor }

    /// Creates a file that only this user may use.
    ///
    /// - Throws: `diskFull`, `notWritable` or `outOfResources`.
    package func createFile(for place: TemporaryPlace) throws(AudioError) -> File {
        while true {
            let random = String(UInt64.random(in: 0 ... .max), radix: 16)
            let name = "\(Self.prefix)\(getpid())-\(random)\(Self.suffix)"
            let file = try withStatus(place.error) { () throws(SystemFailure) in
                try OwnedDescriptor(
                    opening: name, in: descriptor, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            }
            // Between creation and lock it looked like a leftover. Whoever took it for one has the lock, or has removed
            // the name already: then try again. With the lock and the name, it is ours.
            if file.lockIfFree() && file.information.st_nlink > 0 { return File(descriptor: file, name: name) }
        }
    }

    /// Removes leftovers the first time that this process comes here.
    package func removeStaleOnce() {
        if swept.value.withLock({ $0.insert(path).inserted }) { removeStale() }
    }

    /// Removes files whose owner is gone; how many.
    @discardableResult
    package func removeStale() -> Int {
        descriptor.names().count { name in
            name.hasPrefix(Self.prefix) && name.hasSuffix(Self.suffix) && removeIfStale(name)
        }
    }

    private func removeIfStale(_ name: String) -> Bool {
        guard
            let file = try? OwnedDescriptor(opening: name, in: descriptor, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        else { return false }
        let information = file.information
        guard information.st_mode & S_IFMT == S_IFREG, information.st_uid == geteuid(), file.lockIfFree(),
            let named = descriptor.information(of: name),
            named.st_dev == information.st_dev, named.st_ino == information.st_ino
        else { return false }
        return descriptor.unlink(name)
    }

    private static let prefix = "voice-audio-"
    private static let suffix = ".wav"
}

/// The directories that this process has freed from leftovers.
private let swept = PerProcess(Lock<Set<String>>([])) { _ in Lock([]) }
