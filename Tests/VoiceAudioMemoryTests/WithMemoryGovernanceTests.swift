import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

struct WithMemoryGovernanceTests {
    private struct Broken: Error {}

    private let clock = ManualClock()
    private let source = PlayedSource()
    private let handler = NotingHandler()
    private let monitor: MemoryPressureMonitor

    init() {
        monitor = MemoryPressureMonitor(source: source, clock: clock)
        monitor.register(handler)
        // It is started again, whatever it was before.
        monitor.stop()
    }

    /// What a body does: the monitor samples, and results are taken in.
    private func work(_ given: MemoryPressureMonitor, _ results: ResultCollector<Int>) throws {
        #expect(given === monitor && clock.waitUntilWaiting())
        try results.append(7)
        #expect(results.count == 1 && handler.stages.isEmpty)
    }

    /// Everything was cleaned up once, nobody samples any more, and results that somebody has kept are on disk.
    private func expectEnd(_ kept: ResultCollector<Int>?) throws {
        #expect(handler.stages == MemoryCleanupStage.allCases)
        let samples = source.samples
        clock.advance(by: .seconds(60))
        #expect(!clock.waitUntilWaiting(limit: .zero) && source.samples == samples)
        let results = try #require(kept)
        #expect(results.memoryByteCount == 0 && results.report.spilledCount == 1)
        #expect(try results.map { try $0.get() } == [7])
    }

    @Test func resultsThatNobodyKeepsAreGoneBeforeTheyAreWrittenToDisk() throws {
        let node = try MemoryBudget(name: "process", limitBytes: 1 << 30)
        let used = Lock<[Int]>([])
        let looking = NotingHandler { _ in used.withLock { $0.append(node.usedBytes) } }
        monitor.register(looking)
        try withMemoryGovernance(of: Int.self, in: node, monitor: monitor) { monitor, results in
            try work(monitor, results)
            #expect(node.usedBytes > 0)
        }
        #expect(used.withLock(\.self) == [0, 0, 0])
    }

    @Test(arguments: [false, true]) func whateverTheBodyDoesItIsCleanedUpAfterIt(fails: Bool) throws {
        var kept: ResultCollector<Int>?
        do {
            let value = try withMemoryGovernance(of: Int.self, monitor: monitor) { monitor, results in
                kept = results
                try work(monitor, results)
                if fails { throw Broken() }
                return "done"
            }
            #expect(value == "done" && !fails)
        } catch {
            #expect(error is Broken && fails)
        }
        try expectEnd(kept)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func anAsyncBodyIsCleanedUpAfterToo(fails: Bool) async throws {
        var kept: ResultCollector<Int>?
        do {
            let value = try await withMemoryGovernance(of: Int.self, monitor: monitor) { monitor, results in
                kept = results
                try work(monitor, results)
                await Task.yield()
                if fails { throw Broken() }
                return "done"
            }
            #expect(value == "done" && !fails)
        } catch {
            #expect(error is Broken && fails)
        }
        try expectEnd(kept)
    }

    @Test(.timeLimit(.minutes(5))) func aCancelledTaskCleansUp() async throws {
        let kept = Lock<ResultCollector<Int>?>(nil)
        let task = Task {
            try await withMemoryGovernance(of: Int.self, monitor: monitor) { monitor, results in
                try work(monitor, results)
                kept.withLock { $0 = results }
                try await Task.sleep(for: .seconds(3600))
            }
        }
        _ = try await eventuallyOffThePool { kept.withLock { $0 != nil } }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try expectEnd(kept.withLock(\.self))
    }

    /// The body is where the caller is; a handler that waits for the caller's actor gets it.
    @MainActor @Test(.timeLimit(.minutes(5))) func theEndBlocksNobody() async throws {
        let gate = try Gate()
        let waiting = NotingHandler { stage in if stage == .trim { gate.wait() } }
        let monitor = MemoryPressureMonitor(source: source, cleanupSlot: .seconds(60))
        monitor.register(waiting)
        try await withMemoryGovernance(of: Int.self, monitor: monitor) { _, _ in
            MainActor.preconditionIsolated()
            await Task.yield()
            Task { @MainActor in gate.open() }
        }
        #expect(monitor.lastCleanup?.calls.map(\.outcome) == Array(repeating: .freed, count: 3))
        #expect(waiting.stages == MemoryCleanupStage.allCases)
    }
}
