import CLinux
import Glibc
import VoiceAudioCore

/// Has the kernel say when tasks stall for lack of memory (PSI, Documentation/accounting/psi.rst), or whatever else a
/// service manager has put in its place.
final class StallTrigger: Sendable {
    /// Where to ask, and what for.
    struct File: Sendable {
        let path: String
        let request: [UInt8]
    }

    /// When some task stalled for 200 ms of 2 s: an unprivileged process may only ask for windows of whole multiples of 2 s.
    /// The kernel wants the NUL at the end.
    static let request = [UInt8]("some 200000 2000000\0".utf8)

    let events: MemoryEvents

    /// The first file that takes its request.
    static func first(of files: [File]) -> StallTrigger? {
        for file in files {
            if let trigger = StallTrigger(file) { return trigger }
        }
        return nil
    }

    private init?(_ file: File) {
        guard let found = Self.open(file) else { return nil }
        events = found
    }

    deinit { close(events.descriptor) }

    /// systemd's protocol: a regular file takes the request and tells by `POLLPRI`; a FIFO tells by input. Sockets, which it
    /// allows too, are passed over.
    private static func open(_ file: File) -> MemoryEvents? {
        // SAFETY: the path is NUL-terminated for the call; the kernel reads within the count, and fills a local.
        let descriptor = unsafe clinux_open(file.path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0)
        guard descriptor >= 0 else { return nil }
        var status = stat()
        _ = unsafe fstat(descriptor, &status)
        let isQueue = status.st_mode & S_IFMT == S_IFIFO
        if !isQueue {
            let written = unsafe file.request.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard status.st_mode & S_IFMT == S_IFREG, written == file.request.count else {
                close(descriptor)
                return nil
            }
        }
        return MemoryEvents(descriptor: descriptor, sign: isQueue ? .input : .priority)
    }
}

/// systemd writes trigger texts as Base64 (RFC 4648).
enum Base64 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The bytes; `nil` where the text is empty or no Base64.
    static func decoded(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for character in text.utf8 where character != UInt8(ascii: "=") {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
            }
        }
        return bytes.isEmpty ? nil : bytes
    }
}
