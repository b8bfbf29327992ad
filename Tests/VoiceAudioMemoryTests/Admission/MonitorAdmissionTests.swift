import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

/// What a monitor recommends, and cleans up, as its source says.
struct MonitorAdmissionTests {
    private let source = PlayedSource()
    private let clock = ManualClock()
    private let monitor: MemoryPressureMonitor

    init() { monitor = MemoryPressureMonitor(source: source, clock: clock) }

    /// Of 1000 MiB an eighth is to stay free: 875 MiB can be used.
    @Test(
        arguments: [
            (50, 375 << 20, 40, 1), (70, 175 << 20, 20, 2), (80, (75 << 20) / 8, 10, 4), (95, -1, 1, 8),
        ])
    func itGoesByTheLevelAndTheHeadroom(usedPercent: Int, allowedBytes: Int, batch: Int, factor: Int) {
        source.use(percent: usedPercent)
        if allowedBytes >= 0 { #expect(monitor.canProceed("x", estimatedBytes: allowedBytes) == .allowed) }
        #expect(!monitor.canProceed("x", estimatedBytes: allowedBytes + 1).isAllowed)
        #expect(monitor.recommendedBatchSize(normal: 40) == batch)
        #expect(monitor.recommendedBatchSize(normal: 40, itemBytes: 1 << 30) == 1)
        #expect(monitor.recommendedInterval(normal: .seconds(1)) == .seconds(factor))
    }

    @Test func whatCannotBeSampledIsNotAllowed() {
        source.fail(AudioError(.memoryUnknown, "no such file"))
        guard case .refused(let reason) = monitor.canProceed("x", estimatedBytes: 1) else {
            Issue.record("allowed")
            return
        }
        #expect(reason.contains("no such file"))
    }

    @Test func cleaningUpOnRequestRunsEveryStageWhateverThePressure() {
        let handlers = [NotingHandler("a", answering: 5), NotingHandler("b", priority: 1)]
        for handler in handlers { monitor.register(handler) }
        let report = monitor.cleanUp(.emergency)
        #expect(report.calls.map(\.handler) == ["b", "a", "b", "a", "b", "a"])
        #expect(report.stages == MemoryCleanupStage.allCases && monitor.lastCleanup == report)
        monitor.deregister(handlers[0])
        #expect(monitor.cleanUp(.trim).calls.map(\.handler) == ["b"])
        monitor.stop()
    }
}
