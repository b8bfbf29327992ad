import CLinux
import Glibc

/// A named thread that runs one body and can be joined by a deadline. ``ThreadSupervisor`` knows it while it runs.
///
/// A thread that is not joined in time goes on and keeps what its body holds until it returns: nothing that it touches
/// is freed under it.
package final class WorkerThread: Sendable {
    private let entry: ThreadEntry
    private let owner = OwningProcess()
    private let handle: Lock<pthread_t?>

    /// Starts a thread.
    ///
    /// - Parameters:
    ///   - name: What `top` and debuggers show; cut at 15 bytes.
    ///   - ask: Asks the body to return, from any thread and without waiting; `nil` where nobody can.
    ///   - body: Runs once, on the thread.
    /// - Throws: `outOfResources`.
    package init(
        name: String, ask: (@Sendable () -> Void)? = nil, body: @escaping @Sendable () -> Void
    ) throws(AudioError) {
        let entry = ThreadEntry(name: name, finished: try WakeUp())
        let number = ThreadRegistry.add(entry, ask: ask)
        let start = Start(entry: entry, number: number, body: body)
        // SAFETY: the context is retained for the thread, which takes the reference over; or we do where there is none.
        let context = unsafe Unmanaged.passRetained(start).toOpaque()
        var thread = pthread_t()
        let status = unsafe pthread_create(&thread, nil, runWorkerThread, context)
        guard status == 0 else {
            unsafe Unmanaged<Start>.fromOpaque(context).release()
            ThreadRegistry.remove(number)
            throw AudioError(systemCall: "pthread_create", status: status)
        }
        self.entry = entry
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
        guard entry.finished.waitUntilSignalled(by: deadline, clock: clock) else { return false }
        handle.withLock { handle in
            // The body has returned, so this is a matter of microseconds; joined once, as the handle then goes.
            if let thread = handle { _ = pthread_join(thread, nil) }
            handle = nil
        }
        return true
    }

    /// Whether the body has returned.
    package var hasEnded: Bool { entry.finished.isSignalled }

    /// Says that nobody waits for it any more, although it runs.
    package func quarantine() { entry.noteQuarantined() }

    /// Whether this is the calling thread.
    package var isCurrent: Bool {
        handle.withLock { handle in handle.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Becomes readable when the body has returned; for `poll`. Not to be read or closed.
    package var endDescriptor: Int32 { entry.finished.descriptor }

    /// What the thread starts with.
    fileprivate final class Start: Sendable {
        let entry: ThreadEntry
        let number: Int
        let body: @Sendable () -> Void

        init(entry: ThreadEntry, number: Int, body: @escaping @Sendable () -> Void) {
            self.entry = entry
            self.number = number
            self.body = body
        }
    }
}

/// The thread's first function. Not a closure: one written in isolated code traps on another thread.
private func runWorkerThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    // SAFETY: the reference that `init` retained for us.
    let start = unsafe Unmanaged<WorkerThread.Start>.fromOpaque(context!).takeRetainedValue()
    _ = unsafe pthread_setname_np(pthread_self(), String(start.entry.name.utf8.prefix(15)) ?? "")
    // Signals are for the program's own threads; but for those of a crash, which its handlers are to see.
    var signals = sigset_t()
    unsafe sigfillset(&signals)
    for crash in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT] { unsafe sigdelset(&signals, crash) }
    unsafe pthread_sigmask(SIG_SETMASK, &signals, nil)
    start.entry.noteRunning()
    start.body()
    // Before its end is told: who waited for that finds it gone.
    ThreadRegistry.remove(start.number)
    start.entry.finished.signal()
    return nil
}
