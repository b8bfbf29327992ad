import TestSupport
import VoiceAudioCore
import VoiceAudioMemory

@testable import VoiceAudio

/// A program with one of each part that a report may have, all of them real.
final class MonitoredProgram {
    let reporter: SystemReporter
    private let clock = ManualClock()
    private let budget: MemoryBudget
    private let processor: AudioProcessor
    private let subscription: AudioSubscription
    private let registry = SessionRegistry(name: "calls", limits: .init(sessions: 4, memory: .mebibytes(64)))
    private let sessions: [AudioSession<SimulatedSource>]
    private let tracker = AudioObjectTracker(name: "objects")
    private let collector: ResultCollector<Int>
    private let components: ComponentRegistry
    private let bench: ComponentBench
    private let trackedObject: TrackedAudio<[Int16]>

    init() throws {
        let monitor = MemoryPressureMonitor(clock: clock)
        reporter = SystemReporter(monitor: monitor, temporaryDirectory: "/", clock: clock)
        budget = try MemoryBudget(name: "process", limitBytes: 1 << 30)
        processor = AudioProcessor(
            source: SimulatedSource(toneHz: 440, pace: .realTime),
            budget: try budget.child(name: "kitchen", limitBytes: 1 << 29))
        try processor.start()
        subscription = try processor.subscribe(chunks: 10)
        sessions = try ["17", "18"].map { [registry] in
            try registry.begin($0, source: SimulatedSource(toneHz: 100, pace: .realTime))
        }
        collector = ResultCollector(name: "numbers", budget: .bytes(1 << 20), in: budget)
        try collector.append(7)
        trackedObject = try tracker.box([Int16](), byteCount: 10, owner: "17")
        bench = ComponentBench(clock: clock)
        components = ComponentRegistry(clock: clock)
        try components.register("engine") { [bench] in try bench.make("engine", ComponentBench.Fate()) }
        try components.startAll()
        reporter.add(processor, named: "kitchen")
        reporter.add(budget)
        reporter.add(registry)
        reporter.add(tracker)
        reporter.add(collector)
        reporter.add(components)
    }

    deinit {
        components.stopAll()
        registry.endAll()
        processor.cleanup()
    }

    /// What is told of it, with values that differ from each other where the program's own are mostly zero.
    var report: SystemReport {
        var report = reporter.report()
        report.process.memory.swappedBytes = 11
        report.pressure?.trend = MemoryTrend(direction: .rising, bytesPerSecond: 12, secondsToCritical: 13.5)
        report.processors[0].memoryUsage = Self.filled(report.processors[0].memoryUsage, by: 100)
        report.registries[0].sessions[1].memoryUsage = Self.filled(
            report.registries[0].sessions[1].memoryUsage, by: 200)
        report.registries[0].sessions[1].expiresInSeconds = 2.25
        report.registries[0].expiredCount = 14
        report.registries[0].refusedCount = 15
        report.registries[0].quarantinedThreads = 16
        report.collectors[0].spilledCount = 17
        report.collectors[0].spilledBytes = 18
        report.collectors[0].refusedCount = 19
        report.collectors[0].damagedCount = 20
        report.trackers[0].releasedCount = 21
        report.components[0].components[0].quarantinedThreadCount = 22
        report.threads[0].isQuarantined = true
        return report
    }

    private static func filled(_ usage: MemoryUsage, by start: Int) -> MemoryUsage {
        var usage = usage
        usage.drops.device = start + 1
        usage.drops.ringEvicted = AudioCount(chunks: 1, frames: start + 2, bytes: 1)
        usage.drops.ringRefused = AudioCount(chunks: 1, frames: start + 3, bytes: 1)
        usage.drops.cleanedUp = AudioCount(chunks: 1, frames: start + 4, bytes: 1)
        usage.quarantinedThreads = start + 5
        usage.residentBytes = start + 6
        usage.memoryUsageBytes = start + 7
        usage.bufferSize = start + 8
        return usage
    }
}
