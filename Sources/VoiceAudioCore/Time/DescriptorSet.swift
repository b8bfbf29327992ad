package import CLinux
import Glibc

/// File descriptors to wait on, in memory allocated once, so that waiting allocates nothing.
///
/// The descriptors themselves belong to others: this only names them.
@safe
public struct DescriptorSet: ~Copyable {
    // SAFETY: allocated in init with room for all entries, freed in deinit; touched by this value's holder alone.
    private let storage: UnsafeMutableBufferPointer<pollfd>

    /// A set of `count` places, none in use.
    package init(count: Int) {
        unsafe storage = .allocate(capacity: count)
        unsafe storage.initialize(repeating: pollfd(fd: -1, events: 0, revents: 0))
    }

    deinit { unsafe storage.deallocate() }

    package var count: Int { unsafe storage.count }

    /// Watches `descriptor` for input in place `index`; −1 leaves the place unused.
    package mutating func watch(_ descriptor: Int32, at index: Int) {
        unsafe storage[index] = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    }

    /// Whether anything (input, hang-up, error) came for place `index` in the last wait.
    package func isReady(at index: Int) -> Bool { unsafe storage[index].revents != 0 }

    /// The raw entries, for a library that fills and reads them itself.
    @unsafe package func withEntries<Result>(_ body: (UnsafeMutableBufferPointer<pollfd>) -> Result) -> Result {
        unsafe body(storage)
    }

    /// Waits in the kernel; see ``AudioClock/wait(for:until:)``.
    package func poll(nanoseconds: Int64?) -> Int {
        guard let nanoseconds else {
            // SAFETY: the storage lives as long as self, and the kernel writes within its count.
            return max(0, Int(unsafe clinux_ppoll(storage.baseAddress, UInt(storage.count), nil)))
        }
        var timeout = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // SAFETY: as above; the time-out is a local.
        return max(0, Int(unsafe clinux_ppoll(storage.baseAddress, UInt(storage.count), &timeout)))
    }
}
