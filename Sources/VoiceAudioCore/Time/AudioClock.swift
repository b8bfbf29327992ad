import CLinux
import Glibc

/// The clock that every deadline, pace and time stamp of the library goes by.
///
/// Programs use ``SystemClock``; tests pass ``ManualClock`` and move time by hand, so that nothing has to sleep.
///
/// > Concurrency: Safe from any thread.
public protocol AudioClock: Sendable {
    /// The present instant.
    ///
    /// > Real-time: Safe: never blocks or allocates.
    var now: MonotonicInstant { get }

    /// Waits until one of `descriptors` is ready or `deadline` has come.
    ///
    /// - Parameters:
    ///   - descriptors: What to watch; it also keeps which of them are ready.
    ///   - deadline: On this clock; `nil` waits for ever.
    /// - Returns: How many descriptors are ready; 0 at the deadline or when a signal handler ran.
    func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int
}

/// `CLOCK_MONOTONIC` and `ppoll(2)`.
public struct SystemClock: AudioClock {
    /// The system's clock; all of them are the same.
    public init() {}

    public var now: MonotonicInstant {
        var time = timespec()
        // SAFETY: the kernel fills a local; a valid clock id cannot fail.
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    public func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int {
        descriptors.poll(nanoseconds: deadline.map { max(0, $0.nanoseconds - now.nanoseconds) })
    }
}
