import Testing
import VoiceAudioCore
import VoiceAudioIO

/// Every answer alsa-lib may give, at the seam.
@Suite struct ALSAScriptedTests {
    let request = CaptureRequest(format: .speech, chunkFrameCount: 160)

    func open(_ script: ALSAScript, clock: StepClock = StepClock()) throws(AudioError) -> any CaptureStream {
        try ALSASource(device: "hw:0", calls: script).open(request, in: CaptureEnvironment(clock: clock))
    }

    @Test(arguments: [
        "open", "hwParamsMalloc", "hwParamsAny", "setAccess", "setPeriodSizeNear", "setBufferSizeNear", "hwParams",
        "getParams", "swParamsMalloc", "swParamsCurrent", "setAvailMin", "setStartThreshold", "setStopThreshold",
        "setTimestamps", "swParams", "pollDescriptorsCount", "pollDescriptors",
    ])
    func everyFailingStepOfOpenGivesAllBack(step: String) {
        let script = ALSAScript { $0.failures[step] = -5 }
        #expect(throws: AudioError.self) { try open(script) }
        #expect(script.count(step) == 1)
        #expect(script.held == 0)
        #expect(script.count("close") == (step == "open" ? 0 : 1))
    }

    @Test func closesOnceAndGivesAllBack() throws {
        let script = ALSAScript()
        var stream: (any CaptureStream)? = try open(script)
        #expect(script.held == 1)
        stream?.close()
        stream = nil
        #expect(script.held == 0)
        #expect(script.count("close") == 1)
    }

    @Test func droppedWithoutCloseGivesAllBack() throws {
        let script = ALSAScript()
        _ = try open(script)
        #expect(script.held == 0)
    }

    @Test func shortReadsAndNothing() throws {
        let script = ALSAScript { $0.reads = [100, -11, 60, -4, 0] }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .milliseconds(10))
        let begin = clock.now.advanced(by: .nanoseconds(-6_250_000))
        #expect(try stream.readSamples().result == .frames(100, captureTime: begin))
        // The device is known to be empty: asking again costs no call.
        #expect(try stream.readSamples().result == .nothing)
        #expect(script.count("readi") == 1)
        #expect(try stream.readSamples().result == .nothing)
        #expect(try stream.readSamples().samples == (100..<160).map { $0 })
        _ = try stream.readSamples()
        for _ in 0..<3 { #expect(try stream.readSamples().result == .nothing) }
        #expect(script.count("prepare") == 0)
    }

    /// Taken at once, it would put the rest of its chunk between two wake-ups of the device, and the chunk into the later one.
    @Test(arguments: [false, true]) func aRestThatDoesNotFillAChunkWaits(isHardware: Bool) throws {
        let script = ALSAScript {
            $0.reads = [160, 100, 60]
            $0.waiting = 100
            $0.isHardware = isHardware
            $0.avails = isHardware ? [260, 100] : [260]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .microseconds(16_250))
        #expect(try stream.readSamples().samples.count == 160)
        #expect(try stream.readSamples().result == .nothing)
        #expect(script.count("readi") == 1)
        // Of a chunk that is begun, all that is there is taken where that fills it.
        script.script.withLock { $0.waiting = 60 }
        #expect(try stream.readSamples().samples.count == 100)
        #expect(try stream.readSamples(frameCount: 60).samples.count == 60)
    }

    @Test func captureTimeNeverRunsBackward() throws {
        let script = ALSAScript {
            $0.reads = [160, 160]
            $0.waiting = 160
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .milliseconds(30))
        let first = try stream.readSamples().result
        #expect(first == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-20))))
        script.script.withLock { $0.waiting = 3000 }
        #expect(try stream.readSamples().result == first)
    }

    @Test func overrunIsCountedByTheClockAndSurvived() throws {
        let script = ALSAScript { $0.reads = [160, -32, 160] }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .milliseconds(10))
        _ = try stream.readSamples()
        _ = try stream.readSamples()
        clock.advance(by: .milliseconds(500))
        let loss = AudioLoss(frames: 8000, cause: .deviceOverrun, isExact: false)
        #expect(try stream.readSamples().result == .lost(loss))
        #expect(script.count("prepare") == 1)
        #expect(script.count("start") == 2)
        clock.advance(by: .milliseconds(10))
        #expect(
            try stream.readSamples().result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-10))))
    }

    /// What a device takes to begin again after it was started belongs to the gap.
    @Test(arguments: [false, true]) func aDeviceTakesItsTimeToBeginAgain(isHardware: Bool) throws {
        let script = ALSAScript {
            $0.reads = [160, -32, 160]
            $0.isHardware = isHardware
            $0.avails = isHardware ? [160, -32] : []
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .milliseconds(10))
        #expect(try stream.readSamples().samples.count == 160)
        _ = try stream.readSamples()
        if isHardware { script.script.withLock { $0.reads = [160] } }
        clock.advance(by: .milliseconds(500))
        let loss = AudioLoss(frames: 8000, cause: .deviceOverrun, isExact: false)
        #expect(try stream.readSamples().result == .lost(loss))
        script.script.withLock { $0.avails = [0, 0] }
        clock.advance(by: .milliseconds(22))
        if isHardware { #expect(try stream.readSamples().result == .nothing) }
        // The first frames come 22 ms late, and 10 ms long.
        clock.advance(by: .milliseconds(10))
        script.script.withLock { $0.avails = [160, 160] }
        #expect(
            try stream.readSamples().result == .lost(AudioLoss(frames: 352, cause: .deviceGap, isExact: false)))
        #expect(
            try stream.readSamples().result == .frames(160, captureTime: clock.now.advanced(by: .milliseconds(-10))))
    }

    @Test func overrunsForEverMeanTheDeviceIsGone() throws {
        let script = ALSAScript { $0.reads = Array(repeating: -32, count: 1000) }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        var losses = 0
        let error = #expect(throws: AudioError.self) {
            for _ in 0..<1000 {
                clock.advance(by: .milliseconds(10))
                if case .lost(let loss) = try stream.readSamples().result { losses += loss.frames }
            }
        }
        #expect(error?.code == .deviceLost)
        #expect(script.count("readi") == 11)
        #expect(losses == 1600)
    }

    @Test func frameBetweenOverrunsKeepsTheDevice() throws {
        let script = ALSAScript { $0.reads = (0..<100).flatMap { _ in [-32, 160] } }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        var frames = 0
        for _ in 0..<300 {
            clock.advance(by: .milliseconds(10))
            if case .frames(let count, _) = try stream.readSamples().result { frames += count }
        }
        #expect(frames == 16_000)
    }

    @Test func suspendedDeviceIsResumedAndTheGapCounted() throws {
        let script = ALSAScript {
            $0.reads = [-86, -86, -86, 160]
            $0.resumes = [-11, -11, 0]
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        for _ in 0..<2 {
            clock.advance(by: .milliseconds(100))
            #expect(try stream.readSamples().result == .nothing)
        }
        clock.advance(by: .milliseconds(100))
        #expect(
            try stream.readSamples().result == .lost(AudioLoss(frames: 4800, cause: .deviceGap, isExact: false)))
        #expect(script.count("prepare") == 0)
        #expect(try stream.readSamples().samples.count == 160)
    }

    @Test(arguments: [[-38], Array(repeating: Int32(-11), count: 1000)])
    func deviceThatCannotResumeIsStartedAfresh(resumes: [Int32]) throws {
        let script = ALSAScript {
            $0.reads = Array(repeating: -86, count: 1000)
            $0.resumes = resumes
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        for _ in 0..<60 where script.count("prepare") == 0 {
            clock.advance(by: .milliseconds(100))
            _ = try stream.readSamples()
        }
        #expect(script.count("prepare") == 1)
    }

    @Test(arguments: [1, 2, 3]) func startThatAnswersWithAnOverrunIsTriedAgain(times: Int) throws {
        let script = ALSAScript {
            $0.reads = [160, -32, -32, 160]
            $0.starts = [0] + Array(repeating: -32, count: times)
        }
        let clock = StepClock()
        let stream = try open(script, clock: clock)
        try stream.start()
        clock.advance(by: .milliseconds(10))
        _ = try stream.readSamples()
        _ = try stream.readSamples()
        var lost = 0
        for _ in 0..<3 {
            clock.advance(by: .milliseconds(100))
            if case .lost(let loss) = try stream.readSamples().result { lost += loss.frames }
        }
        #expect(lost == 3200)
    }

    @Test(arguments: [-19, -77]) func deviceThatWentAwayIsLost(status: Int) throws {
        let script = ALSAScript { $0.reads = [160, status] }
        let stream = try open(script)
        try stream.start()
        _ = try stream.readSamples()
        _ = try stream.readSamples()
        let error = #expect(throws: AudioError.self) { _ = try stream.readSamples() }
        #expect(error?.code == .deviceLost)
        #expect(error?.status == Int32(-status))
        stream.close()
        #expect(script.held == 0)
    }

    @Test func overrunThatCannotBeRecoveredIsALostDevice() throws {
        let script = ALSAScript {
            $0.reads = [-32]
            $0.failures["prepare"] = -5
        }
        let stream = try open(script)
        try stream.start()
        let error = #expect(throws: AudioError.self) { _ = try stream.readSamples() }
        #expect(error?.code == .deviceLost)
    }

    @Test(arguments: [(PCMState.disconnected, AudioError.Code.deviceLost), (.running, .deviceFailed)])
    func otherErrorsGoByTheState(state: PCMState, code: AudioError.Code) throws {
        let script = ALSAScript {
            $0.reads = [-71]
            $0.state = state
        }
        let stream = try open(script)
        let error = #expect(throws: AudioError.self) { _ = try stream.readSamples() }
        #expect(error?.code == code)
    }

    /// The pulse plugin answers so where nothing is wrong any more.
    @Test func anErrorWithoutAReasonIsNotBelievedAtOnce() throws {
        let script = ALSAScript { $0.reads = [160, -5, 160] + Array(repeating: -5, count: 100) }
        let stream = try open(script)
        try stream.start()
        #expect(try stream.readSamples().samples.count == 160)
        _ = try stream.readSamples()
        #expect(try stream.readSamples().result == .nothing)
        #expect(script.count("drop") == 1)
        #expect(script.count("start") == 2)
        #expect(try stream.readSamples().samples.count == 160)
        let error = #expect(throws: AudioError.self) { for _ in 0..<100 { _ = try stream.readSamples() } }
        #expect(error?.code == .deviceLost)
    }

    // MARK: Waiting

    @Test func hangUpOfADisconnectedDeviceIsTerminal() throws {
        let script = ALSAScript {
            $0.revents = 0x18
            $0.state = .disconnected
        }
        let stream = try open(script, clock: StepClock(isReady: true))
        let wakeUp = CaptureWakeUp(try WakeUp())
        let error = #expect(throws: AudioError.self) { try stream.wait(orFor: wakeUp) }
        #expect(error?.code == .deviceLost)
    }

    @Test func errorsForEverEndAndNeverSpin() throws {
        let script = ALSAScript { $0.revents = 0x8 }
        let clock = StepClock(isReady: true)
        let stream = try open(script, clock: clock)
        let wakeUp = CaptureWakeUp(try WakeUp())
        let begin = clock.now
        let error = #expect(throws: AudioError.self) {
            for _ in 0..<1000 {
                try stream.wait(orFor: wakeUp)
                _ = try stream.readSamples()
            }
        }
        #expect(error?.code == .deviceLost)
        #expect(begin.duration(to: clock.now) > .milliseconds(400))
    }

    @Test func readyDescriptorThatBringsNothingIsPaced() throws {
        let clock = StepClock(isReady: true)
        let stream = try open(ALSAScript(), clock: clock)
        let wakeUp = CaptureWakeUp(try WakeUp())
        let begin = clock.now
        for _ in 0..<104 {
            try stream.wait(orFor: wakeUp)
            #expect(try stream.readSamples().result == .nothing)
        }
        #expect(begin.duration(to: clock.now) == .seconds(1))
    }

    @Test func readyDescriptorThatBringsFramesIsNotPaced() throws {
        let script = ALSAScript()
        let clock = StepClock(isReady: true)
        let stream = try open(script, clock: clock)
        let wakeUp = CaptureWakeUp(try WakeUp())
        let begin = clock.now
        for _ in 0..<100 {
            script.script.withLock { $0.reads = [160] }
            try stream.wait(orFor: wakeUp)
            #expect(try stream.readSamples().samples.count == 160)
        }
        #expect(clock.now == begin)
    }

    @Test func deviceThatIsNeverReadyStillReturns() throws {
        let clock = StepClock()
        let stream = try open(ALSAScript(), clock: clock)
        let begin = clock.now
        try stream.wait(orFor: CaptureWakeUp(try WakeUp()))
        #expect(begin.duration(to: clock.now) == .milliseconds(1040))
    }

    // MARK: Errors of opening

    @Test func busySaysWhatToDo() {
        let error = #expect(throws: AudioError.self) { try open(ALSAScript { $0.failures["open"] = -16 }) }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("\"default\"") == true)
    }

    @Test(arguments: [
        (Int32(-2), AudioError.Code.noSuchDevice), (-19, .noSuchDevice), (-22, .noSuchDevice), (-13, .permissionDenied),
        (-1, .permissionDenied), (-111, .deviceFailed), (-24, .outOfResources), (-12, .outOfResources),
        (-11, .busy), (-110, .deviceFailed),
    ])
    func openErrors(status: Int32, code: AudioError.Code) {
        let error = #expect(throws: AudioError.self) { try open(ALSAScript { $0.failures["open"] = status }) }
        #expect(error?.code == code)
        #expect(error?.status == -status)
        #expect(error?.message.contains("hw:0") == true)
    }

    @Test func missingDeviceTellsWhatThereIs() {
        let card = SoundCard(index: 1, id: "Mic", name: "USB Mic", captureDevices: [0: "USB Audio"])
        let script = ALSAScript {
            $0.failures["open"] = -2
            $0.cards = [card]
        }
        let error = #expect(throws: AudioError.self) { try open(script) }
        #expect(error?.message.contains("plughw:CARD=Mic,DEV=0") == true)
        let none = #expect(throws: AudioError.self) { try open(ALSAScript { $0.failures["open"] = -2 }) }
        #expect(none?.message.contains("sim:") == true)
    }

    @Test func unsupportedFormatTellsWhatIs() {
        let script = ALSAScript {
            $0.rates = 44100...48000
            $0.channels = 2...2
            $0.layouts = [.s16, .s32]
        }
        let stereo = AudioFormat(sampleRateHz: 44_100, channelCount: 4, sampleFormat: .s16)
        let error = #expect(throws: AudioError.self) {
            try ALSASource(device: "hw:0", calls: script).open(
                CaptureRequest(format: stereo, chunkFrameCount: 160), in: CaptureEnvironment())
        }
        #expect(error?.code == .unsupportedFormat)
        let expected =
            "hw:0 cannot capture 44100 Hz, 4 ch, s16; it can: 44100 to 48000 Hz; 2 ch; S16_LE, S32_LE. "
            + "\"plug:'hw:0'\" converts"
        #expect(error?.message == expected)
        #expect(script.held == 0)
    }
}
