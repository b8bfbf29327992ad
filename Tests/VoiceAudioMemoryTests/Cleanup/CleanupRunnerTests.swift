import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

struct CleanupRunnerTests {
    private let clock = ManualClock()
    private let log = KeptLines()
    private let runner: CleanupRunner

    init() { runner = CleanupRunner(clock: clock, logSink: log, slot: .seconds(1)) }

    private struct Broken: Error, CustomStringConvertible { let description = "broken" }

    private static func fail() throws -> Int { throw Broken() }

    @Test func handlersAreCalledByPriorityThenInTheOrderOfRegistration() {
        let handlers = [("b", 0), ("a", 5), ("c", 0), ("d", -1)].map { name, priority in
            NotingHandler(name, priority: priority, answering: 10)
        }
        for handler in handlers + handlers { runner.register(handler) }
        let report = runner.run(upTo: .shrink) { true }
        #expect(report.calls.map(\.handler) == ["a", "b", "c", "d", "a", "b", "c", "d"])
        #expect(report.calls.map(\.stage) == [.trim, .trim, .trim, .trim, .shrink, .shrink, .shrink, .shrink])
        #expect(report.calls.allSatisfy { $0.outcome == .freed && $0.freedBytes == 10 && $0.error == nil })
        #expect(report.residentBytesBefore > 0 && report.residentBytesAfter > 0)
    }

    @Test func aLaterStageIsRunOnlyWhileThereIsNeed() {
        let handler = NotingHandler("a")
        runner.register(handler)
        var answers = [true, false]
        let report = runner.run(upTo: .emergency) { answers.removeFirst() }
        #expect(report.stages == [.trim, .shrink] && answers.isEmpty)
        #expect(handler.stages == [.trim, .shrink])
        // The first is not asked about, nor anything beyond the last.
        #expect(runner.run(upTo: .trim) { false }.stages == [.trim])
        #expect(runner.run(upTo: .emergency) { true }.stages == [.trim, .shrink, .emergency])
    }

    @Test func oneThatThrowsIsNotedAndTheRestGoOn() {
        let handlers = [
            NotingHandler("throws", priority: 2, answering: try Self.fail()),
            NotingHandler("returns nonsense", priority: 1, answering: .min),
            NotingHandler("works", answering: 7),
        ]
        for handler in handlers { runner.register(handler) }
        let calls = runner.run(upTo: .trim) { true }.calls
        #expect(calls.map(\.outcome) == [.failed, .failed, .freed])
        #expect(calls[0].error == "broken" && calls[1].error?.contains("\(Int.min)") == true)
        #expect(calls.map(\.freedBytes) == [0, 0, 7])
        let warnings = log.lines.filter { $0.hasPrefix("warning") }
        #expect(warnings.count == 2 && warnings.first?.contains("\"throws\"") == true)
        // It is called again all the same.
        #expect(runner.run(upTo: .trim) { true }.calls.map(\.outcome) == [.failed, .failed, .freed])
    }

    @Test func aHandlerThatHangsDelaysTheOthersByNoMoreThanItsSlot() throws {
        let (begun, gate) = (try Gate(), try Gate())
        let hanging = NotingHandler("hangs", priority: 1) { _ in
            begun.open()
            gate.wait()
        }
        let others = (0..<3).map { NotingHandler("other \($0)") }
        for handler in [hanging] + others { runner.register(handler) }
        let start = clock.now
        let cleanup = try ThreadResult { [runner] in runner.run(upTo: .shrink) { true } }
        begun.wait()
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(999))
        #expect(clock.waitUntilWaiting())
        #expect(others.allSatisfy { $0.stages.isEmpty })
        clock.advance(by: .milliseconds(1))
        // Else it would wait for ever.
        let wentOn = eventually { others.allSatisfy { $0.stages.count == 2 } }
        #expect(wentOn)
        guard wentOn else { return gate.open() }
        let report = try cleanup.value()
        #expect(start.duration(to: clock.now) == .seconds(1))
        #expect(report.calls.map(\.handler) == ["hangs", "other 0", "other 1", "other 2"] * 2)
        #expect(report.calls.map(\.outcome) == [.timedOut, .freed, .freed, .freed, .stillBusy, .freed, .freed, .freed])
        #expect(report.calls.map(\.durationSeconds) == [1, 0, 0, 0, 0, 0, 0, 0])
        #expect(report.hangingHandlers == 1 && hanging.stages == [.trim])
        // No time passes for it again; once it has returned, it is called as before.
        #expect(runner.run(upTo: .trim) { true }.calls.first?.outcome == .stillBusy)
        gate.open()
        #expect(eventually { log.lines.contains { $0.contains("returned at last") } })
        let last = runner.run(upTo: .trim) { true }
        #expect(last.calls.map(\.outcome) == [.freed, .freed, .freed, .freed] && last.hangingHandlers == 0)
        #expect(start.duration(to: clock.now) == .seconds(1))
    }

    @Test func aHandlerThatHangsIsNotCalledTwiceAtOnceEvenWhereItLeftAndCameBack() throws {
        let gate = try Gate()
        let hanging = NotingHandler("hangs") { _ in gate.wait() }
        let runner = CleanupRunner(clock: SystemClock(), logSink: log, slot: .milliseconds(1))
        runner.register(hanging)
        #expect(runner.run(upTo: .trim) { true }.calls.map(\.outcome) == [.timedOut])
        #expect(eventually { hanging.stages == [.trim] })
        runner.deregister(hanging)
        runner.register(hanging)
        let again = runner.run(upTo: .trim) { true }
        #expect(again.calls.map(\.outcome) == [.stillBusy] && again.hangingHandlers == 1)
        #expect(hanging.stages == [.trim])
        gate.open()
        #expect(eventually { log.lines.contains { $0.contains("returned at last") } })
    }

    @Test func aHandlerIsHeldWeakly() {
        var handler: NotingHandler? = NotingHandler("short-lived")
        weak let reference = handler
        let other = NotingHandler("other")
        runner.register(handler!)
        runner.register(other)
        handler = nil
        #expect(reference == nil)
        #expect(runner.run(upTo: .trim) { true }.calls.map(\.handler) == ["other"])
        runner.deregister(other)
        #expect(runner.run(upTo: .trim) { true }.calls.isEmpty)
    }

    @Test func handlersThatAreGoneAreForgotten() {
        /// Has no other take its handler's address, for an unowned reference keeps that.
        struct Gone { unowned let handler: NotingHandler }
        var gone: [Gone] = []
        let table = HandlerTable()
        let kept = (0..<10).map { NotingHandler("kept \($0)") }
        for handler in kept {
            table.add(handler)
            for _ in 0..<100 {
                let handler = NotingHandler("short-lived")
                table.add(handler)
                gone.append(Gone(handler: handler))
            }
        }
        #expect(gone.count == 1000)
        #expect(table.entries.count <= 32)
        #expect(table.entries.compactMap(\.handler?.cleanupName) == kept.map(\.cleanupName))
    }

    /// What takes a lock twice stops the program.
    @Test func aHandlerMayRegisterLeaveAndCleanUpWithinItsCall() throws {
        let inner = Lock<MemoryCleanupReport?>(nil)
        let added = NotingHandler("added")
        let leaving = Lock<NotingHandler?>(nil)
        let handler = NotingHandler("caller") { [runner] _ in
            runner.register(added)
            leaving.withLock { $0 }.map(runner.deregister)
            let report = runner.run(upTo: .trim) { true }
            inner.withLock { $0 = report }
        }
        let other = NotingHandler("leaving", priority: -1)
        leaving.withLock { $0 = other }
        runner.register(handler)
        runner.register(other)
        let report = runner.run(upTo: .trim) { true }
        #expect(report.calls.map(\.handler) == ["caller", "leaving"])
        let within = inner.withLock { $0 }
        #expect(within?.calls.map(\.handler) == ["caller", "added"])
        #expect(within?.calls.map(\.outcome) == [.stillBusy, .freed])
    }

    /// The last reference to it goes on the thread of its own call.
    @Test func aHandlerThatGoesWithinItsCallEndsWithinItsSlot() throws {
        final class Ending: MemoryCleanupHandler {
            let cleanupName = "ending"
            let cleanupPriority = 0
            let runner: CleanupRunner
            let itself: Lock<Ending?>

            init(_ runner: CleanupRunner, _ itself: Lock<Ending?>) {
                self.runner = runner
                self.itself = itself
            }

            func freeMemory(_ stage: MemoryCleanupStage) -> Int {
                itself.withLock { $0 = nil }
                return 3
            }

            deinit { runner.deregister(self) }
        }
        let itself = Lock<Ending?>(nil)
        itself.withLock { $0 = Ending(runner, itself) }
        itself.withLock { $0 }.map(runner.register)
        #expect(runner.run(upTo: .emergency) { true }.calls.map(\.freedBytes) == [3])
    }
}

private func * <Element>(list: [Element], count: Int) -> [Element] {
    (0..<count).flatMap { _ in list }
}
