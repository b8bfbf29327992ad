/// The threads that the library has in this process: who they are, and their end.
///
/// A thread is known from its start until its work is done, whether somebody waits for that or not. A fork of the process
/// (without exec) has none of them.
///
/// > Concurrency: Safe from any thread.
///
/// > Real-time: Not safe: takes a lock.
public enum ThreadSupervisor {
    /// The threads there are now, in the order in which they were started.
    ///
    /// - Complexity: O(*n* log *n*) in the threads, with a system call for each.
    public static var threads: [ThreadReport] {
        let now = SystemClock().now
        return ThreadRegistry.threads.map { $0.entry.report(number: $0.number, at: now) }
    }

    /// Waits for a thread's end, without asking for it.
    ///
    /// - Parameters:
    ///   - number: ``ThreadReport/number``.
    ///   - deadline: Longest wait.
    ///   - clock: What the deadline goes by.
    /// - Returns: Whether there is no such thread any more; `false` at once on that very thread.
    ///
    /// > Concurrency: Blocks.
    public static func join(number: Int, deadline: Duration, clock: any AudioClock = SystemClock()) -> Bool {
        guard let thread = ThreadRegistry.thread(number) else { return true }
        return waitForEnd(of: thread, by: clock.now.advanced(by: deadline), clock)
    }

    /// Asks every thread to end that can be asked, and waits for all of them.
    ///
    /// Captures end as if their source had: what was recorded can be had. Monitors stop sampling. Calls under way, and
    /// programs that transcribe, go on to their own deadlines. Last comes the thread that wakes tasks: those that still wait
    /// then throw `cancelled`. Threads that start meanwhile are not waited for, and a shutdown hook stays.
    ///
    /// - Parameters:
    ///   - deadline: Longest wait.
    ///   - clock: What the deadline goes by.
    /// - Returns: The threads that did not end, which go on; they are quarantined. The calling thread is not among them.
    ///
    /// > Concurrency: Blocks.
    public static func stopAll(
        deadline: Duration = .seconds(10), clock: any AudioClock = SystemClock()
    ) -> [ThreadReport] {
        let start = clock.now
        let threads = ThreadRegistry.threads.filter { !$0.entry.isCurrent && !$0.isShutdown }
        let notifiers = threads.filter { $0.isNotifier }
        let others = threads.filter { !$0.isNotifier }
        for thread in others { thread.ask?() }
        // Something is left for those that come last.
        for thread in others { _ = waitForEnd(of: thread, by: start.advanced(by: deadline / 10 * 9), clock) }
        for thread in notifiers { thread.ask?() }
        let running = threads.filter { !waitForEnd(of: $0, by: start.advanced(by: deadline), clock) }
        let now = SystemClock().now
        return running.map { thread in
            thread.entry.noteQuarantined()
            return thread.entry.report(number: thread.number, at: now)
        }
    }

    /// As the blocking `stopAll()`, without blocking the caller's thread.
    ///
    /// - Throws: ``AudioError`` with code `outOfResources` where no thread can be had.
    public static func stopAll(
        deadline: Duration = .seconds(10), clock: any AudioClock = SystemClock()
    ) async throws(AudioError) -> [ThreadReport] {
        try await onThreadOfItsOwn { stopAll(deadline: deadline, clock: clock) }
    }

    private static func waitForEnd(
        of thread: ThreadRegistry.Registered, by deadline: MonotonicInstant, _ clock: any AudioClock
    ) -> Bool {
        !thread.entry.isCurrent && thread.entry.finished.waitUntilSignalled(by: deadline, clock: clock)
    }
}

extension ThreadRegistry.Registered {
    fileprivate var isNotifier: Bool { entry.name == "va-notify" }
    fileprivate var isShutdown: Bool { entry.name == "va-shutdown" }
}
