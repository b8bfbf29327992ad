import CLinux
import Glibc

/// A pair of readings, monotonic and wall clock, taken together: turns monotonic instants into dates.
package struct WallClock: Sendable {
    private let monotonic: MonotonicInstant
    private let nanosecondsSince1970: Int64

    /// Reads the wall clock now; `monotonic` is now on the clock whose instants are to be turned.
    package init(at monotonic: MonotonicInstant) {
        var time = timespec()
        // SAFETY: the kernel fills a local; a valid clock id cannot fail.
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        self.monotonic = monotonic
        nanosecondsSince1970 = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    package func secondsSince1970(at instant: MonotonicInstant) -> Double {
        Double(nanosecondsSince1970 + (instant.nanoseconds - monotonic.nanoseconds)) / 1e9
    }
}
