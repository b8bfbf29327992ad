package import CLinux
import Glibc

/// File descriptors to wait on, in memory allocated once, so that waiting allocates nothing.
///
/// The descriptors themselves belong to others: this only names them.
@safe
public struct DescriptorSet: ~Copyable {
    // SAFETY: allocated in init with room for all entries, freed in deinit; touched by this value's holder alone. Behind
    // the set's own entries lies one for a clock.
    private let storage: UnsafeMutableBufferPointer<pollfd>

    /// A set of `count` places, none in use.
    package init(count: Int) {
        unsafe storage = .allocate(capacity: count + 1)
        unsafe storage.initialize(repeating: pollfd(fd: -1, events: 0, revents: 0))
    }

    deinit { unsafe storage.deallocate() }

    package var count: Int { unsafe storage.count - 1 }

    /// Watches `descriptor` for input, or for what has priority, in place `index`; −1 leaves the place unused.
    package mutating func watch(_ descriptor: Int32, at index: Int, forPriority: Bool = false) {
        unsafe storage[index] = pollfd(fd: descriptor, events: Int16(forPriority ? POLLPRI : POLLIN), revents: 0)
    }

    /// Whether anything (input, hang-up, error) came for place `index` in the last wait.
    package func isReady(at index: Int) -> Bool { unsafe storage[index].revents != 0 }

    /// Whether the last wait found that nothing more will come for place `index`.
    package func hasFailed(at index: Int) -> Bool {
        unsafe Int32(storage[index].revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
    }

    /// The raw entries, for a library that fills and reads them itself.
    @unsafe package func withEntries<Result>(_ body: (UnsafeMutableBufferPointer<pollfd>) -> Result) -> Result {
        unsafe body(UnsafeMutableBufferPointer(rebasing: storage[..<count]))
    }

    /// Keeps programs that are started from now on from inheriting the descriptors, whoever opened them.
    package func closeOnExec() {
        for index in 0..<count {
            let descriptor = unsafe storage[index].fd
            let flags = clinux_fcntl_int(descriptor, F_GETFD, 0)
            if flags >= 0 { _ = clinux_fcntl_int(descriptor, F_SETFD, flags | FD_CLOEXEC) }
        }
    }

    /// Waits in the kernel; see ``AudioClock/wait(for:until:)``.
    package func poll(nanoseconds: Int64?) -> Int { poll(entries: count, nanoseconds: nanoseconds) }

    /// Waits in the kernel, without end, also for a clock's own descriptor, which is not counted.
    package func poll(alsoFor descriptor: Int32) -> Int {
        // SAFETY: init made room for one entry more than `count`.
        unsafe storage[count] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let ready = poll(entries: count + 1, nanoseconds: nil)
        return unsafe storage[count].revents == 0 ? ready : ready - 1
    }

    private func poll(entries: Int, nanoseconds: Int64?) -> Int {
        var ready: Int32
        if let nanoseconds {
            var timeout = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
            // SAFETY: the storage lives as long as self, and the kernel writes within its count; the time-out is a local.
            ready = unsafe clinux_ppoll(storage.baseAddress, UInt(entries), &timeout)
        } else {
            // SAFETY: as above.
            ready = unsafe clinux_ppoll(storage.baseAddress, UInt(entries), nil)
        }
        guard ready < 0 else { return Int(ready) }
        // An interrupted poll leaves what an earlier one found.
        for index in 0..<entries { unsafe storage[index].revents = 0 }
        return 0
    }
}
