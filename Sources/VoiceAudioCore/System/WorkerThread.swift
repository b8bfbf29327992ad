import CLinux
import Glibc

/// A named thread that runs one body and can be joined by a deadline.
///
/// A thread that is not joined in time goes on and keeps what its body holds until it returns: nothing that it touches
/// is freed under it.
package final class WorkerThread: Sendable {
    /// Signalled when the body has returned.
    private let finished: WakeUp
    private let owner = OwningProcess()
    private let handle: Lock<pthread_t?>

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What `top` and debuggers show; cut at 15 bytes.
    ///   - body: Runs once, on the thread.
    /// - Throws: `outOfResources`.
    package init(name: String, body: @escaping @Sendable () -> Void) throws(AudioError) {
        let finished = try WakeUp()
        let start = Start(name: name, body: body, finished: finished)
        // SAFETY: the context is retained for the thread, which takes the reference over; or we do where there is none.
        let context = unsafe Unmanaged.passRetained(start).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(&thread, nil, runWorkerThread, context)
        guard status == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(context).release()
            throw AudioError(systemCall: "pthread_create", status: status)
        }
        self.finished = finished
        handle = Lock(thread)
    }

    /// A thread that nobody joined cleans up after itself.
    deinit {
        // In a fork there is no such thread.
        guard owner.isCurrent else { return }
        handle.withLock { handle in
            if let thread = handle { pthread_detach(thread) }
        }
    }

    /// Waits for the thread's end.
    ///
    /// - Returns: Whether it ended by `deadline`; a second call answers the same. `true` in a fork, which has no such
    ///   thread.
    ///
    /// > Concurrency: Safe from any thread but the one waited for.
    package func join(by deadline: MonotonicInstant, clock: any AudioClock) -> Bool {
        guard owner.isCurrent else { return true }
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(finished.descriptor, at: 0)
        while clock.wait(for: descriptors, until: deadline) == 0 {
            if clock.now >= deadline { return false }
        }
        handle.withLock { handle in
            // The body has returned, so this is a matter of microseconds; joined once, as the handle then goes.
            if let thread = handle { _ = pthread_join(thread, nil) }
            handle = nil
        }
        return true
    }

    /// Whether the body has returned.
    package var hasEnded: Bool { finished.isSignalled }

    /// Whether this is the calling thread.
    package var isCurrent: Bool {
        handle.withLock { handle in handle.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Becomes readable when the body has returned; for `poll`. Not to be read or closed.
    package var endDescriptor: Int32 { finished.descriptor }

    /// What the thread starts with.
    fileprivate final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        let finished: WakeUp

        init(name: String, body: @escaping @Sendable () -> Void, finished: WakeUp) {
            self.name = name
            self.body = body
            self.finished = finished
        }
    }
}

/// The thread's first function. Not a closure: one written in isolated code traps on another thread.
private func runWorkerThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // SAFETY: the reference that `init` retained for us.
    let start = unsafe Unmanaged<WorkerThread.Start>.fromOpaque(context!).takeRetainedValue()
    _ = unsafe pthread_setname_np(pthread_self(), String(start.name.utf8.prefix(15)) ?? "")
    // Signals are for the program's own threads; but for those of a crash, which its handlers are to see.
    var signals = sigset_t()
    unsafe sigfillset(&signals)
    for crash in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { unsafe sigdelset(&signals, crash) }
    unsafe pthread_sigmask(SIG_SETMASK, &signals, nil)
    start.body()
    start.finished.signal()
    return nil
}
