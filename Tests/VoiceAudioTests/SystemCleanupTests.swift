import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory

/// A clean-up of all that a reporter knows.
@Suite(.timeLimit(.minutes(5))) struct SystemCleanupTests {
    private let clock = ManualClock()

    @Test func buffersGoButNotWhatIsRecorded() throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted(maxChunks: 1000))
        let recorded = ScriptedSource()
        let registry = SessionRegistry(configuration: .scripted())
        let session = try registry.begin("call-1", source: recorded)
        let reporter = SystemReporter(clock: clock)
        reporter.add(processor)
        reporter.add(registry)
        try processor.arm()
        source.push(.frames(100_000))
        recorded.push(.frames(10_000))
        #expect(eventually { processor.memoryUsage.memoryUsageBytes == 400_000 })
        #expect(eventually { session.processor.memoryUsage.memoryUsageBytes == 40_000 })
        let report = reporter.cleanUp(.buffers)
        #expect(report.freedBytes.keys.sorted() == ["buffers"] && report.freedBytes["buffers"] ?? 0 >= 300_000)
        #expect(processor.memoryUsage.bufferSize == 0)
        #expect(session.processor.memoryUsage.memoryUsageBytes == 40_000)
        #expect(report.isComplete && report.failures.isEmpty && report.expiredSessions.isEmpty)
        #expect(try session.end(deadline: .seconds(60)).recording?.frameCount == 10_000)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(SystemCleanupReport.self, from: data) == report)
        processor.cleanup()
    }

    @Test func resultsGoToDisk() throws {
        let collector = ResultCollector<[Int]>(name: "numbers", budget: .bytes(1 << 20))
        for number in 0..<100 { try collector.append(Array(repeating: number, count: 100)) }
        let reporter = SystemReporter(clock: clock)
        reporter.add(collector)
        let before = collector.memoryByteCount
        let report = reporter.cleanUp(.spill)
        #expect(report.freedBytes["spill"] ?? 0 > 0 && collector.memoryByteCount < before)
        #expect(collector.count == 100)
    }

    @Test func sessionsThatAreOverEnd() throws {
        let registry = SessionRegistry(idleTimeout: .seconds(10), configuration: .scripted(), clock: clock)
        _ = try registry.begin("call-1", source: ScriptedSource())
        let reporter = SystemReporter()
        reporter.add(registry)
        #expect(reporter.cleanUp(.expired).expiredSessions.isEmpty)
        #expect(registry.count == 1)
        clock.advance(by: .seconds(11))
        let report = reporter.cleanUp(.expired)
        // Or its registry was there before, and is about it.
        #expect(report.expiredSessions == ["call-1"] || report.expiredSessions.isEmpty)
        #expect(eventually { registry.count == 0 && registry.report.expiredCount == 1 })
    }

    private final class Handler: MemoryCleanupHandler {
        let cleanupName = "handler"
        let cleanupPriority = 0
        let calls = Lock<[MemoryCleanupStage]>([])
        let fails: Bool

        init(fails: Bool) { self.fails = fails }

        func freeMemory(_ stage: MemoryCleanupStage) throws -> Int {
            calls.withLock { $0.append(stage) }
            if fails { throw AudioError(.notWritable, "no room") }
            return 1000
        }
    }

    @Test func allCallsTheMonitorsHandlersToo() {
        let monitor = MemoryPressureMonitor(clock: clock)
        let (good, bad) = (Handler(fails: false), Handler(fails: true))
        monitor.register(good)
        monitor.register(bad)
        let reporter = SystemReporter(monitor: monitor, clock: clock)
        #expect(reporter.cleanUp(.buffers).freedBytes == ["buffers": 0])
        #expect(good.calls.withLock { $0 }.isEmpty)
        let report = reporter.cleanUp(.all)
        #expect(report.freedBytes == ["buffers": 0, "spill": 0, "expired": 0, "handlers": 3000])
        #expect(
            report.failures.count == 3
                && report.failures.allSatisfy { $0.outcome == .failed && $0.handler == "handler" })
        #expect(report.failures.first?.error?.contains("no room") == true)
        #expect(!report.isComplete)
        #expect(report.residentBytesBefore > 0 && report.residentBytesAfter > 0)
        monitor.stop(deadline: .seconds(60))
    }

    @Test func nothingIsBegunAfterTheDeadline() {
        let monitor = MemoryPressureMonitor(clock: clock)
        let handler = Handler(fails: false)
        monitor.register(handler)
        let report = SystemReporter(monitor: monitor, clock: clock).cleanUp(.all, deadline: .zero)
        #expect(!report.isComplete && handler.calls.withLock { $0 }.isEmpty)
        monitor.stop(deadline: .seconds(60))
    }
}
