import Glibc
import Synchronization

/// The process that made an object. A fork of it (without exec) has the object's memory, but none of the threads, and
/// shares the descriptors: what it did with the object would be done to its parent.
///
/// > Concurrency: Safe from any thread.
@safe
package struct OwningProcess: Sendable {
    private let number: pid_t
    private let ownGeneration: Int
    // SAFETY: never freed. Kept here because reading a global may take a lock.
    nonisolated(unsafe) private let generation: UnsafeMutablePointer<Atomic<Int>>

    /// The calling process.
    package init() {
        number = getpid()
        unsafe generation = unsafe forkCount
        _ = isCountingForks
        ownGeneration = unsafe generation.pointee.load(ordering: .relaxed)
    }

    /// Whether this is the process, and no fork of it.
    ///
    /// > Real-time: Safe: one load.
    package var isCurrent: Bool {
        @_noLocks @_noAllocation
        get {
            // SAFETY: see there.
            unsafe generation.pointee.load(ordering: .relaxed) == ownGeneration
        }
    }

    /// What a fork is told.
    ///
    /// - Parameter what: Begins the sentence: "The processor".
    package func refusal(of what: String) -> AudioError {
        AudioError(.invalidState, "\(what) belongs to process \(number), of which this is a fork: make a new one here")
    }

    /// - Throws: `invalidState` in a fork.
    package func check(_ what: @autoclosure () -> String) throws(AudioError) {
        guard isCurrent else { throw refusal(of: what()) }
    }
}

/// Forks on the way from the process that began to this one. Not the process's number, which may come again.
// SAFETY: initialised once, never freed, and atomic.
nonisolated(unsafe) private let forkCount: UnsafeMutablePointer<Atomic<Int>> = {
    let count = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 1)
    unsafe count.initialize(to: Atomic(0))
    return unsafe count
}()

/// Once the count is there: else a fork in between would wait for it for ever. Fails only without memory.
private let isCountingForks = pthread_atfork(nil, nil, noteFork) == 0

/// Runs in the new process, before its `fork(2)` returns.
private func noteFork() {
    // SAFETY: the count was there before this was asked for.
    unsafe forkCount.pointee.wrappingAdd(1, ordering: .relaxed)
}
