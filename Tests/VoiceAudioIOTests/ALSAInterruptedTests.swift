import Testing
import VoiceAudioCore
import VoiceAudioIO

/// A thread that is kept waiting between two calls, on a PCM that never stops.
extension ALSAExactLossTests {
    /// Between asking what waits and asking for the time.
    @Test func whatCameWhileTheThreadWasKeptWaitingIsLostOnce() throws {
        let script = ALSAScript {
            $0.avails = [160, 160]
            $0.reads = [160, 160]
        }
        let clock = StepClock()
        let stream = try openAfterOnePeriod(script, clock: clock)
        clock.advance(by: .milliseconds(10))
        script.script.withLock {
            $0.waiting = 48_000
            $0.interruptions["avail"] = { clock.advance(by: .seconds(3)) }
        }
        #expect(try stream.readSamples().result == overrun(160))
        #expect(try stream.readSamples().result == overrun(48_000 - 3040))
        script.script.withLock {
            $0.reads = [160]
            $0.waiting = 2880
        }
        #expect(
            try stream.readSamples().result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-190))))
    }

    /// Between two reads, with frames known to wait.
    @Test func whatIsKnownToWaitIsNoGap() throws {
        let script = ALSAScript {
            $0.avails = [320]
            $0.reads = [160, 160]
            $0.waiting = 160
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .milliseconds(20))
        #expect(try stream.readSamples().samples.count == 160)
        clock.advance(by: .seconds(3))
        script.script.withLock { $0.waiting = 48_000 }
        #expect(try stream.readSamples().result == overrun(160))
        #expect(try stream.readSamples().result == overrun(48_000 - 3040))
    }

    /// Between the start after a stop and asking for the time, or what waits: what came meanwhile is there.
    @Test(arguments: ["start", "avail"]) func whatWaitsAfterARestartIsNotLost(name: String) throws {
        let script = ALSAScript {
            $0.reads = [160, -32]
            $0.avails = name == "start" ? [160, 160, 1600] : [160, 160, 0, 1600]
        }
        let clock = StepClock()
        let stream = try openAfterOnePeriod(script, clock: clock)
        clock.advance(by: .milliseconds(50))
        script.script.withLock {
            $0.interruptions["start"] = {
                clock.advance(by: .milliseconds(name == "start" ? 100 : 0))
                guard name == "avail" else { return }
                script.script.withLock { $0.interruptions["avail"] = { clock.advance(by: .milliseconds(100)) } }
            }
        }
        #expect(
            try stream.readSamples().result
                == .lost(AudioLoss(frames: 800, cause: .deviceOverrun, isExact: false)))
    }
}
