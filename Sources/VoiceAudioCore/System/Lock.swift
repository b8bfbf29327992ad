import Glibc

/// A mutual-exclusion lock around a value, on a pthread mutex.
///
/// `Synchronization.Mutex` is not used: ThreadSanitizer on Linux does not see it and reports correct code.
///
/// The lock knows its owner: taking it again on the same thread is told, not a deadlock.
@safe
package final class Lock<Value>: @unchecked Sendable {
    // SAFETY: `mutex` is allocated once and freed in deinit; `held` is touched only between lock and unlock.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var held: Held

    /// The value, never empty: an empty one would share its address with its neighbour, and ThreadSanitizer would take
    /// the one for the other.
    private struct Held {
        var value: Value
        private let filler: UInt8 = 0
    }

    package init(_ value: consuming Value) {
        held = Held(value: value)
        unsafe mutex = .allocate(capacity: 1)
        var attributes = pthread_mutexattr_t()
        unsafe pthread_mutexattr_init(&attributes)
        unsafe pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_ERRORCHECK))
        unsafe pthread_mutex_init(mutex, &attributes)
        unsafe pthread_mutexattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` alone.
    ///
    /// - Precondition: This thread does not hold the lock.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let status = unsafe pthread_mutex_lock(mutex)
        precondition(status == 0, "lock taken twice on one thread")
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        return try body(&held.value)
    }

    /// Runs `body` alone, or answers `nil` at once where this thread holds the lock already.
    package func withLockUnlessHeld<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard unsafe pthread_mutex_lock(mutex) == 0 else { return nil }
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        return try body(&held.value)
    }

    /// Runs `body` alone, or answers `nil` at once where any thread holds the lock.
    package func withLockIfFree<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard unsafe pthread_mutex_trylock(mutex) == 0 else { return nil }
        defer { _ = unsafe pthread_mutex_unlock(mutex) }
        return try body(&held.value)
    }
}
