import CLinux
import Glibc
import Synchronization

/// An eventfd: wakes a thread that waits in `poll`. A fork shares it, and neither signals nor clears.
///
/// > Concurrency: ``signal()`` from any thread; ``clear()`` by whoever waits.
///
/// > Real-time: ``signal()`` is safe: one non-blocking `write(2)`.
package final class WakeUp: Sendable {
    /// To watch for input; it belongs to this object.
    package let descriptor: Int32
    private let owner = OwningProcess()
    /// Signalled, or about to be, since it was cleared. So it may be wrong for a moment while both happen at once.
    private let wasSignalled = Atomic<Bool>(false)

    /// - Parameter counts: Whether each signal wakes one waiter (a semaphore), instead of all signals together one.
    package init(counts: Bool = false) throws(AudioError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK) | (counts ? Int32(EFD_SEMAPHORE) : 0))
        guard descriptor >= 0 else { throw AudioError(systemCall: "eventfd", status: errno) }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable.
    package func signal() {
        guard owner.isCurrent else { return }
        wasSignalled.store(true, ordering: .relaxed)
        _ = eventfd_write(descriptor, 1)
    }

    /// Whether it was signalled, and not cleared since.
    package var isSignalled: Bool {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(descriptor, at: 0)
        return descriptors.poll(nanoseconds: 0) > 0
    }

    /// Waits until it is signalled, and leaves it so; whether it is by `deadline`.
    package func waitUntilSignalled(by deadline: MonotonicInstant, clock: any AudioClock) -> Bool {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(descriptor, at: 0)
        while clock.wait(for: descriptors, until: deadline) == 0 {
            if clock.now >= deadline { return false }
        }
        return true
    }

    /// Takes the signals back (a semaphore: one of them).
    package func clear() {
        guard owner.isCurrent else { return }
        wasSignalled.store(false, ordering: .relaxed)
        var count: eventfd_t = 0
        // SAFETY: the kernel fills a local.
        _ = unsafe eventfd_read(descriptor, &count)
    }

    /// Takes old signals back where there were any, before a wait: no system call where there were none. One that comes in this
    /// moment may stay, and end the wait early. Not for a semaphore.
    package func clearOld() { if wasSignalled.load(ordering: .relaxed) { clear() } }
}
