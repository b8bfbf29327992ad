import CPeers
import Foundation
import Synchronization

/// Two threads that stay, each on a processor of its own where that is allowed, and do a job each at the same time.
public final class ThreadPair: @unchecked Sendable {
    // SAFETY (of the unchecked): a job is set before its thread is told, and its end is awaited before it is touched again.
    private var jobs: [() -> Void] = [{}, {}]
    private let times = Mutex<(start: Double, end: Double)?>(nil)
    private let begin = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
    private let done = DispatchSemaphore(value: 0)
    private let atTheLine = Atomic<Int>(0)
    private let pinned = Atomic<Int>(0)
    private let processors: [Int32]

    public init() {
        processors = (0..<2).map { affinity_allowed($0) }
        for index in 0..<2 {
            let thread = Thread { [self] in work(index) }
            thread.start()
        }
        run({}, {})
    }

    /// Where the threads are, for the note of a table.
    public var places: String {
        guard pinned.load(ordering: .relaxed) == 2 else { return "threads not pinned to processors" }
        return "threads pinned to processors \(processors[0]) and \(processors[1])"
    }

    /// Does both, and answers how many seconds passed from the first's start to the last's end.
    @discardableResult
    public func run(_ first: @escaping () -> Void, _ second: @escaping () -> Void) -> Double {
        jobs = [first, second]
        atTheLine.store(0, ordering: .relaxed)
        times.withLock { $0 = nil }
        for semaphore in begin { semaphore.signal() }
        for _ in 0..<2 { done.wait() }
        jobs = [{}, {}]
        return times.withLock { $0.map { $0.end - $0.start } ?? .nan }
    }

    private func work(_ index: Int) {
        if processors[1] >= 0, affinity_bind(processors[index]) != 0 { pinned.wrappingAdd(1, ordering: .relaxed) }
        while true {
            begin[index].wait()
            // Waking takes longer than many a job.
            atTheLine.wrappingAdd(1, ordering: .acquiringAndReleasing)
            while atTheLine.load(ordering: .acquiring) < 2 { ring_pause() }
            let start = seconds()
            jobs[index]()
            let end = seconds()
            times.withLock { $0 = ($0.map { (min($0.start, start), max($0.end, end)) } ?? (start, end)) }
            done.signal()
        }
    }

}

/// Seconds on a clock that goes evenly.
public func seconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}
