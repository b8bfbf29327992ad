import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// `endAll`: every session ended, or named.
@Suite(.timeLimit(.minutes(5))) struct SessionEndAllTests {
    @Test func allAreEndedAndTheRegistryGoesOn() throws {
        let ended = EndedSessions()
        let registry = SessionRegistry.scripted(sessions: 64, onEnd: ended.add)
        let sources = (0..<40).map { _ in ScriptedSource() }
        for (number, source) in sources.enumerated() {
            _ = try registry.begin("call \(number)", source: source)
            #expect(source.give(number))
        }
        let report = registry.endAll(deadline: .seconds(60))
        #expect(report.allEnded && report.notEnded.isEmpty)
        #expect(report.sessions.map(\.name) == (0..<40).map { "call \($0)" })
        #expect(report.sessions.map(\.frameCount) == Array(0..<40))
        #expect(report.sessions.allSatisfy { $0.reason == .allEnded && $0.lostFrameCount == 0 })
        #expect(registry.count == 0 && sources.allSatisfy { $0.closeCount == 1 })
        #expect(ended.all.count == 40)
        #expect(registry.endAll(deadline: .zero).sessions.isEmpty)
        try registry.begin("again", source: ScriptedSource()).end()
    }

    /// Six of twenty in a driver that does not return: more than there are threads at first.
    @Test func whatHangsIsNamedAndHoldsUpNobody() throws {
        let log = SessionLog()
        let clock = ManualClock()
        let registry = SessionRegistry.scripted(sessions: 32, clock: clock, log: log)
        let sources = (0..<20).map { _ in ScriptedSource() }
        for (number, source) in sources.enumerated() { _ = try registry.begin("call \(number)", source: source) }
        let hanging = [0, 1, 2, 3, 4, 7]
        for number in hanging {
            sources[number].push(.frames(100), .hang)
            #expect(sources[number].waitUntilHanging())
        }
        let mark = clock.waitsBegun
        let ending = try ThreadResult { registry.endAll(deadline: .seconds(5)) }
        // The first four hang. While nobody gets on, more threads come; the others have ended long before the deadline.
        #expect(clock.waitUntilWaiting(count: 5, after: mark, dueWithin: .seconds(5)))
        clock.advance(by: .milliseconds(50))
        #expect(eventually { registry.count == hanging.count })
        // Those that hang, and who waits for them.
        #expect(clock.waitUntilWaiting(count: hanging.count + 1, after: mark, dueWithin: .milliseconds(4950)))
        clock.advance(by: .milliseconds(4750))
        let report = try ending.value()
        #expect(report.notEnded == hanging.map { "call \($0)" })
        for session in report.sessions where !session.leftToItself.isEmpty {
            #expect(session.leftToItself == [.captureThread] && session.frameCount == 100)
        }
        #expect(registry.count == 0 && registry.report.quarantinedThreads == hanging.count)
        #expect(log.lines("a session did not end in time").count == hanging.count)
        for number in hanging { sources[number].letGo() }
        #expect(eventually { registry.report.quarantinedThreads == 0 && registry.report.usedBytes == 0 })
    }

    /// By the clock's hand alone: whatever hangs, the others end before it moves.
    @Test func noTimeHasToPassForThoseThatEnd() throws {
        let clock = ManualClock()
        let registry = SessionRegistry.scripted(clock: clock)
        let sources = (0..<4).map { _ in ScriptedSource() }
        for (number, source) in sources.enumerated() { _ = try registry.begin("call \(number)", source: source) }
        sources[0].push(.hang)
        #expect(sources[0].waitUntilHanging())
        let mark = clock.waitsBegun
        let ending = try ThreadResult { registry.endAll(deadline: .seconds(10)) }
        #expect(eventually { registry.sessions.map(\.name) == ["call 0"] })
        // Who ends it waits for the deadline, less what is kept for the rest; and somebody waits for that.
        #expect(clock.waitUntilWaiting(count: 2, after: mark, dueWithin: .seconds(10)))
        clock.advance(by: .milliseconds(9800))
        #expect(try ending.value().notEnded == ["call 0"])
        sources[0].letGo()
        #expect(sources[0].waitUntilClosed())
    }

    @Test func noneBeginsMeanwhile() throws {
        let registry = SessionRegistry.scripted()
        let latch = try Latch()
        let call = try registry.begin("call", source: ScriptedSource())
        try call.attach(1, named: "part") { _ in latch.wait() }
        let ending = try ThreadResult { registry.endAll(deadline: .seconds(60)) }
        #expect(latch.waitUntilAwaited())
        let error = #expect(throws: AudioError.self) { _ = try registry.begin("other", source: ScriptedSource()) }
        #expect(error?.code == .invalidState && registry.count == 1)
        latch.open()
        #expect(try ending.value().allEnded)
        try registry.begin("other", source: ScriptedSource()).end()
    }

    /// One that somebody ends already is waited for.
    @Test func whatAnotherEndsIsWaitedForOrNamed() throws {
        let registry = SessionRegistry.scripted()
        let latch = try Latch()
        let call = try registry.begin("call", source: ScriptedSource())
        try call.attach(1, named: "part") { _ in latch.wait() }
        let other = try ThreadResult { try call.end(deadline: .seconds(60)) }
        #expect(latch.waitUntilAwaited())
        let named = registry.endAll(deadline: .milliseconds(20))
        #expect(named.notEnded == ["call"] && named.sessions[0].leftToItself == [.closing])
        let waiting = try ThreadResult { registry.endAll(deadline: .seconds(60)) }
        latch.open()
        #expect(try waiting.value().allEnded)
        #expect(try other.value().recording != nil && registry.count == 0)
    }

    @Test func aSessionThatBeginsIsGivenUp() throws {
        let ended = EndedSessions()
        let registry = SessionRegistry.scripted(onEnd: ended.add)
        let source = ScriptedSource()
        source.hang(in: .open)
        let beginning = try ThreadResult { _ = try registry.begin("call", source: source, deadline: .seconds(600)) }
        #expect(source.waitUntilHanging())
        #expect(registry.session(named: "call")?.report.phase == .beginning)
        let report = registry.endAll(deadline: .seconds(60))
        let error = #expect(throws: AudioError.self) { try beginning.value() }
        #expect(error?.code == .cancelled && registry.count == 0 && report.sessions.map(\.name) == ["call"])
        // Whoever began it knows; it never was a session.
        #expect(ended.all.isEmpty && registry.report.begunCount == 0 && registry.report.endedCount == 0)
        source.letGo()
        #expect(eventually { registry.report.quarantinedThreads == 0 && registry.report.usedBytes == 0 })
        #expect(source.openCount == source.closeCount)
    }

    @Test func sessionsMayComeAndGoWhileOneLooksAtThem() throws {
        let registry = SessionRegistry.scripted()
        for number in 0..<4 { _ = try registry.begin("call \(number)", source: ScriptedSource()) }
        var names: [String] = []
        for session in registry.sessions {
            names.append(session.name)
            try session.end(deadline: .seconds(60))
            _ = try registry.begin("new \(session.name)", source: ScriptedSource())
        }
        #expect(names == (0..<4).map { "call \($0)" } && registry.count == 4)
        #expect(registry.endAll(deadline: .seconds(60)).sessions.count == 4)
    }
}
