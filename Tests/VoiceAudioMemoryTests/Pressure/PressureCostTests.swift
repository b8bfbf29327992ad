import Glibc
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// What watching takes, of the processor time of the thread that does it: whatever else runs makes no difference.
struct PressureCostTests {
    @Test(.enabled(if: !ProcessCounts.isSanitized)) func watchingTakesLessThanAThousandthOfACore() {
        let core = PressureCore(
            configuration: .standard, source: SystemMemorySource(), clock: SystemClock(), logSink: SilentLogSink(),
            cleanupSlot: .seconds(1))
        core.takeSample()
        let count = 100
        // The best of some: a machine may be busy.
        let seconds = (0..<5).map { _ in
            let start = Self.threadSeconds
            for _ in 0..<count { core.takeSample() }
            return (Self.threadSeconds - start) / Double(count)
        }
        #expect(seconds.min() ?? 1 < 0.001 * (MemoryPressureConfiguration.standard.interval / .seconds(1)))
    }

    private static var threadSeconds: Double {
        var time = timespec()
        // SAFETY: the kernel fills a local.
        _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
