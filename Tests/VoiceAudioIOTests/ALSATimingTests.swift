import Testing
import VoiceAudioCore
import VoiceAudioIO

@Suite struct ALSATimingTests {
    /// A device at 16 kHz that stamps on `device`, `offset` ahead of our own clock.
    func open(
        clock: StepClock, script: ALSAScript
    ) throws(AudioError) -> any CaptureStream {
        let stream = try ALSASource(device: "hw:0", calls: script).open(
            CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment(clock: clock))
        try stream.start()
        return stream
    }

    /// One period: stamped 2 ms before it is read, 80 frames waiting behind.
    func readOne(_ stream: any CaptureStream, _ script: ALSAScript, stampedAt: Int64, clocks: [SystemClockID: Int64])
        throws(AudioError) -> CaptureRead
    {
        script.script.withLock { script in
            script.reads = [160]
            script.waiting = 80
            script.stamp = stampedAt
            script.clocks = clocks
        }
        // What the last read left is no whole chunk, and waits for a wake-up.
        let result = try stream.readSamples().result
        return result == .nothing ? try stream.readSamples().result : result
    }

    /// Taken, they would leave the first period short of what the device wakes for, and the first chunk to the second one.
    @Test(arguments: [false, true]) func theFirstFramesWaitForTheirPeriod(isHardware: Bool) throws {
        let script = ALSAScript {
            $0.reads = [160]
            $0.avails = [3]
            $0.waiting = 162
            $0.isHardware = isHardware
        }
        let clock = StepClock(isReady: true)
        let stream = try open(clock: clock, script: script)
        #expect(try stream.readSamples().result == .nothing)
        #expect(script.count("readi") == 0)
        try stream.wait(orFor: CaptureWakeUp(try WakeUp()))
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples == (0..<160).map { $0 })
    }

    static let clocks: [SystemClockID: Int64] = [
        .monotonic: 5_000_000_000, .bootTime: 905_000_000_000, .realtime: 1_700_000_000_000_000_000,
        .monotonicRaw: 8_000_000_000,
    ]

    @Test(arguments: [
        (SystemClockID.monotonic, CaptureClock.monotonic), (.bootTime, .bootTime), (.realtime, .realtime),
        (.monotonicRaw, .monotonicRaw),
    ])
    func eachClockIsFoundOutAndConverted(id: SystemClockID, expected: CaptureClock) throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        #expect(stream.timing.clock == .arrival)
        clock.advance(by: .milliseconds(30))
        let shown = try #require(Self.clocks[id])
        let result = try readOne(stream, script, stampedAt: shown - 2_000_000, clocks: Self.clocks)
        // 2 ms of age, 15 ms of frames.
        #expect(result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-17))))
        #expect(stream.timing.clock == expected)
    }

    @Test(arguments: [0, -5, 1, 4_000_000_000_000, Int64.max, Int64.min])
    func stampsThatNoClockShowsAreNotBelieved(stamp: Int64) throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        clock.advance(by: .milliseconds(30))
        let result = try readOne(stream, script, stampedAt: stamp, clocks: Self.clocks)
        #expect(result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-15))))
        #expect(stream.timing.clock == .arrival)
    }

    @Test func stampsThatGoBadAreReplacedByArrival() throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        clock.advance(by: .milliseconds(30))
        _ = try readOne(stream, script, stampedAt: 4_999_000_000, clocks: Self.clocks)
        #expect(stream.timing.clock == .monotonic)
        for _ in 0..<8 {
            clock.advance(by: .milliseconds(10))
            let result = try readOne(stream, script, stampedAt: 7, clocks: Self.clocks)
            guard case .frames(_, let time) = result else { throw Unexpected("frames expected, not \(result)") }
            #expect(time == clock.now.advanced(by: .milliseconds(-15)))
        }
        #expect(stream.timing.clock == .arrival)
        // And found again when they are good again.
        clock.advance(by: .milliseconds(10))
        _ = try readOne(stream, script, stampedAt: 1_699_999_999_999_000_000, clocks: Self.clocks)
        #expect(stream.timing.clock == .realtime)
    }

    @Test func captureTimesNeverRunBackwardWhateverTheStamps() throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        var last = MonotonicInstant(nanoseconds: 0)
        for step in 0..<100 {
            clock.advance(by: .milliseconds(1))
            let stamp = 5_000_000_000 - Int64(step * 7919 % 500) * 1_000_000
            guard
                case .frames(_, let time) = try readOne(stream, script, stampedAt: stamp, clocks: Self.clocks)
            else { continue }
            #expect(time >= last)
            #expect(time <= clock.now)
            last = time
        }
    }

    /// Clocks tick coarsely: a stamp may be a millisecond ahead, and is then taken to be of now.
    @Test(arguments: [(1_000_000, CaptureClock.monotonic), (1_000_001, .arrival)] as [(Int64, CaptureClock)])
    func aStampFromTheFutureIsOfNow(ahead: Int64, expected: CaptureClock) throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        clock.advance(by: .milliseconds(30))
        let result = try readOne(stream, script, stampedAt: 5_000_000_000 + ahead, clocks: Self.clocks)
        #expect(result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-15))))
        #expect(stream.timing.clock == expected)
    }

    /// A thread that is kept waiting before it reads the device's clock.
    @Test func aThreadKeptWaitingKnowsTheTimeNonetheless() throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        clock.advance(by: .milliseconds(30))
        let expected = clock.now.advanced(by: .milliseconds(-17))
        script.script.withLock {
            $0.interruptions["reading"] = {
                clock.advance(by: .milliseconds(500))
                script.script.withLock { $0.clocks[.monotonic] = 5_500_000_000 }
            }
        }
        let result = try readOne(stream, script, stampedAt: 4_998_000_000, clocks: Self.clocks)
        #expect(result == .frames(160, captureTime: expected))
    }

    /// A device whose clock is 0.56 % slow.
    @Test func driftIsMeasured() throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        for step in 0..<2200 {
            clock.advance(by: .nanoseconds(10_056_315))
            script.script.withLock { $0.reads = [160] }
            while try stream.readSamples().result != .nothing {}
            if step == 1000 { #expect(stream.timing.driftPPM == nil) }
        }
        let ppm = try #require(stream.timing.driftPPM)
        #expect(abs(ppm + 5600) < 1)
        // What is lost by the clock tells nothing of the device: it is measured anew, from its first frames on.
        clock.advance(by: .seconds(5))
        script.script.withLock { $0.reads = [-32] }
        _ = try stream.readSamples()
        for _ in 0..<500 {
            clock.advance(by: .nanoseconds(10_056_315))
            script.script.withLock { $0.reads = [160] }
            while try stream.readSamples().result != .nothing {}
        }
        #expect(stream.timing.driftPPM == ppm)
    }

    // MARK: Sound servers

    /// 160 frames each 10 ms; from one count of reads on, for as many as `pause`, none come, and `madeUp` of them come
    /// at once after.
    func arrears(of pause: Int, from begin: Int = 400, madeUp: Int) throws -> (lost: Int, delivered: Int) {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        var lost = 0
        var delivered = 0
        for step in 0..<1000 {
            clock.advance(by: .milliseconds(10))
            if step >= begin, step < begin + pause { continue }
            let count = step == begin + pause ? 1 + madeUp : 1
            for _ in 0..<count {
                script.script.withLock { $0.reads = [160] }
                reading: while true {
                    switch try stream.readSamples().result {
                    case .frames(let frames, _): delivered += frames
                    case .lost(let loss):
                        #expect(!loss.isExact && loss.cause == .deviceGap)
                        lost += loss.frames
                    case .nothing, .reopened, .ended: break reading
                    }
                }
            }
        }
        return (lost, delivered)
    }

    @Test func framesThatComeLateAreNotLost() throws {
        let (lost, delivered) = try arrears(of: 90, madeUp: 90)
        #expect(lost == 0)
        #expect(delivered == 160_000)
    }

    /// However long they are late, and whenever.
    @Test(arguments: 390..<510) func framesThatComeVeryLateAreNotLost(begin: Int) throws {
        #expect(try arrears(of: 250, from: begin, madeUp: 250) == (0, 160_000))
    }

    /// 40 s of a device 0.5 % slow: 3,200 frames, none of them lost.
    @Test func aSlowDeviceLosesNothing() throws {
        let clock = StepClock()
        let script = ALSAScript()
        let stream = try open(clock: clock, script: script)
        for _ in 0..<4000 {
            clock.advance(by: .nanoseconds(10_050_000))
            script.script.withLock { $0.reads = [160] }
            #expect(try stream.readSamples().samples.count == 160)
            #expect(try stream.readSamples().result == .nothing)
        }
    }

    @Test(arguments: [30, 90, 250]) func framesThatNeverComeAreLost(pause: Int) throws {
        let (lost, delivered) = try arrears(of: pause, madeUp: 0)
        #expect(abs(lost - pause * 160) <= 160)
        #expect(abs(lost + delivered - 160_000) <= 160)
    }
}
