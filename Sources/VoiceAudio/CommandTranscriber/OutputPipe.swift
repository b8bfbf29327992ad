import CLinux
import Glibc
import VoiceAudioCore

/// A pipe that a child writes to and this process reads, until all who could write to it are gone.
struct OutputPipe: ~Copyable {
    /// To read, without blocking, and to watch for input; −1 once it has ended.
    private(set) var descriptor: Int32
    /// For the child. Blocks, as programs expect.
    private(set) var childDescriptor: Int32
    private let events: ReadableAny

    /// - Parameter events: Becomes readable when there is something to read, or the end, once ``watch()`` was called.
    /// - Throws: `outOfResources`.
    init(events: ReadableAny) throws(AudioError) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: room for the two numbers that the kernel fills in.
        guard unsafe ends.withUnsafeMutableBufferPointer({ unsafe clinux_pipe($0.baseAddress, O_CLOEXEC) }) == 0 else {
            throw AudioError(systemCall: "pipe2", status: errno)
        }
        descriptor = aboveStandardOnes(ends[0])
        childDescriptor = aboveStandardOnes(ends[1])
        self.events = events
        let flags = clinux_fcntl_int(descriptor, F_GETFL, 0)
        _ = clinux_fcntl_int(descriptor, F_SETFL, flags | O_NONBLOCK)
    }

    /// - Throws: `outOfResources`.
    func watch() throws(AudioError) { try events.watch(descriptor) }

    deinit {
        if descriptor >= 0 { Glibc.close(descriptor) }
        if childDescriptor >= 0 { Glibc.close(childDescriptor) }
    }

    /// Leaves the writing to the child, so that there can be an end.
    mutating func closeChildEnd() {
        Glibc.close(childDescriptor)
        childDescriptor = -1
    }

    /// What is there, at most 64 KiB of it; closed at the end.
    mutating func read() -> [UInt8] {
        while descriptor >= 0 {
            var result = 0
            var status: Int32 = 0
            // SAFETY: the kernel writes within the capacity, and says how much.
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { room, count in
                result = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
                status = errno
                count = max(0, result)
            }
            if result < 0 && status == EINTR { continue }
            if result == 0 || (result < 0 && status != EAGAIN) { close() }
            return bytes
        }
        return []
    }

    /// Reads no more: who goes on to write gets `SIGPIPE`.
    mutating func close() {
        guard descriptor >= 0 else { return }
        // A fork of this process may have it open, too.
        events.forget(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
    }
}

/// The descriptor, or a copy in its place above 2: where this process has closed its standard ones, a pipe gets their
/// numbers, and what sets up those of a child would overwrite it.
private func aboveStandardOnes(_ descriptor: Int32) -> Int32 {
    guard (0...2).contains(descriptor) else { return descriptor }
    defer { close(descriptor) }
    return clinux_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 3)
}
