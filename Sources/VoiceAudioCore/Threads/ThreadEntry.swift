import CLinux
import Glibc
import Synchronization

/// A thread that runs, as others see it: written by the thread itself, read by anybody.
final class ThreadEntry: Sendable {
    let name: String
    /// When it was started, on the system's clock.
    let start = SystemClock().now
    /// Signalled when its body has returned.
    let finished: WakeUp
    private let threadID = Atomic<Int32>(0)
    private let cpuClock = Atomic<Int32>(0)
    private let quarantined = Atomic<Bool>(false)

    init(name: String, finished: WakeUp) {
        self.name = name
        self.finished = finished
    }

    /// By the thread, before its body.
    func noteRunning() {
        var clock = clockid_t()
        // SAFETY: the call fills a local.
        if unsafe pthread_getcpuclockid(pthread_self(), &clock) == 0 { cpuClock.store(clock, ordering: .relaxed) }
        threadID.store(clinux_gettid(), ordering: .releasing)
    }

    /// Whether this is the calling thread.
    var isCurrent: Bool { threadID.load(ordering: .relaxed) == clinux_gettid() }

    func noteQuarantined() { quarantined.store(true, ordering: .relaxed) }

    func report(number: Int, at now: MonotonicInstant) -> ThreadReport {
        let id = threadID.load(ordering: .acquiring)
        return ThreadReport(
            number: number, name: name, threadID: id == 0 ? nil : Int(id),
            ageSeconds: max(.zero, start.duration(to: now)) / .seconds(1), cpuSeconds: id == 0 ? nil : cpuSeconds,
            isQuarantined: quarantined.load(ordering: .relaxed))
    }

    /// `nil` once the thread is no more.
    private var cpuSeconds: Double? {
        var time = timespec()
        // SAFETY: the kernel fills a local, and knows the clock of a thread that has ended no more.
        guard unsafe clock_gettime(cpuClock.load(ordering: .relaxed), &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// The threads of this process that run.
///
/// A thread is in it from before it begins until its body has returned, whoever keeps its ``WorkerThread``. A fork has none.
enum ThreadRegistry {
    struct Registered: Sendable {
        let number: Int
        let entry: ThreadEntry
        /// Asks the thread to end; `nil` where it cannot be asked. Not kept by the entry: what it holds goes with the thread.
        let ask: (@Sendable () -> Void)?
    }

    private struct State: Sendable {
        var threads: [Int: Registered] = [:]
        var lastNumber = 0
    }

    private static let state = PerProcess(Lock(State())) { _ in Lock(State()) }

    static func add(_ entry: ThreadEntry, ask: (@Sendable () -> Void)?) -> Int {
        state.value.withLock { state in
            state.lastNumber += 1
            state.threads[state.lastNumber] = Registered(number: state.lastNumber, entry: entry, ask: ask)
            return state.lastNumber
        }
    }

    static func remove(_ number: Int) {
        // Released off the lock.
        let removed = state.value.withLock { $0.threads.removeValue(forKey: number) }
        withExtendedLifetime(removed) {}
    }

    static func thread(_ number: Int) -> Registered? { state.value.withLock { $0.threads[number] } }

    /// In the order in which they were started.
    static var threads: [Registered] {
        state.value.withLock { $0.threads.values.map { $0 } }.sorted { $0.number < $1.number }
    }
}
