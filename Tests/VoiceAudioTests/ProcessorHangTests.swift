import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// A driver that does not return: every call ends by its deadline, and what was recorded is handed back.
@Suite(.timeLimit(.minutes(5))) struct ProcessorHangTests {
    let source = ScriptedSource()
    let short = Duration.milliseconds(30)

    private func processor(clock: any AudioClock = SystemClock()) -> AudioProcessor {
        AudioProcessor(source: source, configuration: .scripted(), clock: clock)
    }

    /// Runs a call that is to end by a short deadline, on a machine that may be busy.
    private func inTime<Value>(_ body: () throws -> Value) rethrows -> Value {
        let clock = ContinuousClock()
        let start = clock.now
        defer { #expect(clock.now - start < .seconds(30), "the deadline was not kept") }
        return try body()
    }

    @Test(arguments: [false, true]) func stopWithAReadThatDoesNotReturn(isArmed: Bool) throws {
        let processor = processor()
        let listener = try processor.subscribe()
        if isArmed { try processor.arm() }
        try processor.start()
        source.push(.frames(230), .hang, .frames(50))
        #expect(source.waitUntilHanging())
        let recording = try inTime { try processor.stop(deadline: short) }
        // What was in the chunk being filled stays with the thread that fills it.
        #expect(recording.numbers == Array(0..<200))
        #expect(processor.quarantinedThreadCount == 1)
        #expect(processor.memoryUsage.quarantinedThreads == 1)
        if isArmed {
            guard case .failed(let error) = processor.state else { return #expect(Bool(false), "\(processor.state)") }
            #expect(error.code == .timedOut)
            processor.cleanup()
        }
        #expect(processor.state == .idle)
        #expect(try listener.next(timeout: .seconds(60))?.frameCount == 100)
        #expect(try listener.next(timeout: .seconds(60))?.frameCount == 100)
        #expect(try listener.next(timeout: .seconds(60)) == nil, "a listener waits for a thread that was given up")

        source.letGo()
        #expect(eventually { processor.quarantinedThreadCount == 0 })
        #expect(source.closeCount == 1)
        #expect(recording.numbers == Array(0..<200), "a thread that was given up changed a recording")
        processor.cleanup()
    }

    @Test func aThreadThatWasGivenUpReachesNobodyOfTheNextCapture() throws {
        let processor = processor()
        try processor.start()
        source.push(.frames(150), .hang)
        #expect(source.waitUntilHanging())
        _ = try inTime { try processor.stop(deadline: short) }

        let listener = try processor.subscribe()
        try processor.start()
        #expect(source.waitUntilTaken())
        source.letGo()
        #expect(eventually { processor.quarantinedThreadCount == 0 })
        source.push(.frames(100))
        #expect(source.waitUntilTaken())
        #expect(try listener.next(timeout: .seconds(60))?.framePosition == 0)
        #expect(throws: AudioError.self) { try listener.next(timeout: .zero) }
        #expect(!listener.buffer.isClosed)
        #expect(try processor.stop().numbers.count == 100)
    }

    @Test func anOpeningThatDoesNotReturnTimesOutAndIsClosedWhenItDoes() throws {
        source.hang(in: .open)
        let processor = processor()
        let error = try #require(throws: AudioError.self) { try inTime { try processor.arm(deadline: short) } }
        #expect(error.code == .timedOut)
        #expect(processor.state == .idle)
        #expect(processor.quarantinedThreadCount == 1)
        source.letGo()
        #expect(source.waitUntilClosed(), "a source that opened too late goes on capturing")
        #expect(eventually { processor.quarantinedThreadCount == 0 })
        try processor.arm()
        #expect(processor.state == .ready)
        processor.cleanup()
    }

    @Test func aCleanUpGivesUpAnOpening() throws {
        source.hang(in: .open)
        let processor = processor()
        let arm = try ThreadResult { try processor.arm(deadline: .seconds(600)) }
        #expect(source.waitUntilHanging())
        inTime { processor.cleanup() }
        #expect(processor.state == .idle)
        #expect(try #require(throws: AudioError.self) { try arm.value() }.code == .cancelled)
        #expect(processor.quarantinedThreadCount == 1)
        source.letGo()
        #expect(source.waitUntilClosed())
        #expect(processor.state == .idle)
    }

    @Test(arguments: [false, true]) func aCloseThatDoesNotReturn(fails: Bool) throws {
        let failure = AudioError(.deviceLost, "gone")
        source.hang(in: .close)
        let clock = ManualClock()
        let processor = processor(clock: clock)
        let listener = try processor.subscribe()
        try processor.start()
        source.push(.frames(130))
        #expect(source.waitUntilTaken())
        if fails {
            source.push(.fail(failure))
            #expect(source.waitUntilHanging())
            #expect(processor.state == .failed(failure))
        }
        let stop = try ThreadResult { [short] in try processor.stop(deadline: short) }
        #expect(source.waitUntilHanging() && clock.waitUntilWaiting(dueWithin: short))
        clock.advance(by: short)
        let recording = try inTime { try stop.value() }
        #expect(recording.numbers == Array(0..<130))
        #expect(recording.failure == (fails ? failure : nil))
        #expect(processor.state == .idle)
        #expect(processor.quarantinedThreadCount == 1)
        #expect(try listener.next(timeout: .seconds(60))?.frameCount == 100)
        #expect(try listener.next(timeout: .seconds(60))?.frameCount == 30)
        if fails {
            #expect(throws: failure) { try listener.next(timeout: .seconds(60)) }
        } else {
            #expect(try listener.next(timeout: .seconds(60)) == nil)
        }
        source.letGo()
        #expect(source.waitUntilClosed())
        #expect(eventually { processor.quarantinedThreadCount == 0 })
    }

    @Test func cleanupWithAReadThatDoesNotReturn() throws {
        let processor = processor()
        try processor.arm()
        source.push(.hang)
        #expect(source.waitUntilHanging())
        inTime { processor.cleanup(deadline: short) }
        #expect(processor.state == .idle)
        inTime { processor.cleanup(deadline: short) }
        #expect(processor.quarantinedThreadCount == 1)
        source.letGo()
        #expect(source.waitUntilClosed())
    }

    @Test func aStopAtWorkHoldsUpOthersOnlyUntilTheirDeadlines() throws {
        let processor = processor()
        try processor.start()
        source.push(.frames(100), .hang)
        #expect(source.waitUntilHanging())
        let stop = try ThreadResult { try processor.stop(deadline: .seconds(600)) }
        #expect(eventually { processor.state == .processing })
        #expect(try #require(throws: AudioError.self) { try processor.arm(deadline: short) }.code == .timedOut)
        inTime { processor.cleanup(deadline: short) }
        #expect(processor.state == .idle)
        source.letGo()
        _ = try? stop.value()
        #expect(processor.state == .idle)
        #expect(source.waitUntilClosed())
    }

    @Test func droppingTheLastReferenceWhileADriverHangs() throws {
        weak var dropped: AudioProcessor?
        do {
            var configuration = AudioConfiguration.scripted()
            configuration.stopTimeout = short
            let processor = AudioProcessor(source: source, configuration: configuration)
            dropped = processor
            try processor.start()
            source.push(.frames(100), .hang)
            #expect(source.waitUntilHanging())
        }
        #expect(dropped == nil)
        source.letGo()
        #expect(source.waitUntilClosed())
    }

    @Test(arguments: ["idle", "ready", "recording", "paused", "failed", "ended"])
    func cleanupFromEveryState(_ state: String) throws {
        let processor = processor()
        switch state {
        case "ready": try processor.arm()
        case "recording": try processor.start()
        case "paused":
            try processor.start()
            try processor.pause()
        case "failed":
            try processor.start()
            source.push(.fail(AudioError(.deviceLost, "gone")))
            #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        case "ended":
            try processor.arm()
            source.push(.end)
            #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        default: break
        }
        let listener = try processor.subscribe()
        for _ in 0..<2 {
            processor.cleanup()
            #expect(processor.state == .idle)
            #expect(processor.memoryUsage.allocatedBytes == 0)
            #expect(processor.memoryUsage.subscribers.isEmpty)
            #expect(processor.captureReport == nil)
            #expect(source.closeCount == source.openCount)
            #expect(processor.level == .silence)
            #expect(processor.recordingStartTime == nil)
        }
        if state == "failed" {
            #expect(throws: AudioError.self) { try listener.next(timeout: .seconds(60)) }
        } else {
            #expect(try listener.next(timeout: .seconds(60)) == nil)
        }
        try processor.start()
        source.push(.frames(10))
        #expect(source.waitUntilTaken())
        #expect(try processor.stop().numbers == Array(0..<10))
    }

    @Test func aHistoryThatBlocksDoesNotHoldUpStop() throws {
        var configuration = AudioConfiguration.scripted(maxChunks: 2)
        configuration.overflow = .uniform(.block(.seconds(60)))
        let processor = AudioProcessor(source: source, configuration: configuration)
        try processor.arm()
        try processor.start()
        source.push(.frames(300))
        #expect(eventually { processor.statistics.framesDelivered == 300 })
        let recording = try inTime { try processor.stop(deadline: .seconds(20)) }
        #expect(recording.numbers == Array(0..<200))
        #expect(recording.losses.description == "ring refused: 100 frames at 0.20 s")
        #expect(processor.state == .ready)
        processor.cleanup()
    }
}
