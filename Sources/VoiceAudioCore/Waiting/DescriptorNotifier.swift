import CLinux
import Glibc

/// Lets async code wait for file descriptors: one thread for all of them, there while somebody holds a notifier.
///
/// The capture thread only writes to an eventfd; this thread sees that and resumes the task that waits. So nothing of
/// Swift concurrency runs on the capture thread, and no thread of the concurrency pool blocks.
package final class DescriptorNotifier: Sendable {
    private let loop: NotifierLoop
    private let thread: WorkerThread
    private let owner = OwningProcess()

    /// The running notifier, or a new one; it ends when the last reference goes.
    ///
    /// - Throws: `outOfResources`.
    package static func running() throws(AudioError) -> DescriptorNotifier {
        try current.value.withLock { (current) throws(AudioError) in
            if let notifier = current.notifier { return notifier }
            let notifier = try DescriptorNotifier()
            current.notifier = notifier
            return notifier
        }
    }

    private static let current = PerProcess(Lock(Current())) { _ in Lock(Current()) }

    private struct Current: Sendable {
        weak var notifier: DescriptorNotifier?
    }

    private init() throws(AudioError) {
        let loop = try NotifierLoop()
        self.loop = loop
        thread = try WorkerThread(name: "va-notify") { loop.run() }
    }

    deinit {
        loop.stop()
        // A task that the thread resumed may drop the last reference on that very thread: then it ends by itself.
        guard !thread.isCurrent else { return }
        let clock = SystemClock()
        _ = thread.join(by: clock.now.advanced(by: .seconds(1)), clock: clock)
    }

    /// Waits until `descriptor` is readable.
    ///
    /// - Returns: `false` where the task was cancelled first, or the descriptor cannot be watched, or in a fork.
    package func waitUntilReadable(_ descriptor: Int32) async -> Bool {
        guard owner.isCurrent else { return false }
        let key = loop.waiters.withLock { $0.newKey() }
        defer { loop.waiters.withLock { $0.forget(key) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { loop.wait(for: descriptor, key: key, continuation: $0) }
        } onCancel: {
            loop.cancel(key)
        }
    }
}

/// The notifier's thread and what it watches.
private final class NotifierLoop: Sendable {
    let waiters = Lock(Waiters())
    private let epoll: Int32
    private let wakeUp: WakeUp

    init() throws(AudioError) {
        wakeUp = try WakeUp()
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw AudioError(systemCall: "epoll_create1", status: errno) }
        guard watch(wakeUp.descriptor, key: Waiters.wakeUpKey) else {
            throw AudioError(systemCall: "epoll_ctl", status: errno)
        }
    }

    deinit { close(epoll) }

    func stop() { wakeUp.signal() }

    func run() {
        while true {
            // SAFETY: room for the one event asked for; the key is what `watch` put in.
            var event = unsafe epoll_event()
            let count = unsafe epoll_wait(epoll, &event, 1, -1)
            guard count == 1 else { continue }
            let key = unsafe event.data.u64
            if key == Waiters.wakeUpKey { return }
            waiters.withLock { unwatch(key, in: &$0) }?.resume(returning: true)
        }
    }

    func wait(for descriptor: Int32, key: UInt64, continuation: CheckedContinuation<Bool, Never>) {
        let isWaiting = waiters.withLock { waiters in
            guard !waiters.isCancelled(key) else { return false }
            // A descriptor of its own: epoll watches each only once, and several may wait for the same.
            let copy = clinux_fcntl_int(descriptor, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { return false }
            guard watch(copy, key: key) else {
                close(copy)
                return false
            }
            waiters.waiting[key] = Waiters.Waiter(continuation: continuation, descriptor: copy)
            return true
        }
        if !isWaiting { continuation.resume(returning: false) }
    }

    func cancel(_ key: UInt64) {
        let waiting = waiters.withLock { waiters in
            let waiting = unwatch(key, in: &waiters)
            if waiting == nil { waiters.cancelled.insert(key) }
            return waiting
        }
        waiting?.resume(returning: false)
    }

    private func unwatch(_ key: UInt64, in waiters: inout Waiters) -> CheckedContinuation<Bool, Never>? {
        guard let waiter = waiters.waiting.removeValue(forKey: key) else { return nil }
        _ = epoll_ctl(epoll, EPOLL_CTL_DEL, waiter.descriptor, nil)
        close(waiter.descriptor)
        return waiter.continuation
    }

    private func watch(_ descriptor: Int32, key: UInt64) -> Bool {
        // SAFETY: a local, read by the kernel.
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue
        unsafe event.data.u64 = key
        return unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }
}

/// Who waits for what.
private struct Waiters: Sendable {
    struct Waiter: Sendable {
        var continuation: CheckedContinuation<Bool, Never>
        var descriptor: Int32
    }

    static let wakeUpKey: UInt64 = 0
    var waiting: [UInt64: Waiter] = [:]
    /// Cancelled before they began to wait.
    var cancelled: Set<UInt64> = []
    private var lastKey: UInt64 = 0

    mutating func newKey() -> UInt64 {
        lastKey += 1
        return lastKey
    }

    func isCancelled(_ key: UInt64) -> Bool { cancelled.contains(key) }

    mutating func forget(_ key: UInt64) { cancelled.remove(key) }
}
