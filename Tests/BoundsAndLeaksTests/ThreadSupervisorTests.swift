import Foundation
import Synchronization
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory
import XCTest

/// Who the library's threads are, and their end. XCTest, as `stopAll()` is for the whole process.
final class ThreadSupervisorTests: XCTestCase {
    private let clock = SystemClock()

    /// A thread that runs until it is let go.
    private final class Held: Sendable {
        let thread: WorkerThread
        private let gate: Gate

        private final class Gate: Sendable {
            let isOpen = Atomic<Bool>(false)
        }

        init(name: String, canBeAsked: Bool = false, spinning: Bool = false) throws {
            let gate = Gate()
            self.gate = gate
            let open: @Sendable () -> Void = { gate.isOpen.store(true, ordering: .releasing) }
            thread = try WorkerThread(name: name, ask: canBeAsked ? open : nil) {
                while !gate.isOpen.load(ordering: .acquiring) { if !spinning { usleep(500) } }
            }
        }

        func letGo() { gate.isOpen.store(true, ordering: .releasing) }

        func end() {
            letGo()
            let clock = SystemClock()
            XCTAssertTrue(thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock))
        }
    }

    override func setUp() { XCTAssertTrue(eventually { ThreadSupervisor.threads.isEmpty }, "left by an earlier test") }

    override func tearDown() { XCTAssertTrue(eventually { ThreadSupervisor.threads.isEmpty }, "left behind") }

    func testAThreadIsKnownWhileItRuns() throws {
        let held = try Held(name: "va-held")
        XCTAssertTrue(eventually { reports(named: "va-held").first?.threadID != nil })
        let report = try XCTUnwrap(reports(named: "va-held").first)
        XCTAssertEqual(report.role, ThreadReport.Role(rawValue: "held"))
        XCTAssertFalse(report.isQuarantined)
        XCTAssertGreaterThanOrEqual(report.ageSeconds, 0)
        let id = try XCTUnwrap(report.threadID)
        XCTAssertTrue(
            eventually { KernelFiles.text(ofFile: "/proc/self/task/\(id)/comm", limit: 100) == "va-held\n" })
        XCTAssertGreaterThan(try XCTUnwrap(reports(named: "va-held").first).ageSeconds, report.ageSeconds)
        held.thread.quarantine()
        XCTAssertEqual(reports(named: "va-held").first?.isQuarantined, true)
        held.end()
        XCTAssertTrue(reports(named: "va-held").isEmpty, "who has joined it finds it gone")
        XCTAssertTrue(ThreadSupervisor.join(number: report.number, deadline: .zero))
    }

    func testAThreadThatNobodyJoinsIsForgottenToo() throws {
        let baseline = ProcessCounts.descriptors
        var held: Held? = try Held(name: "va-held")
        let thread = try WeakReference(XCTUnwrap(held?.thread))
        held?.letGo()
        held = nil
        XCTAssertTrue(eventually { ThreadSupervisor.threads.isEmpty && thread.object == nil })
        XCTAssertTrue(eventually { ProcessCounts.descriptors == baseline })
    }

    func testProcessorTimeIsTheThreadsOwn() throws {
        let idle = try Held(name: "va-idle")
        let busy = try Held(name: "va-busy", spinning: true)
        XCTAssertTrue(eventually { (reports(named: "va-busy").first?.cpuSeconds ?? 0) > 0.1 })
        XCTAssertLessThan(try XCTUnwrap(reports(named: "va-idle").first?.cpuSeconds), 0.1)
        busy.end()
        idle.end()
    }

    func testJoinWaitsAndDoesNotAsk() throws {
        let held = try Held(name: "va-held", canBeAsked: true)
        let number = try XCTUnwrap(reports(named: "va-held").first?.number)
        XCTAssertFalse(ThreadSupervisor.join(number: number, deadline: .milliseconds(20)))
        let joined = try ThreadResult { ThreadSupervisor.join(number: number, deadline: .seconds(60)) }
        held.letGo()
        XCTAssertTrue(try joined.value())
        let ownNumber = try ThreadResult { [clock] in
            let number = ThreadSupervisor.threads.last?.number ?? 0
            return ThreadSupervisor.join(number: number, deadline: .seconds(3600), clock: clock)
        }
        XCTAssertFalse(try ownNumber.value(), "a thread does not wait for itself")
    }

    func testStopAllEndsWhatCanBeAsked() throws {
        let processors = try (0..<4).map { _ in
            let processor = AudioProcessor(source: SimulatedSource(toneHz: 440))
            try processor.start()
            return processor
        }
        XCTAssertTrue(eventually { processors.allSatisfy { $0.statistics.framesDelivered > 0 } })
        let monitor = MemoryPressureMonitor()
        try monitor.start()
        let asked = try Held(name: "va-asked", canBeAsked: true)
        XCTAssertEqual(reports(named: "va-capture").count, 4)
        XCTAssertEqual(ThreadSupervisor.threads.count, 6)
        XCTAssertEqual(ThreadSupervisor.stopAll(deadline: .seconds(60)), [])
        XCTAssertTrue(ThreadSupervisor.threads.isEmpty)
        for processor in processors { XCTAssertGreaterThan(try processor.stop().frameCount, 0) }
        // All of it can begin anew.
        try monitor.start()
        try processors[0].arm()
        XCTAssertEqual(ThreadSupervisor.threads.map(\.role), [.pressureMonitor, .capture])
        processors[0].cleanup()
        XCTAssertTrue(monitor.stop(deadline: .seconds(60)))
        asked.end()
    }

    func testStopAllNamesWhoDoesNotEnd() throws {
        let source = ScriptedSource()
        let hanging = AudioProcessor(source: source, configuration: .scripted())
        let other = AudioProcessor(source: ScriptedSource(), configuration: .scripted())
        try hanging.arm()
        try other.arm()
        source.push(.hang)
        XCTAssertTrue(source.waitUntilHanging())
        let deaf = try Held(name: "va-deaf")
        let hand = ManualClock()
        let stopping = try ThreadResult { ThreadSupervisor.stopAll(deadline: .milliseconds(300), clock: hand) }
        XCTAssertTrue(eventually { other.waitForSourceEnd(timeout: .zero) })
        hand.advance(by: .milliseconds(299))
        XCTAssertTrue(hand.waitUntilWaiting(), "it did not wait until its deadline")
        hand.advance(by: .milliseconds(1))
        let left = try stopping.value()
        XCTAssertEqual(left.map(\.name), ["va-capture", "va-deaf"])
        XCTAssertTrue(left.allSatisfy(\.isQuarantined))
        XCTAssertTrue(other.waitForSourceEnd(timeout: .zero))
        XCTAssertEqual(ThreadSupervisor.threads.map(\.number), left.map(\.number))
        source.letGo()
        deaf.end()
        // It was asked, and ends once it can.
        XCTAssertTrue(hanging.waitForSourceEnd(timeout: .seconds(60)))
    }

    func testTasksThatWaitAreToldLast() async throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted())
        let idle = AudioProcessor(source: ScriptedSource(), configuration: .scripted())
        // Nothing is captured, so that nothing will change.
        let watching = Task { () -> AudioError? in
            do throws(AudioError) { for try await _ in idle.healthChanges() {} } catch { return error }
            return nil
        }
        // Its notifier, and nobody else's: whoever has that by the stop is told.
        let isWatching = try await eventuallyOffThePool { reports(named: "va-notify").count == 1 }
        XCTAssertTrue(isWatching)
        try await processor.arm()
        source.push(.frames(150))
        let chunks = processor.chunks()
        let reading = Task {
            var frames = 0
            for try await chunk in chunks { frames += chunk.frameCount }
            return frames
        }
        // What the source still had would come with the next capture.
        let isDelivered = try await eventuallyOffThePool { processor.statistics.framesDelivered == 150 }
        XCTAssertTrue(isDelivered)
        let left = try await ThreadSupervisor.stopAll(deadline: .seconds(60))
        XCTAssertEqual(left, [])
        let frames = try await reading.value
        XCTAssertTrue([0, 50, 150].contains(frames), "\(frames)")
        let told = await watching.value
        XCTAssertEqual(told?.code, .cancelled)
        // Who waits from now on has a thread again.
        processor.cleanup()
        let next = processor.chunks()
        try await processor.arm()
        source.push(.frames(100), .end)
        var count = 0
        for try await chunk in next { count += chunk.frameCount }
        XCTAssertEqual(count, 100)
        processor.cleanup()
    }

    /// Whoever had looked, and was about to wait when all was stopped, learns of what came meanwhile.
    func testWhatCameBeforeTheStopIsTold() async throws {
        let wakeUp = try WakeUp()
        wakeUp.signal()
        var (told, waiting) = (DescriptorWait(), DescriptorWait())
        let areReadable = try await [
            told.untilReadable(wakeUp.descriptor, of: "it"), waiting.untilReadable(wakeUp.descriptor, of: "it"),
        ]
        XCTAssertEqual(areReadable, [true, true])
        let left = try await ThreadSupervisor.stopAll(deadline: .seconds(60))
        XCTAssertEqual(left, [])
        let isTold = try await told.untilReadable(wakeUp.descriptor, of: "it")
        XCTAssertTrue(isTold)
        wakeUp.clear()
        do throws(AudioError) {
            _ = try await waiting.untilReadable(wakeUp.descriptor, of: "it")
            XCTFail("nothing came")
        } catch {
            XCTAssertEqual(error.code, .cancelled)
        }
    }

    func testAThousandThreadsLeaveNothing() throws {
        func round(_ count: Int) throws {
            for _ in 0..<count {
                let thread = try WorkerThread(name: "va-short") {}
                if count % 2 == 0 { _ = thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock) }
            }
            XCTAssertTrue(
                eventually { ThreadSupervisor.threads.isEmpty && ProcessCounts.threads(named: "va-short") == 0 })
        }
        try round(10)
        let descriptors = ProcessCounts.descriptors
        try round(1000)
        try round(999)
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
    }
}

private func reports(named name: String) -> [ThreadReport] { ThreadSupervisor.threads.filter { $0.name == name } }
