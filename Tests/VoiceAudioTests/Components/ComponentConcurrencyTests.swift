import Glibc
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudio

/// Calls that hang, and several at once.
@Suite struct ComponentConcurrencyTests {
    typealias Fate = ComponentBench.Fate

    private let clock = ManualClock()
    private let log = LogLines()
    private let bench: ComponentBench
    private let registry: ComponentRegistry
    private let options = ComponentOptions(
        startDeadline: .seconds(2), stopDeadline: .seconds(1), maxQuarantinedThreads: 2)

    init() {
        bench = ComponentBench(clock: clock)
        registry = ComponentRegistry(logSink: log, clock: clock)
    }

    private func register(_ name: String, _ fate: Fate = Fate()) throws {
        try registry.register(name, options) { [bench] in try bench.make(name, fate) }
    }

    private func number(_ name: String) -> Int? { (registry[name] as? BenchedComponent)?.number }

    /// Whether a call hangs, and who made it waits for it.
    private func eventuallyHangs() -> Bool { eventually { bench.hangingCount == 1 } && clock.waitUntilWaiting() }

    @Test(arguments: [
        Fate(make: .hangs(.seconds(2))), Fate(start: .hangs(.seconds(2))), Fate(health: .hangs(.seconds(2))),
    ])
    func aStartThatReturnsTooLateIsStoppedThenAndNeverRuns(_ fate: Fate) throws {
        try register("late", fate)
        try register("next")
        let outcomes = try registry.startAll()
        #expect(outcomes.map(\.result) == [.failed, .started] && outcomes[0].error?.code == .timedOut)
        #expect(outcomes[0].duration == .seconds(2) && registry["late"] == nil)
        #expect(registry.report.quarantinedThreadCount == 1 && registry.report.components[0].state == .failed)
        #expect(registry.report.components[0].quarantinedThreadCount == 1)
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        #expect(registry["late"] == nil && registry.report.components[0].startCount == 0)
        #expect(bench.complaints(allStopped: false) == [] && bench.working == [2])
        // One that was not even begun with is not stopped either.
        #expect(bench.calls.count { $0 == "stop late" } == (fate.make == .works ? 1 : 0))
        // The last one comes from the thread that ends.
        let last = fate.make == .works ? ComponentEvent.stopped : .returned
        #expect(eventually { log.lines.contains { $0.message == last.message } })
        let lines = log.lines.filter { $0.metadata["component"] == "late" }.map(\.message)
        let expected: [ComponentEvent] =
            [.quarantined, .startFailed, .returned] + (fate.make == .works ? [.stopped] : [])
        #expect(lines == expected.map(\.message))
        #expect(eventually { bench.aliveCount == 1 })
    }

    @Test func aNameIsBusyForItselfAlone() throws {
        try register("a")
        try register("b")
        try registry.startAll()
        let replacement = try ThreadResult { [registry, bench] in
            try registry.replace("a") { try bench.make("slow", Fate(start: .hangs(.zero))) }
        }
        #expect(eventuallyHangs())
        #expect(try registry.replace("b") == .replaced)
        #expect(registry.health().components.map(\.health) == [.healthy, .healthy])
        #expect(number("a") == 1)
        // Another one waits for its turn, until its deadline.
        let mark = clock.waitsBegun
        let other = try ThreadResult { [registry] in try registry.replace("a", deadline: .seconds(1)) }
        #expect(clock.waitUntilWaiting(after: mark))
        clock.advance(by: .seconds(1))
        do {
            let outcome = try other.value()
            Issue.record("it was its turn: \(outcome)")
        } catch let error as AudioError {
            #expect(error.code == .timedOut && error.message.contains("component \"a\": it was not its turn"))
        }
        // One that waits on gets its turn.
        let later = clock.waitsBegun
        let last = try ThreadResult { [registry, bench] in try registry.replace("a") { try bench.make("last") } }
        #expect(clock.waitUntilWaiting(after: later))
        bench.letGo()
        #expect(try replacement.value() == .replaced && last.value() == .replaced)
        #expect((registry["a"] as? BenchedComponent)?.name == "last")
        #expect(bench.complaints(allStopped: false) == [])
    }

    @Test func whatIsBeingReplacedIsStoppedWithTheRest() throws {
        try register("a")
        try registry.startAll()
        let replacement = try ThreadResult { [registry, bench] in
            try registry.replace("a") { try bench.make("new", Fate(start: .hangs(.zero))) }
        }
        #expect(eventuallyHangs())
        let mark = clock.waitsBegun
        let ends = try ThreadResult { [registry] in registry.stopAll() }
        #expect(clock.waitUntilWaiting(after: mark))
        #expect(registry["a"] == nil)
        // Nothing new is begun meanwhile.
        #expect(throws: AudioError.self) { try registry.replace("a") }
        #expect(try registry.startAll()[0].error?.code == .cancelled)
        bench.letGo()
        #expect(try ends.value().map(\.result) == [.stopped])
        do {
            let outcome = try replacement.value()
            Issue.record("a replacement that was stopped: \(outcome)")
        } catch let error as AudioError {
            #expect(error.code == .cancelled)
        }
        #expect(registry["a"] == nil && bench.working == [] && registry.report.components[0].state == .idle)
        #expect(bench.complaints(allStopped: true) == [] && bench.aliveCount == 0)
    }

    @Test func stopAllIsInTimeThoughAReplacementHangs() throws {
        try register("a")
        try registry.startAll()
        let replacement = try ThreadResult { [registry, bench] in
            try registry.replace("a") { try bench.make("new", Fate(start: .hangs(.zero))) }
        }
        #expect(eventuallyHangs())
        let old = try #require(registry.table.withLock { $0.running("a") })
        let ends = try ThreadResult { [registry] in registry.stopAll(deadline: .milliseconds(300)) }
        // The old one has time enough.
        #expect(eventually { old.thread.hasEnded })
        clock.advance(by: .milliseconds(300))
        let outcome = try ends.value()[0]
        #expect(outcome.result == .failed && outcome.error?.code == .timedOut && outcome.duration == .milliseconds(300))
        #expect(bench.calls.contains("stop a") && registry.report.quarantinedThreadCount == 1)
        clock.advance(by: .seconds(2))
        #expect(throws: AudioError.self) { try replacement.value() }
        // Told once, though two waited for it.
        #expect(log.messages.count { $0 == ComponentEvent.quarantined.message } == 1)
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        #expect(bench.complaints(allStopped: true) == [] && registry["a"] == nil)
    }

    @Test func twoWhoStopAllWaitForTheSame() throws {
        try register("a", Fate(stop: .hangs(.zero)))
        try registry.startAll()
        let ends = try (0..<2).map { _ in try ThreadResult { [registry] in registry.stopAll() } }
        #expect(eventuallyHangs() && clock.waitUntilWaiting(count: 2))
        bench.letGo()
        #expect(try ends.map { try $0.value()[0].result } == [.stopped, .stopped])
        #expect(bench.calls.count { $0 == "stop a" } == 1 && bench.complaints(allStopped: true) == [])
    }

    @Test func startAllGivesWayToStopAll() throws {
        try register("a", Fate(start: .hangs(.zero)))
        try register("b")
        let starts = try ThreadResult { [registry] in try registry.startAll() }
        #expect(eventuallyHangs())
        let mark = clock.waitsBegun
        let ends = try ThreadResult { [registry] in registry.stopAll() }
        #expect(clock.waitUntilWaiting(after: mark))
        bench.letGo()
        #expect(try ends.value().map(\.result) == [.notRunning, .stopped])
        #expect(try starts.value().map(\.error?.code) == [.cancelled, .cancelled])
        #expect(bench.calls == ["make a", "start a", "stop a"])
        #expect(registry.report.components.map(\.state) == [.idle, .idle])
    }

    @Test func theLastReferenceStopsAllInReverse() throws {
        var registry: ComponentRegistry? = ComponentRegistry(logSink: log, clock: clock)
        weak let reference = registry
        for name in ["a", "b", "c"] {
            let fate = name == "b" ? Fate(stop: .hangs(.seconds(1))) : Fate()
            try registry?.register(name, options) { [bench] in try bench.make(name, fate) }
        }
        try registry?.startAll()
        registry = nil
        // What hangs keeps its thread, and not the registry.
        #expect(reference == nil && bench.hangingCount == 1)
        #expect(bench.calls.suffix(3) == ["stop c", "stop b", "stop a"])
        bench.letGo()
        #expect(eventually { bench.aliveCount == 0 })
        #expect(bench.complaints(allStopped: true) == [])
        #expect(eventually { log.messages.contains(ComponentEvent.returned.message) })
    }

    @Test func oneThatHangsEachTimeDoesNotTakeAThreadEachTime() throws {
        try register("a")
        try registry.startAll()
        let codes = try (0..<4).map { _ in
            let replacement = try registry.replace("a") { [bench] in
                try bench.make("hangs", Fate(start: .hangs(.seconds(2))))
            }
            guard case .rolledBack(let error) = replacement else { return AudioError.Code?.none }
            return error.code
        }
        #expect(codes == [.timedOut, .timedOut, .limitReached, .limitReached])
        #expect(registry.report.quarantinedThreadCount == 2 && bench.hangingCount == 2 && number("a") == 1)
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        #expect(try registry.replace("a") == .replaced)
    }

    /// The turn, the registry's lock and the component's own thread are free again whatever it does.
    @Test func aComponentMayUseItsRegistry() throws {
        let inner = Lock<[String]>([])
        try register("a")
        try registry.startAll()
        let replacement = try registry.replace("a") { [registry, bench, clock] in
            do throws(AudioError) {
                try registry.replace("a", deadline: .zero)
            } catch {
                inner.withLock { $0.append("\(error.code)") }
            }
            inner.withLock { $0.append("\(registry.health().components.map(\.health))") }
            clock.advance(by: .milliseconds(1))
            return try bench.make("new")
        }
        #expect(replacement == .replaced && number("a") == 2)
        #expect(inner.withLock { $0 } == ["timedOut", "[Optional(VoiceAudio.ComponentReport.Health.healthy)]"])
    }

    /// Between the proof and its place there is a moment in which all may be stopped.
    @Test func whatProvedItselfAfterAllWereStoppedGetsNoPlace() throws {
        var table = ComponentTable()
        try table.add("a", options, at: clock.now) { [bench] in try bench.make() }
        let plan = try table.plan(for: "a")
        let life = try ComponentLife(of: "a", plan.options, plan.make)
        let thread = try table.begin("a", plan, at: clock.now) { (number) throws(AudioError) in
            let thread = try WorkerThread(name: "va-test") { _ = life.run() }
            return ComponentThread(number: number, life: life, thread: thread)
        }
        let end = clock.now.advanced(by: .seconds(1))
        let start = life.waitUntilStarted(by: end, clock: clock)
        #expect(start != nil && life.component != nil)
        table.beginStop()
        table.endStop()
        var code: AudioError.Code?
        do throws(AudioError) {
            _ = try table.install(thread, plan, plan.make, at: clock.now)
        } catch {
            code = error.code
        }
        #expect(code == .cancelled && table.running("a") == nil)
        life.orderStop()
        #expect(thread.thread.join(by: end, clock: clock) && life.component == nil)
        #expect(bench.complaints(allStopped: true) == [])
    }

    /// Replacements, starts and stops of shared and exclusive components from four threads, while time jumps.
    @Test func fourThreadsAtOnceKeepThePromises() throws {
        let seed = SeededGenerator.freshSeed()
        let fates = Lock(SeededGenerator(seed: seed))
        let exclusive = ComponentBench(clock: clock)
        let make: @Sendable (ComponentBench, String) throws -> BenchedComponent = { bench, name in
            try bench.make(name, fates.withLock { Fate.random(by: &$0) })
        }
        for name in ["a", "b"] {
            try registry.register(name, ComponentOptions(maxQuarantinedThreads: 100)) { [bench] in try make(bench, name)
            }
        }
        try registry.register("x", ComponentOptions(isExclusive: true)) { try make(exclusive, "x") }
        let rounds = ProcessCounts.isSanitized ? 50 : 200
        let workers = try (0..<4).map { worker in
            try ThreadResult { [registry, bench] in
                var random = SeededGenerator(seed: seed &+ UInt64(worker))
                // What is refused because all are being stopped does not count.
                let limit = ContinuousClock.now + .seconds(60)
                var round = 0
                while round < rounds, ContinuousClock.now < limit {
                    do {
                        switch random.below(12) {
                        case 0: registry.stopAll()
                        case 1: try registry.startAll()
                        case 2: registry.health()
                        case let number: try registry.replace(["a", "b", "x"][number % 3])
                        }
                        round += 1
                    } catch { sched_yield() }
                    bench.letGo()
                    exclusive.letGo()
                }
            }
        }
        // Whoever hangs while the others wait for it is let go here.
        let (isDone, clock) = (Lock(false), clock)
        let mover = try ThreadResult { [bench] in
            while !isDone.withLock({ $0 }) {
                bench.letGo()
                exclusive.letGo()
                clock.advance(by: .milliseconds(50))
                _ = eventually(within: .milliseconds(1)) { isDone.withLock { $0 } }
            }
        }
        for worker in workers { try worker.value() }
        let isLevel = eventually {
            registry.stopAll()
            return bench.working.isEmpty && exclusive.working.isEmpty && registry.report.quarantinedThreadCount == 0
                && bench.aliveCount + exclusive.aliveCount == 0
        }
        isDone.withLock { $0 = true }
        try mover.value()
        #expect(isLevel, "seed \(seed): \(registry.report)")
        #expect(
            bench.complaints(allStopped: true) == [] && exclusive.complaints(allStopped: true) == [], "seed \(seed)")
        #expect(exclusive.mostAlive == 1, "seed \(seed)")
        for line in log.lines {
            let event = ComponentEvent.allCases.first { $0.message == line.message }
            #expect(
                event?.level == line.level && Set(line.metadata.keys) == Set((event?.details ?? []) + ["component"]))
        }
        #expect(bench.madeCount > rounds / 4 && exclusive.madeCount > rounds / 8, "seed \(seed)")
    }
}
