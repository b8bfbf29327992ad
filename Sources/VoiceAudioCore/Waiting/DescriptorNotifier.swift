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
            if let notifier = current.notifier, !notifier.wasStopped { return notifier }
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
        thread = try WorkerThread(name: "va-notify", ask: { loop.stop() }, body: { loop.run() })
    }

    deinit {
        loop.stop()
        // A task that the thread resumed may drop the last reference on that very thread: then it ends by itself.
        guard !thread.isCurrent else { return }
        let clock = SystemClock()
        _ = thread.join(by: clock.now.advanced(by: .seconds(1)), clock: clock)
    }

    /// Whether it was stopped, which ends all waits.
    package var wasStopped: Bool { loop.waiters.withLock { $0.wasStopped } }

    /// Waits once until `descriptor` is readable.
    ///
    /// - Returns: `false` where the task was cancelled first, or the descriptor cannot be watched, or it was stopped, or in a fork.
    package func waitUntilReadable(_ descriptor: Int32) async -> Bool {
        await DescriptorWatch(descriptor, by: self)?.untilReadable() ?? false
    }

    /// Takes `descriptor` into what can be waited for; whether that worked. ``forget(_:)`` is to follow.
    func watch(_ descriptor: Int32) -> Bool {
        // The kernel tells of a hang-up even so, once: under a number that nobody waits for.
        owner.isCurrent && loop.control(EPOLL_CTL_ADD, descriptor, for: nil, key: Waiters.nobodysKey)
    }

    /// Before a descriptor is closed. A fork shares what is watched, and leaves it alone.
    func forget(_ descriptor: Int32) { if owner.isCurrent { loop.forget(descriptor) } }

    /// Waits for a descriptor that was taken in, and for which nobody else waits.
    func waitUntilWatchedIsReadable(_ descriptor: Int32) async -> Bool {
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
        guard control(EPOLL_CTL_ADD, wakeUp.descriptor, for: EPOLLIN, key: Waiters.wakeUpKey) else {
            throw AudioError(systemCall: "epoll_ctl", status: errno)
        }
    }

    deinit { close(epoll) }

    func stop() {
        waiters.withLock { $0.wasStopped = true }
        wakeUp.signal()
    }

    func run() {
        while true {
            // SAFETY: room for the one event asked for; the key is what `control` put in.
            var event = unsafe epoll_event()
            let count = unsafe epoll_wait(epoll, &event, 1, -1)
            guard count == 1 else { continue }
            let key = unsafe event.data.u64
            if key == Waiters.wakeUpKey { return endWaits() }
            // Nobody is there where the wait was cancelled.
            waiters.withLock { $0.waiting.removeValue(forKey: key) }?.resume(returning: true)
        }
    }

    private func endWaits() {
        let ended = waiters.withLock { waiters in
            defer { waiters.waiting = [:] }
            return Array(waiters.waiting.values)
        }
        for continuation in ended { continuation.resume(returning: false) }
    }

    func wait(for descriptor: Int32, key: UInt64, continuation: CheckedContinuation<Bool, Never>) {
        let isWaiting = waiters.withLock { waiters in
            guard !waiters.isCancelled(key), !waiters.wasStopped else { return false }
            // The number is new at each wait: what comes late of an earlier one wakes nobody.
            guard control(EPOLL_CTL_MOD, descriptor, for: EPOLLIN, key: key) else { return false }
            waiters.waiting[key] = continuation
            return true
        }
        if !isWaiting { continuation.resume(returning: false) }
    }

    func cancel(_ key: UInt64) {
        let waiting = waiters.withLock { waiters in
            let waiting = waiters.waiting.removeValue(forKey: key)
            if waiting == nil { waiters.cancelled.insert(key) }
            return waiting
        }
        waiting?.resume(returning: false)
    }

    /// Has the kernel tell once of `events` at `descriptor`, under the number `key`.
    func control(_ operation: Int32, _ descriptor: Int32, for events: EPOLL_EVENTS?, key: UInt64) -> Bool {
        // SAFETY: a local, read by the kernel.
        var event = unsafe epoll_event()
        unsafe event.events = (events?.rawValue ?? 0) | EPOLLONESHOT.rawValue
        unsafe event.data.u64 = key
        return unsafe epoll_ctl(epoll, operation, descriptor, &event) == 0
    }

    func forget(_ descriptor: Int32) { _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil) }
}

/// Who waits for what.
private struct Waiters: Sendable {
    static let wakeUpKey: UInt64 = 0
    static let nobodysKey = UInt64.max
    /// Nobody is woken any more.
    var wasStopped = false
    var waiting: [UInt64: CheckedContinuation<Bool, Never>] = [:]
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
