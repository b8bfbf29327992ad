import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudio

@Suite struct ComponentRegistryTests {
    typealias Fate = ComponentBench.Fate

    private let clock = ManualClock()
    private let log = LogLines()
    private let bench: ComponentBench
    private let registry: ComponentRegistry

    init() {
        bench = ComponentBench(clock: clock)
        registry = ComponentRegistry(logSink: log, clock: clock)
    }

    private func register(_ name: String, _ fate: Fate = Fate(), isExclusive: Bool = false) throws {
        let options = ComponentOptions(
            isExclusive: isExclusive, startDeadline: .seconds(2), stopDeadline: .seconds(1), maxQuarantinedThreads: 2)
        try registry.register(name, options) { [bench] in try bench.make(name, fate) }
    }

    private func number(_ name: String) -> Int? { (registry[name] as? BenchedComponent)?.number }
    private func component(_ name: String) -> ComponentReport.Component? {
        registry.report.components.first { $0.name == name }
    }

    // MARK: - All

    @Test func allAreStartedInOrderAndStoppedInReverse() throws {
        for name in ["a", "b", "c"] { try register(name) }
        #expect(registry["a"] == nil && registry.report.components.map(\.state) == [.idle, .idle, .idle])
        #expect(try registry.startAll().map(\.result) == [.started, .started, .started])
        #expect(number("a") == 1 && number("c") == 3 && registry["d"] == nil)
        #expect(try registry.startAll().map(\.result) == [.alreadyRunning, .alreadyRunning, .alreadyRunning])
        #expect(registry.stopAll().map { "\($0.name) \($0.result)" } == ["c stopped", "b stopped", "a stopped"])
        #expect(registry.stopAll().map(\.result) == [.notRunning, .notRunning, .notRunning])
        let began = ["make a", "start a", "check a", "make b", "start b", "check b", "make c", "start c", "check c"]
        #expect(bench.calls == began + ["stop c", "stop b", "stop a"])
        #expect(bench.complaints(allStopped: true) == [] && bench.aliveCount == 0)
        // All begins again, with other objects.
        #expect(try registry.startAll().map(\.result) == [.started, .started, .started])
        #expect(number("a") == 4 && component("a")?.startCount == 2)
    }

    @Test func aFailureKeepsNoOtherFromStartingOrStopping() throws {
        try register("a", Fate(stop: .fails))
        try register("b", Fate(start: .fails))
        try register("c", Fate(health: .fails))
        try register("d", Fate(make: .fails))
        try register("e")
        let outcomes = try registry.startAll()
        #expect(outcomes.map(\.result) == [.started, .failed, .failed, .failed, .started])
        #expect(
            outcomes.map { $0.error?.message } == [nil, "start b failed", "check c failed", "make d failed", nil])
        #expect(outcomes[1].error?.code == .deviceFailed)
        #expect(["a", "b", "c", "d", "e"].map { registry[$0] != nil } == [true, false, false, false, true])
        #expect(component("b")?.state == .failed && component("b")?.lastError?.contains("start b failed") == true)
        // One that was started is stopped, though it has not proved itself; one whose start failed is not.
        #expect(bench.calls.filter { $0.hasPrefix("stop") } == ["stop c"])
        let ends = registry.stopAll()
        #expect(ends.map(\.result) == [.stopped, .notRunning, .notRunning, .notRunning, .failed])
        #expect(ends[4].error?.message == "stop a failed" && component("a")?.state == .idle)
        #expect(bench.complaints(allStopped: true) == [] && bench.aliveCount == 0)
        #expect(log.messages.count { $0 == ComponentEvent.startFailed.message } == 3)
        #expect(log.messages.count { $0 == ComponentEvent.stopFailed.message } == 1)
    }

    @Test func anotherKindOfErrorIsToldInWords() throws {
        struct Broken: Error {}
        try registry.register("a") { throw Broken() }
        let error = try registry.startAll()[0].error
        #expect(error == AudioError(.componentFailed, "component \"a\" failed in its factory: Broken()"))
    }

    @Test func whatIsNotAcceptedIsNamed() throws {
        try register("a")
        expect(.invalidConfiguration, "\"a\" is registered already") { try register("a") }
        expect(.invalidConfiguration, "no component \"b\" is registered: there are \"a\"") {
            _ = try registry.replace("b")
        }
        expect(.invalidConfiguration, "stop deadline 0.0 seconds") {
            try registry.register("b", ComponentOptions(stopDeadline: .zero)) { [bench] in try bench.make() }
        }
    }

    // MARK: - Replacing

    @Test func aReplacementIsProvedBeforeTheOldOneGoes() throws {
        try register("a")
        #expect(try registry.replace("a") == .replaced)
        #expect(number("a") == 1)
        let seen = Lock<[Int?]>([])
        let replacement = try registry.replace("a") { [bench, registry] in
            seen.withLock { $0.append((registry["a"] as? BenchedComponent)?.number) }
            return try bench.make("new")
        }
        #expect(replacement == .replaced && number("a") == 2 && seen.withLock { $0 } == [1])
        #expect(bench.calls.suffix(4) == ["make new", "start new", "check new", "stop a"])
        // The factory of the one that runs is kept.
        #expect(try registry.replace("a") == .replaced)
        #expect((registry["a"] as? BenchedComponent)?.name == "new")
        #expect(bench.working == [3])
    }

    @Test(arguments: [Fate(make: .fails), Fate(start: .fails), Fate(health: .fails), Fate(start: .hangs(.seconds(2)))])
    func aReplacementThatFailsLeavesTheOldOneRunning(_ fate: Fate) throws {
        try register("a")
        try registry.startAll()
        let replacement = try registry.replace("a") { [bench] in try bench.make("new", fate) }
        guard case .rolledBack(let error) = replacement else {
            Issue.record("\(replacement)")
            return
        }
        #expect(error.code == (fate.start == .hangs(.seconds(2)) ? .timedOut : .deviceFailed))
        #expect(number("a") == 1 && bench.working == [1])
        #expect(component("a")?.state == .running && component("a")?.lastError?.isEmpty == false)
        #expect(log.messages.last == ComponentEvent.rolledBack.message)
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        // The old factory is kept.
        #expect(try registry.replace("a") == .replaced)
        #expect((registry["a"] as? BenchedComponent)?.name == "a")
        registry.stopAll()
        #expect(bench.complaints(allStopped: true) == [])
    }

    @Test func anExclusiveOneIsStoppedFirstAndMadeAnewWhereTheNewOneFails() throws {
        try register("a", isExclusive: true)
        try registry.startAll()
        let works: ComponentFactory = { [bench] in try bench.make("new") }
        #expect(try registry.replace("a", with: works) == .replaced)
        #expect(bench.calls.suffix(4) == ["stop a", "make new", "start new", "check new"])
        let failing: ComponentFactory = { [bench] in try bench.make("bad", Fate(start: .fails)) }
        let failure = AudioError(.deviceFailed, "start bad failed")
        #expect(try registry.replace("a", with: failing) == .rolledBack(failure))
        #expect(number("a") == 4 && bench.working == [4] && bench.mostAlive == 1)
        #expect((registry["a"] as? BenchedComponent)?.name == "new")
    }

    @Test func anExclusiveOneThatCannotBeStartedAgainIsGoneAndKnownAsFailed() throws {
        let isBroken = Lock(false)
        try registry.register("a", ComponentOptions(isExclusive: true)) { [bench] in
            try bench.make("a", isBroken.withLock { $0 } ? Fate(health: .fails) : Fate())
        }
        try registry.startAll()
        isBroken.withLock { $0 = true }
        let replacement = try registry.replace("a") { [bench] in try bench.make("bad", Fate(make: .fails)) }
        let (failure, restart) = ("make bad failed", "check a failed")
        #expect(
            replacement
                == .failed(AudioError(.deviceFailed, failure), restart: AudioError(.deviceFailed, restart)))
        #expect(registry["a"] == nil && component("a")?.state == .failed && component("a")?.health == nil)
        #expect(component("a")?.lastError?.contains(restart) == true)
        #expect(log.lines.last?.level == .critical)
        #expect(log.lines.last?.metadata["error"]?.contains(failure) == true)
        #expect(log.lines.last?.metadata["restart_error"]?.contains(restart) == true)
        // There is none to go back to.
        let next = try registry.replace("a") { [bench] in try bench.make("bad", Fate(make: .fails)) }
        #expect(next == .failed(AudioError(.deviceFailed, failure), restart: nil))
        isBroken.withLock { $0 = false }
        #expect(try registry.startAll().map(\.result) == [.started])
        #expect(bench.mostAlive == 1)
    }

    @Test func noneIsStartedAfterAnExclusiveOneThatDoesNotStop() throws {
        try register("a", Fate(stop: .hangs(.seconds(1))), isExclusive: true)
        try registry.startAll()
        guard case .failed(let error, let restart?) = try registry.replace("a") else {
            Issue.record("it was replaced")
            return
        }
        #expect(error.code == .busy && error.message.contains("stop()") && restart.code == .busy)
        #expect(registry["a"] == nil && bench.madeCount == 1)
        #expect(try registry.startAll()[0].error?.code == .busy)
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        #expect(try registry.startAll()[0].result == .started)
        #expect(bench.mostAlive == 1)
        registry.stopAll()
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
    }

    // MARK: - Health

    @Test func healthIsAskedOfAllAndLoggedWhenItChanges() throws {
        for name in ["a", "b", "c"] { try register(name) }
        _ = try registry.replace("a")
        _ = try registry.replace("b")
        (registry["a"] as? BenchedComponent)?.change { $0.health = .fails }
        clock.advance(by: .seconds(3))
        for _ in 0..<3 {
            let report = registry.health()
            #expect(report.components.map(\.health) == [.unhealthy, .healthy, nil])
            #expect(report.components.map(\.stateSeconds) == [3, 3, 3] && report == registry.report)
            #expect(report.components[0].lastError?.contains("check a failed") == true)
        }
        (registry["a"] as? BenchedComponent)?.change { $0.health = .works }
        #expect(registry.health().components.map(\.health) == [.healthy, .healthy, nil])
        let lines = log.lines.filter { $0.metadata["component"] == "a" }.map(\.message)
        #expect(lines == ["component started", "component is not healthy", "component is healthy again"])
    }

    @Test func oneThatDoesNotSayHowItIsIsStoppedWhenItHas() throws {
        try register("a")
        try registry.startAll()
        (registry["a"] as? BenchedComponent)?.change { $0.health = .hangs(.seconds(1)) }
        #expect(registry.health().components[0].health == .unanswered)
        // It hangs once, however often it is asked.
        let again = try ThreadResult { [registry] in registry.health() }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(1))
        #expect(try again.value().components[0].health == .unanswered)
        #expect(bench.hangingCount == 1)
        let end = try ThreadResult { [registry] in registry.stopAll() }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(1))
        let outcome = try end.value()[0]
        #expect(outcome.result == .failed && outcome.error?.code == .timedOut)
        #expect(outcome.error?.message.contains("checkHealth() has not returned") == true)
        #expect(outcome.duration == .seconds(1) && !bench.calls.contains("stop a"))
        bench.letGo()
        #expect(eventually { registry.report.quarantinedThreadCount == 0 })
        #expect(bench.complaints(allStopped: true) == [])
    }

    // MARK: - Reports

    @Test func aReporterTakesTheRegistry() throws {
        try register("a")
        try register("b", Fate(start: .fails))
        try registry.startAll()
        clock.advance(by: .milliseconds(1500))
        let reporter = SystemReporter(clock: clock)
        reporter.add(registry)
        let report = reporter.report().components
        #expect(report == [registry.report])
        #expect(report[0].components.map(\.state) == [.running, .failed])
        #expect(report[0].components[0].stateSeconds == 1.5)
        do {
            let other = ComponentRegistry()
            reporter.add(other)
            #expect(reporter.report().components.count == 2)
            withExtendedLifetime(other) {}
        }
        #expect(reporter.report().components.count == 1)
    }

    @Test(.timeLimit(.minutes(5))) func theAsyncFormsDoTheSame() async throws {
        try register("a")
        #expect(try await registry.startAll().map(\.result) == [.started])
        #expect(try await registry.replace("a") == .replaced)
        #expect(try await registry.health().components.map(\.health) == [.healthy])
        #expect(number("a") == 2)
    }

    private func expect(_ code: AudioError.Code, _ part: String, _ body: () throws -> Void) {
        do {
            try body()
            Issue.record("no error, where \(code) was to come")
        } catch let error as AudioError {
            #expect(error.code == code && error.message.contains(part))
        } catch {
            Issue.record(error)
        }
    }
}
