import TestSupport
import VoiceAudioCore
import VoiceAudioMemory
import XCTest

/// Monitors by the dozen: no descriptor, thread or memory stays behind.
final class PressureMonitorLeakTests: XCTestCase {
    private final class Handler: MemoryCleanupHandler {
        let cleanupName = "handler"
        let cleanupPriority = 0
        func freeMemory(_ stage: MemoryCleanupStage) -> Int { 0 }
    }

    /// Memory that is critical: each monitor cleans up.
    private struct Critical: MemorySource {
        let system = SystemMemorySource()

        var events: MemoryEvents? { system.events }

        func sample() throws(AudioError) -> MemorySample {
            var sample = try system.sample()
            sample.limits.append(MemoryLimit(origin: .cgroupV2, groupPath: "/a", limitBytes: 100, usedBytes: 99))
            return sample
        }
    }

    private func run(_ rounds: Int) async throws {
        for round in 0..<rounds {
            let monitor = MemoryPressureMonitor(source: Critical())
            let handler = Handler()
            monitor.register(handler)
            var changes = monitor.changes().makeAsyncIterator()
            let first = try await changes.next()
            XCTAssertEqual(first?.level, .critical)
            // One in two is stopped, the others go with their last reference.
            if round.isMultiple(of: 2) { XCTAssertTrue(monitor.stop(deadline: .seconds(60))) }
        }
    }

    func testSixtyLeaveNothingBehind() async throws {
        try await run(10)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        let resident = ProcessCounts.residentBytes
        try await run(60)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - resident, 1 << 20) }
    }
}
