import CLinux
import Glibc
import VoiceAudioCore

/// The system calls on a descriptor that a stream is read from, and what their failures mean.
enum DescriptorCalls {
    /// Reads what is there.
    ///
    /// - Returns: Bytes read, 0 at the end; `nil` where there is nothing after all.
    /// - Throws: `deviceLost`, `deviceFailed`.
    ///
    /// > Real-time: Allocates nothing unless it throws. Does not wait after a `poll` that found something to read, unless
    /// > another process reads from the same pipe.
    static func read(
        _ descriptor: Int32, into room: UnsafeMutableRawBufferPointer, name: String
    ) throws(AudioError) -> Int? {
        // SAFETY: the kernel writes within the buffer.
        let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
        if count >= 0 { return count }
        let status = errno
        // Others may have made the descriptor non-blocking: to it, and to who shares it, that is left.
        if status == EINTR || status == EAGAIN || status == EWOULDBLOCK { return nil }
        let text = AudioError.text(ofSystemStatus: status)
        throw lost.contains(status)
            ? AudioError(.deviceLost, "whoever sends \"\(name)\" is gone: \(text)", status: status)
            : AudioError(.deviceFailed, "\"\(name)\" could not be read: \(text)", status: status)
    }

    /// What means that the other end is gone.
    private static let lost: [Int32] = [
        ECONNRESET, ECONNABORTED, ENOTCONN, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ENETRESET,
    ]

    /// Bytes that can be read at once; 0 where that is not known.
    static func waitingByteCount(_ descriptor: Int32) -> Int { max(0, Int(clinux_bytes_waiting(descriptor))) }

    /// Another descriptor for the same, which is closed at `exec`.
    ///
    /// - Throws: `noSuchDevice`, `outOfResources`.
    static func duplicate(_ descriptor: Int32, name: String) throws(AudioError) -> OwnedDescriptor {
        let copy = clinux_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy < 0 else { return OwnedDescriptor(owning: copy) }
        let status = errno
        throw status == EBADF ? notOpen(name) : AudioError(systemCall: "fcntl", status: status)
    }

    /// Keeps programs that are started from now on from inheriting it.
    static func closeOnExec(_ descriptor: Int32) {
        let flags = clinux_fcntl_int(descriptor, F_GETFD, 0)
        if flags >= 0 { _ = clinux_fcntl_int(descriptor, F_SETFD, flags | FD_CLOEXEC) }
    }

    /// Checks that a stream of bytes can be read from it, and answers whether it is a file.
    ///
    /// - Throws: `noSuchDevice`.
    static func check(_ descriptor: Int32, name: String) throws(AudioError) -> Bool {
        let flags = clinux_fcntl_int(descriptor, F_GETFL, 0)
        guard flags >= 0 else { throw notOpen(name) }
        guard flags & O_ACCMODE != O_WRONLY else { throw unreadable(name, "is open for writing only") }
        var information = stat()
        // SAFETY: the kernel fills a local; it cannot fail on an open descriptor.
        _ = unsafe fstat(descriptor, &information)
        switch information.st_mode & S_IFMT {
        case S_IFIFO: return false
        case S_IFREG: return true
        case S_IFSOCK:
            guard option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue) else {
                throw unreadable(name, "is a socket of packets, of which a part may be cut off")
            }
            guard option(SO_ACCEPTCONN, of: descriptor) == 0 else {
                throw unreadable(name, "is a socket that listens: accept a connection, and pass that")
            }
            return false
        case S_IFCHR:
            guard isatty(descriptor) == 0 else { throw unreadable(name, "is a terminal: pipe sound into it") }
            return false
        default: throw unreadable(name, "is no stream of bytes")
        }
    }

    private static func option(_ option: Int32, of socket: Int32) -> Int32? {
        var value: Int32 = 0
        var byteCount = socklen_t(MemoryLayout<Int32>.size)
        // SAFETY: the kernel fills locals of these sizes.
        return unsafe getsockopt(socket, SOL_SOCKET, option, &value, &byteCount) == 0 ? value : nil
    }

    private static func notOpen(_ name: String) -> AudioError {
        AudioError(.noSuchDevice, "\"\(name)\" is not open in this process", status: EBADF)
    }

    private static func unreadable(_ name: String, _ what: String) -> AudioError {
        AudioError(.noSuchDevice, "\"\(name)\" \(what): accepted are pipes, stream sockets and files, open for reading")
    }
}
