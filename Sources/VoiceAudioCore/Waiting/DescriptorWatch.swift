import CLinux
import Glibc

/// A file that a notifier watches from one wait to the next: so a wait takes one system call, instead of four.
///
/// > Concurrency: One wait at a time.
final class DescriptorWatch: Sendable {
    /// By which it was made; it belongs to others.
    let descriptor: Int32
    private let notifier: DescriptorNotifier
    /// Of its own: epoll watches each descriptor only once, and several may wait for the same.
    private let copy: Int32

    /// `nil` where the descriptor cannot be watched, or in a fork.
    init?(_ descriptor: Int32, by notifier: DescriptorNotifier) {
        let copy = clinux_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        guard notifier.watch(copy) else {
            close(copy)
            return nil
        }
        self.descriptor = descriptor
        self.notifier = notifier
        self.copy = copy
    }

    deinit {
        notifier.forget(copy)
        close(copy)
    }

    /// Waits until it is readable; see ``DescriptorNotifier/waitUntilReadable(_:)``.
    func untilReadable() async -> Bool { await notifier.waitUntilWatchedIsReadable(copy) }
}
