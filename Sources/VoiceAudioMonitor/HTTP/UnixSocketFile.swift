import CLinux
import Glibc
import VoiceAudioCore

/// The file of a Unix socket, which its owner alone may open.
///
/// One that nobody listens on any more, as after a crash, is replaced; one that somebody does is not. Servers that come at
/// once take turns, by a lock on the directory.
struct UnixSocketFile {
    private let path: String
    private let name: String
    private let directory: String
    private let number: UInt

    /// Makes the file, and listens on it.
    init(_ path: String, for socket: borrowing OwnedDescriptor) throws(AudioError) {
        guard (1...107).contains(path.utf8.count), !path.hasSuffix("/"), !path.utf8.contains(0) else {
            throw AudioError(
                .invalidConfiguration,
                "the monitor's socket \"\(path)\": accepted are paths of a file, of 1 to 107 bytes")
        }
        self.path = path
        let slash = path.lastIndex(of: "/")
        name = String(slash.map { path[path.index(after: $0)...] } ?? path[...])
        directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let folder = try Self.open(directory, for: path)
        guard Self.lock(folder) else {
            throw AudioError(.busy, "the directory of the monitor's socket \"\(path)\" is locked by another program")
        }
        try Self.clear(name, path, in: folder)
        // The mode that the file gets, but for what the umask takes away: at no time is it open to others.
        guard fchmod(socket.number, 0o600) == 0, Self.bind(socket, to: path) == 0 else {
            throw ListeningSocket.error(ofBind: errno, to: "\"\(path)\"")
        }
        number = folder.information(of: name).map { UInt($0.st_ino) } ?? 0
        do throws(AudioError) {
            try ListeningSocket.listen(socket)
        } catch {
            folder.unlink(name)
            throw error
        }
    }

    /// Removes the file, if it is still this one.
    func remove() {
        guard let folder = try? Self.open(directory, for: path), Self.lock(folder),
            folder.information(of: name).map({ UInt($0.st_ino) }) == number
        else { return }
        folder.unlink(name)
    }

    private static func open(_ directory: String, for path: String) throws(AudioError) -> OwnedDescriptor {
        try withStatus(writing: path) { () throws(SystemFailure) in
            try OwnedDescriptor(opening: directory, O_RDONLY | O_DIRECTORY)
        }
    }

    /// Takes the directory's lock. Another server has it for a moment only; but whoever may read the directory could have it
    /// for ever, and is not waited for.
    private static func lock(_ folder: borrowing OwnedDescriptor) -> Bool {
        let clock = SystemClock()
        let end = clock.now.advanced(by: .seconds(1))
        let nothing = DescriptorSet(count: 0)
        while !folder.lockIfFree() {
            let now = clock.now
            guard now < end else { return false }
            _ = clock.wait(for: nothing, until: now.advanced(by: .milliseconds(1)))
        }
        return true
    }

    /// Removes what a server left that is no more.
    private static func clear(_ name: String, _ path: String, in folder: borrowing OwnedDescriptor) throws(AudioError) {
        guard let information = folder.information(of: name) else { return }
        guard information.st_mode & S_IFMT == S_IFSOCK else {
            throw AudioError(
                .invalidConfiguration, "\"\(path)\" is there, and no socket: name another file for the monitor's")
        }
        let probe = OwnedDescriptor(
            owning: Glibc.socket(
                AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0))
        guard probe.number >= 0 else { throw AudioError(systemCall: "socket", status: errno) }
        let number = probe.number
        // SAFETY: the address is valid for the call.
        let status = unsafe withAddress(of: path) { unsafe Glibc.connect(number, $0, $1) } == 0 ? 0 : errno
        guard status == ECONNREFUSED else {
            throw AudioError(.busy, "another program listens on \"\(path)\": name another file", status: status)
        }
        folder.unlink(name)
    }

    private static func bind(_ socket: borrowing OwnedDescriptor, to path: String) -> Int32 {
        let number = socket.number
        // SAFETY: the address is valid for the call.
        return unsafe withAddress(of: path) { unsafe Glibc.bind(number, $0, $1) }
    }

    private static func withAddress(
        of path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: init saw to it that the path and a zero behind it have room.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        return unsafe withPointer(to: &address, body)
    }
}
