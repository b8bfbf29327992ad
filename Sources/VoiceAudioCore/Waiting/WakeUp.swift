import CLinux
import Glibc

/// An eventfd: wakes a thread that waits in `poll`. A fork shares it, and neither signals nor clears.
///
/// > Concurrency: ``signal()`` from any thread; ``clear()`` by whoever waits.
///
/// > Real-time: ``signal()`` is safe: one non-blocking `write(2)`.
package final class WakeUp: Sendable {
    /// To watch for input; it belongs to this object.
    package let descriptor: Int32
    private let owner = OwningProcess()

    /// - Parameter counts: Whether each signal wakes one waiter (a semaphore), instead of all signals together one.
    package init(counts: Bool = false) throws(AudioError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK) | (counts ? Int32(EFD_SEMAPHORE) : 0))
        guard descriptor >= 0 else { throw AudioError(systemCall: "eventfd", status: errno) }
    }

    deinit { close(descriptor) }

    /// Makes the descriptor readable.
    package func signal() { if owner.isCurrent { _ = eventfd_write(descriptor, 1) } }

    /// Whether it was signalled, and not cleared since.
    package var isSignalled: Bool {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(descriptor, at: 0)
        return descriptors.poll(nanoseconds: 0) > 0
    }

    /// Takes the signals back (a semaphore: one of them).
    package func clear() {
        guard owner.isCurrent else { return }
        var count: eventfd_t = 0
        // SAFETY: the kernel fills a local.
        _ = unsafe eventfd_read(descriptor, &count)
    }
}
