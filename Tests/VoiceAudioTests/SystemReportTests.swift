import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory

@Suite(.timeLimit(.minutes(5))) struct SystemReportTests {
    private let clock = ManualClock()

    @Test func allPartsAreToldAndReadBack() throws {
        let monitor = MemoryPressureMonitor(clock: clock)
        let reporter = SystemReporter(monitor: monitor, temporaryDirectory: "/", clock: clock)
        let budget = try MemoryBudget(name: "process", limitBytes: 1 << 30)
        let child = try budget.child(name: "kitchen", limitBytes: 1 << 29)
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted(), budget: child)
        let tracker = AudioObjectTracker(name: "calls", budget: budget)
        reporter.add(processor, named: "kitchen")
        reporter.add(budget)
        reporter.add(tracker)
        let collector = ResultCollector<Int>(name: "numbers", budget: .bytes(1 << 20), in: budget)
        reporter.add(collector)
        try collector.append(7)
        try processor.arm()
        let box = try tracker.box([Int16](), byteCount: 10, owner: "call-1")
        let report = reporter.report()
        #expect(report.processors.map(\.name) == ["kitchen"] && report.processors.map(\.state) == ["ready"])
        #expect(report.processors[0].memoryUsage.allocatedBytes == child.usedBytes)
        #expect(report.budgets == [budget.report] && report.budgets[0].children.map(\.name) == ["kitchen"])
        #expect(report.trackers.map(\.byteCount) == [10] && report.trackers[0].objects[0].owner == "call-1")
        #expect(report.collectors == [collector.report] && report.collectors[0].name == "numbers")
        #expect(report.budgets[0].purposes["results"] == collector.memoryByteCount && report.collectors[0].count == 1)
        #expect(report.pressure == monitor.status && report.pressure?.limitBytes ?? 0 > 0)
        #expect(report.process.threads.own["va-capture"] ?? 0 >= 1)
        #expect(report.threads.contains { $0.role == .capture && $0.threadID != nil })
        #expect(report.disk?.directory == "/")
        #expect(abs(report.secondsSince1970 - Date().timeIntervalSince1970) < 60)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(SystemReport.self, from: data) == report)
        let text = String(decoding: data, as: UTF8.self)
        for match in text.matches(of: /"([A-Za-z_0-9]+)":/) { #expect(match.1 == match.1.lowercased()) }
        withExtendedLifetime(box) {}
        processor.cleanup()
    }

    @Test func partsThatAreGoneAreNotTold() throws {
        let reporter = SystemReporter(clock: clock)
        do {
            let budget = try MemoryBudget(name: "process", limitBytes: 1)
            let processor = AudioProcessor(source: ScriptedSource(), configuration: .scripted())
            let tracker = AudioObjectTracker()
            reporter.add(budget)
            reporter.add(processor)
            reporter.add(tracker)
            let report = reporter.report()
            #expect(report.budgets.count == 1 && report.processors.count == 1 && report.trackers.count == 1)
            withExtendedLifetime((budget, processor, tracker)) {}
        }
        let report = reporter.report()
        #expect(report.budgets.isEmpty && report.processors.isEmpty && report.trackers.isEmpty)
    }

    /// Of one core, since the report before.
    @Test func processorTimeIsThatSinceTheLastReport() throws {
        let reporter = SystemReporter(clock: clock)
        #expect(reporter.report().process.cpu.percent == nil)
        clock.advance(by: .seconds(1000))
        let first = reporter.report().process.cpu
        let percent = try #require(first.percent)
        // What the whole process took since the reporter was made, in 1000 seconds: not much, but not what it took before.
        #expect(percent >= 0 && percent <= 100 * (first.userSeconds + first.systemSeconds) / 1000)
        let busy = ContinuousClock.now + .milliseconds(20)
        while ContinuousClock.now < busy {}
        clock.advance(by: .milliseconds(1))
        // 20 ms of one thread at least, in a thousandth of a second.
        let second = reporter.report().process.cpu
        let took = second.userSeconds + second.systemSeconds - first.userSeconds - first.systemSeconds
        #expect(abs(try #require(second.percent) - 100 * took / 0.001) < 1e-3)
        #expect(took > 0)
    }

    @Test func aDiskThatIsNotThereIsNotTold() {
        #expect(SystemReporter(temporaryDirectory: "/there/is/none").report().disk == nil)
    }
}
