import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

/// Losses on a PCM that never stops: 3,200 frames of buffer, periods of 160.
@Suite struct ALSAExactLossTests {
    func open(_ script: ALSAScript, clock: StepClock = StepClock()) throws(AudioError) -> any CaptureStream {
        script.script.withLock { $0.isHardware = true }
        let stream = try ALSASource(device: "hw:0", calls: script).open(
            CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment(clock: clock))
        try stream.start()
        return stream
    }

    /// A stream that has delivered its first period and knows that no more waits.
    func openAfterOnePeriod(_ script: ALSAScript, clock: StepClock) throws -> any CaptureStream {
        let stream = try open(script, clock: clock)
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples.count == 160)
        #expect(try stream.readSamples().result == .nothing)
        return stream
    }

    func overrun(_ frames: Int) -> CaptureRead { .lost(AudioLoss(frames: frames, cause: .deviceOverrun)) }

    @Test func whatExceedsTheBufferLessAPeriodIsSkipped() throws {
        let script = ALSAScript {
            $0.avails = [48_000]
            $0.reads = [160]
            $0.waiting = 2880
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .seconds(3))
        #expect(try stream.readSamples().result == overrun(48_000 - 3040))
        // And then what is left, without asking again.
        let (result, samples) = try stream.readSamples()
        #expect(samples.first == Int16(truncatingIfNeeded: 48_000 - 3040))
        #expect(script.count("avail") == 1)
        #expect(result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-190))))
        #expect(script.script.withLock { $0.skipped } == [48_000 - 3040])
        #expect(script.count("prepare") == 0)
    }

    @Test(arguments: [(3040, nil), (3041, 1), (3200, 160)] as [(Int, Int?)])
    func theLimitIsTheBufferLessAPeriod(waiting: Int, lost: Int?) throws {
        let script = ALSAScript {
            $0.avails = [waiting]
            $0.reads = [160]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .milliseconds(200))
        let result = try stream.readSamples().result
        if let lost { #expect(result == overrun(lost)) } else { #expect(script.count("readi") == 1) }
    }

    /// Stopped between asking and reading: what was read was overwritten before.
    @Test func framesThatWereOverwrittenWhileReadAreNotDelivered() throws {
        let script = ALSAScript {
            $0.avails = [160, 9000]
            $0.reads = [160]
            $0.waiting = 9000
        }
        let stream = try open(script)
        #expect(try stream.readSamples().result == overrun(160))
        // And now what waits beyond the buffer.
        #expect(try stream.readSamples().result == overrun(9000 - 3040))
        #expect(script.script.withLock { $0.skipped } == [9000 - 3040])
    }

    /// Close to the buffer's end the hardware is asked where it really is.
    @Test func framesReadInTimeAreDelivered() throws {
        let script = ALSAScript {
            $0.avails = [3040, 3040]
            $0.reads = [160]
            $0.waiting = 2890
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .milliseconds(190))
        #expect(try stream.readSamples().samples.count == 160)
        #expect(script.count("avail") == 2)
    }

    @Test func aPCMThatDoesNotSkipIsStartedAgain() throws {
        let script = ALSAScript {
            $0.avails = [48_000]
            $0.forwards = [0]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .seconds(3))
        #expect(
            try stream.readSamples().result
                == .lost(AudioLoss(frames: 48_000, cause: .deviceOverrun, isExact: false)))
        #expect(script.count("drop") == 1)
        #expect(script.count("start") == 2)
    }

    /// A hardware pointer that runs backward looks like almost all frames there are.
    @Test(arguments: [1 << 62, Int.max, 10_000_000]) func whatIsNoCountIsNotBelieved(waiting: Int) throws {
        let script = ALSAScript { $0.avails = [waiting] }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .seconds(3))
        #expect(
            try stream.readSamples().result
                == .lost(AudioLoss(frames: 48_000, cause: .deviceOverrun, isExact: false)))
        #expect(script.script.withLock { $0.skipped }.isEmpty)
        #expect(script.count("start") == 2)
    }

    @Test(arguments: [true, false]) func framesThatSeemToWaitForEverAreNotBelieved(countsExactly: Bool) throws {
        let script = ALSAScript {
            $0.avails = [160, 0]
            $0.reads = [160]
            $0.waiting = .max
        }
        let clock = StepClock()
        let stream =
            try countsExactly
            ? open(script, clock: clock)
            : ALSASource(device: "hw:0", calls: script).open(
                CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment(clock: clock))
        clock.advance(by: .milliseconds(210))
        #expect(
            try stream.readSamples().result
                == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-210))))
    }

    /// A process may be stopped for as long as somebody looks at it.
    @Test func aWeekIsCountedToo() throws {
        let week = 7 * 24 * 3600 * 16_000
        let script = ALSAScript {
            $0.avails = [week]
            $0.reads = [160]
            $0.waiting = 2880
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        clock.advance(by: .seconds(7 * 24 * 3600))
        #expect(try stream.readSamples().result == overrun(week - 3040))
        #expect(
            try stream.readSamples().result
                == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-190))))
    }

    /// Two periods: a wake that is late by less than half a period costs nothing.
    @Test(arguments: [(174, nil), (240, nil), (241, 81), (320, 160), (1000, 840)] as [(Int, Int?)])
    func aBufferOfTwoPeriodsLosesNothingToALateWake(waiting: Int, lost: Int?) throws {
        let script = ALSAScript {
            $0.bufferFrames = 320
            $0.avails = [waiting]
            $0.reads = [160]
        }
        let stream = try open(script)
        let result = try stream.readSamples().result
        if let lost { #expect(result == overrun(lost)) } else { #expect(script.count("readi") == 1) }
    }

    /// A device that was plugged in and silent for 3 s: nothing overran, and the time went by.
    @Test func whatWasNeverCapturedIsFoundByTheClock() throws {
        let script = ALSAScript {
            $0.avails = [160, 0, 160]
            $0.reads = [160, 160]
        }
        let clock = StepClock()
        let stream = try openAfterOnePeriod(script, clock: clock)
        #expect(try stream.readSamples().result == .nothing)
        clock.advance(by: .milliseconds(3010))
        let gap = AudioLoss(frames: 48_000, cause: .deviceGap, isExact: false)
        #expect(try stream.readSamples().result == .lost(gap))
        #expect(try stream.readSamples().samples.count == 160)
    }

    /// What the device had when it was suspended comes first, then the gap, then what came after.
    @Test func theGapOfASuspensionLiesBehindWhatWasCapturedBeforeIt() throws {
        let script = ALSAScript {
            $0.avails = [160, -86, 320, 320]
            $0.reads = [160, 100, 160]
            $0.resumes = [0]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        let begin = clock.now
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples.count == 160)
        #expect(try stream.readSamples().result == .nothing)
        clock.advance(by: .milliseconds(1000))
        script.script.withLock { $0.waiting = 100 }
        #expect(try stream.readSamples().result == .nothing)
        // By now new frames wait, too: in all 320.
        clock.advance(by: .milliseconds(20))
        script.script.withLock { $0.waiting = 220 }
        #expect(
            try stream.readSamples().result == .frames(100, captureTime: begin.advanced(by: .milliseconds(10))))
        let gap = 16_480 - 260 - 220
        script.script.withLock { $0.avails = [220] }
        #expect(
            try stream.readSamples().result == .lost(AudioLoss(frames: gap, cause: .deviceGap, isExact: false)))
        script.script.withLock {
            $0.avails = [220]
            $0.waiting = 60
        }
        #expect(
            try stream.readSamples().result
                == .frames(160, captureTime: clock.now.advanced(by: .nanoseconds(-13_750_000))))
    }

    /// A device that falls silent for longer than it may: what it had comes first, the gap is told as it grows.
    @Test func theGapOfASilenceLiesBehindWhatWasCapturedBeforeIt() throws {
        let script = ALSAScript {
            $0.avails = [160]
            $0.reads = [160, 60, 160]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        let wakeUp = CaptureWakeUp(try WakeUp())
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples.count == 160)
        // The rest of a period, which a driver tells only when it is asked.
        script.script.withLock {
            $0.avails = [60, 60]
            $0.waiting = 0
        }
        // It ends by its deadline.
        try stream.wait(orFor: wakeUp)
        #expect(try stream.readSamples().samples.count == 60)
        let gap = 1040 * 16 - 60
        #expect(
            try stream.readSamples().result == .lost(AudioLoss(frames: gap, cause: .deviceGap, isExact: false)))
        // And no more than that.
        script.script.withLock { $0.avails = [160] }
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples.count == 160)
    }

    /// Less than a tenth of a second may be the device's way of delivering.
    @Test(arguments: [(1600, nil), (1602, 1602)] as [(Int, Int?)])
    func aGapIsMoreThanATenthOfASecond(missing: Int, lost: Int?) throws {
        let script = ALSAScript {
            $0.avails = [160, 160]
            $0.reads = [160, 160]
        }
        let clock = StepClock()
        let stream = try openAfterOnePeriod(script, clock: clock)
        clock.advance(by: .nanoseconds((missing + 160) * 62_500))
        let result = try stream.readSamples().result
        if let lost {
            #expect(result == .lost(AudioLoss(frames: lost, cause: .deviceGap, isExact: false)))
        } else {
            #expect(script.count("readi") == 2)
        }
    }

    /// What stops right after a loss was told begins where that ended.
    @Test(arguments: [AudioLoss.Cause.deviceOverrun, .deviceGap]) func noLossIsToldTwice(cause: AudioLoss.Cause) throws
    {
        let script = ALSAScript {
            $0.avails = [160, 0, cause == .deviceGap ? 800 : 48_000]
            $0.reads = [160, -32]
        }
        let clock = StepClock()
        let stream = try openAfterOnePeriod(script, clock: clock)
        #expect(try stream.readSamples().result == .nothing)
        clock.advance(by: .seconds(3))
        var lost = 0
        for _ in 0..<2 {
            guard case .lost(let loss) = try stream.readSamples().result else { break }
            lost += loss.frames
        }
        #expect(lost == 48_000)
        #expect(script.count("start") == 2)
    }

    @Test func aWaitMakesTheDeviceBeAskedAnew() throws {
        let script = ALSAScript {
            $0.avails = [320, 160]
            $0.reads = [160, 160]
            $0.waiting = 160
        }
        let clock = StepClock(isReady: true)
        let stream = try open(script, clock: clock)
        clock.advance(by: .milliseconds(20))
        #expect(try stream.readSamples().samples.count == 160)
        #expect(script.count("avail") == 1)
        try stream.wait(orFor: CaptureWakeUp(try WakeUp()))
        _ = try stream.readSamples()
        #expect(script.count("avail") == 2)
    }

    @Test func aDeviceMayTakeItsTimeToBegin() throws {
        let script = ALSAScript {
            $0.avails = [0, 160]
            $0.reads = [160]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        #expect(try stream.readSamples().result == .nothing)
        clock.advance(by: .seconds(2))
        #expect(try stream.readSamples().samples.count == 160)
    }

    @Test func deliveredAndLostIsElapsed() throws {
        // Ten minutes of a device whose reader is kept away now and then.
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(script, clock: clock)
        let begin = clock.now
        var random = SeededGenerator(seed: 3)
        var delivered = 0
        var lost = 0
        var next: Int16 = 0
        while begin.duration(to: clock.now) < .seconds(600) {
            clock.advance(by: .milliseconds(random.next() % 200 == 0 ? Int(random.next() % 3000) : 10))
            let due = Int(begin.duration(to: clock.now) / .nanoseconds(62_500))
            script.script.withLock { $0.avails = [due - delivered - lost] }
            while due - delivered - lost >= 160 {
                let waiting = due - delivered - lost
                script.script.withLock { script in
                    script.reads = [min(160, waiting)]
                    script.waiting = waiting - min(160, waiting)
                }
                let (result, samples) = try stream.readSamples()
                switch result {
                case .frames(let count, _):
                    #expect(samples.first == next)
                    delivered += count
                    next &+= Int16(truncatingIfNeeded: count)
                case .lost(let loss):
                    #expect(loss.isExact)
                    lost += loss.frames
                    next &+= Int16(truncatingIfNeeded: loss.frames)
                case .nothing, .reopened, .ended: break
                }
            }
            // Until the device has no more than a rest, which waits.
            _ = try stream.readSamples()
        }
        #expect(lost > 100_000)
        let due = Int(begin.duration(to: clock.now) / .nanoseconds(62_500))
        #expect(abs(due - delivered - lost) < 160)
    }
}
