import CLinux
import Glibc

/// A timerfd on the monotonic clock: for `poll` beside other descriptors. A fork shares it, and does not set it.
///
/// > Concurrency: Safe from any thread.
package final class TimerDescriptor: Sendable {
    /// Readable once the time is over; it belongs to this object.
    package let descriptor: Int32
    private let owner = OwningProcess()

    /// - Throws: `outOfResources`.
    package init() throws(AudioError) {
        descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard descriptor >= 0 else { throw AudioError(systemCall: "timerfd_create", status: errno) }
    }

    deinit { close(descriptor) }

    /// Makes ``descriptor`` readable after `time`, and not before; `nil` not at all.
    package func set(to time: Duration?) {
        guard owner.isCurrent else { return }
        // Zero would switch it off.
        let nanoseconds = time.map { max(1, $0.clampedNanoseconds) } ?? 0
        var setting = itimerspec()
        setting.it_value = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        // SAFETY: a local, read by the kernel.
        _ = unsafe timerfd_settime(descriptor, 0, &setting, nil)
    }
}
