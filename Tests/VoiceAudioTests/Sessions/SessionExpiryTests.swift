import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// Sessions that last too long, or in which nothing comes, end by themselves.
@Suite(.timeLimit(.minutes(5))) struct SessionExpiryTests {
    private let clock = ManualClock()
    private let ended = EndedSessions()
    private let source = ScriptedSource()

    private func registry(
        lifetime: Duration? = nil, idle: Duration? = .seconds(300), log: any AudioLogSink = SilentLogSink()
    ) -> SessionRegistry {
        .scripted(clock: clock, lifetime: lifetime, idleTimeout: idle, log: log, onEnd: ended.add)
    }

    /// Moves the hand; nothing expires by that, whether the housekeeper looks or somebody else.
    private func advance(_ registry: SessionRegistry, _ time: Duration) {
        clock.advance(by: time)
        #expect(registry.expireSessions().sessions.isEmpty)
    }

    @Test func atTwiceTheExpectedDuration() throws {
        let registry = registry(idle: nil)
        let call = try registry.begin("call", source: source)
        #expect(source.give(100))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(1199))
        #expect(registry.expireSessions().sessions.isEmpty && call.report.expiresInSeconds == 1)
        clock.advance(by: .seconds(1))
        #expect(eventually { registry.count == 0 && ended.all.count == 1 })
        #expect(ended.all[0].report.reason == .lifetimeOver && ended.all[0].recording?.frameCount == 100)
        #expect(ended.all[0].report.ageSeconds == 1200)
        #expect(registry.report.expiredCount == 1 && registry.report.endedCount == 1)
        #expect(#expect(throws: AudioError.self) { try call.end() }?.code == .invalidState)
    }

    @Test func framesAndTouchesKeepASession() throws {
        let log = SessionLog()
        let registry = registry(log: log)
        let call = try registry.begin("call", source: source)
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(200))
        #expect(source.give(10))
        // Idle for 100 s.
        advance(registry, .seconds(100))
        #expect(registry.count == 1 && call.report.idleSeconds == 100)
        clock.advance(by: .seconds(150))
        call.touch()
        advance(registry, .seconds(50))
        #expect(registry.count == 1 && call.report.idleSeconds == 50)
        clock.advance(by: .seconds(249))
        #expect(registry.expireSessions().sessions.isEmpty && registry.count == 1)
        clock.advance(by: .seconds(1))
        #expect(eventually { ended.all.count == 1 })
        #expect(ended.all[0].report.reason == .idle && registry.count == 0)
        #expect(eventually { log.lines("session expired").map { $0["reason"] } == ["idle"] })
    }

    @Test func theEarliestIsEndedFirstWhateverTheOrder() throws {
        let registry = registry(lifetime: .seconds(100))
        _ = try registry.begin("old", source: ScriptedSource())
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(60))
        _ = try registry.begin("young", source: ScriptedSource())
        clock.advance(by: .seconds(40))
        #expect(eventually { ended.all.map(\.name) == ["old"] })
        #expect(registry.sessions.map(\.name) == ["young"])
        clock.advance(by: .seconds(60))
        #expect(eventually { ended.all.map(\.name) == ["old", "young"] })
    }

    /// While the housekeeper waits for one that does not close, so that it is by hand indeed.
    @Test func byHandItTellsWhatItFreed() throws {
        let latch = try Latch()
        let registry = SessionRegistry.scripted(clock: clock, lifetime: .seconds(100))
        try registry.begin("blocks", source: ScriptedSource()).attach(1, named: "part") { _ in latch.wait() }
        clock.advance(by: .seconds(1))
        let call = try registry.begin("call", source: source)
        let usedBytes = call.budget.usedBytes
        #expect(registry.expireSessions().sessions.isEmpty && usedBytes > 0)
        clock.advance(by: .seconds(99))
        #expect(latch.waitUntilAwaited())
        clock.advance(by: .seconds(1))
        let report = registry.expireSessions(deadline: .seconds(5))
        #expect(report.sessions.map(\.name) == ["call"] && report.allEnded)
        #expect(report.freedBytes == usedBytes && call.budget.usedBytes == 0)
        latch.open()
        #expect(eventually { registry.count == 0 && registry.report.usedBytes == 0 })
    }

    @Test func aSessionThatHangsDoesNotKeepOthersFromExpiring() throws {
        let registry = registry(lifetime: .seconds(100))
        _ = try registry.begin("hangs", source: source)
        _ = try registry.begin("ends", source: ScriptedSource())
        source.push(.hang)
        #expect(source.waitUntilHanging() && clock.waitUntilWaiting())
        clock.advance(by: .seconds(100))
        #expect(eventually { registry.sessions.map(\.name) == ["hangs"] })
        // The clock's hand has to come to the deadline.
        #expect(
            eventually {
                clock.advance(by: .milliseconds(100))
                return registry.count == 0
            })
        #expect(eventually { ended.all.contains { $0.leftToItself == [.captureThread] } })
        #expect(registry.report.quarantinedThreads == 1)
        source.letGo()
        #expect(eventually { registry.report.quarantinedThreads == 0 })
    }

    /// Also those of a recording that somebody took while nobody looked.
    @Test func framesOfARecordingThatWasStoppedKeepASession() throws {
        let registry = registry()
        let call = try registry.begin("call", source: source)
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(250))
        #expect(source.give(10))
        #expect(try call.processor.stop().frameCount == 10)
        advance(registry, .seconds(50))
        #expect(registry.count == 1 && call.report.idleSeconds == 50)
        clock.advance(by: .seconds(250))
        #expect(eventually { ended.all.count == 1 })
        #expect(ended.all[0].report.reason == .idle && ended.all[0].report.ageSeconds == 550)
    }

    /// As many as there are threads hold the others up.
    @Test func whatComesToLifeBeforeItsTurnIsSpared() throws {
        let registry = registry()
        let latches = try (0..<4).map { _ in try Latch() }
        for (number, latch) in latches.enumerated() {
            let call = try registry.begin("call \(number)", source: ScriptedSource())
            try call.attach(latch, named: "part") { $0.wait() }
        }
        let call = try registry.begin("call", source: source)
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(300))
        for latch in latches { #expect(latch.waitUntilAwaited()) }
        call.touch()
        for latch in latches { latch.open() }
        #expect(eventually { ended.all.count == 4 })
        clock.advance(by: .seconds(299))
        #expect(clock.waitUntilWaiting(dueWithin: .seconds(1)))
        #expect(registry.count == 1)
        clock.advance(by: .seconds(1))
        #expect(eventually { ended.all.count == 5 })
        #expect(ended.all[4].name == "call" && ended.all[4].report.ageSeconds == 600)
        #expect(registry.report.expiredCount == 5)
    }
}
