import CLinux
import Glibc

/// One descriptor that is readable when any of several is: an epoll instance, which `poll` takes as any other.
package final class ReadableAny: Sendable {
    /// To watch for input; it belongs to this object.
    package let descriptor: Int32

    /// - Throws: `outOfResources`.
    package init() throws(AudioError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw AudioError(systemCall: "epoll_create1", status: errno) }
    }

    deinit { close(descriptor) }

    /// Watches `source`, too, until whoever owns that closes it.
    ///
    /// - Throws: `outOfResources`.
    package func watch(_ source: Int32) throws(AudioError) {
        // SAFETY: a local, read by the kernel.
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        guard unsafe epoll_ctl(descriptor, EPOLL_CTL_ADD, source, &event) == 0 else {
            throw AudioError(systemCall: "epoll_ctl", status: errno)
        }
    }

    /// Watches `source` no longer. Before it is closed, where a fork may still have it open.
    package func forget(_ source: Int32) { _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, source, nil) }
}
