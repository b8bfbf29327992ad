import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// What a recording holds, frame by frame, against what the source gave.
@Suite(.timeLimit(.minutes(5))) struct ProcessorTests {
    let source = ScriptedSource()

    private func processor(_ configuration: AudioConfiguration = .scripted()) -> AudioProcessor {
        AudioProcessor(source: source, configuration: configuration)
    }

    private func give(_ events: ScriptedSource.Event...) {
        for event in events { source.push(event) }
        #expect(source.waitUntilTaken())
    }

    private func losses(_ recording: Recording) -> [String] {
        recording.losses.entries.map { "\($0.loss) at \($0.framePosition)" }
    }

    @Test func startFromIdleRecordsFromTheFirstFrame() throws {
        let processor = processor()
        source.push(.frames(250))
        try processor.start()
        #expect(processor.state == .recording)
        #expect(source.waitUntilTaken())
        #expect(processor.recordingDuration == .milliseconds(250))
        let recording = try processor.stop()
        #expect(processor.state == .idle)
        #expect(recording.numbers == Array(0..<250))
        #expect(recording.duration == .milliseconds(250))
        #expect(recording.failure == nil)
        #expect(recording.losses.isEmpty)
        #expect(!recording.isTruncated)
        #expect(source.closeCount == 1)
        #expect(processor.statistics.framesDelivered == 250)
    }

    @Test(arguments: [(0, 430), (30, 400), (130, 300), (430, 0), (10_000, 0)])
    func preRollIsExactToTheFrame(preRoll: Int, first: Int) throws {
        let processor = processor()
        try processor.arm()
        give(.frames(430))
        try processor.start(preRoll: .milliseconds(preRoll))
        #expect(processor.recordingDuration == .milliseconds(430 - first))
        give(.frames(75))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(first..<505))
        #expect(recording.losses.isEmpty)
        #expect(processor.state == .ready)
        processor.cleanup()
    }

    @Test func aPreRollReachesIntoTheFirstChunkWhileItIsFilled() throws {
        let processor = processor()
        try processor.arm()
        give(.frames(60))
        try processor.start(preRoll: .milliseconds(40))
        #expect(try processor.stop().numbers == Array(20..<60))
        processor.cleanup()
    }

    @Test func aPreRollReachesNoFurtherThanTheHistory() throws {
        let processor = processor(.scripted(maxChunks: 3))
        try processor.arm()
        give(.frames(1000))
        try processor.start(preRoll: .seconds(10))
        #expect(processor.recordingDuration == .milliseconds(300))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(700..<1000))
        #expect(recording.losses.isEmpty)
        #expect(!recording.isTruncated)
        processor.cleanup()
    }

    @Test func recordingsFollowEachOtherWithoutAGapInTheNumbers() throws {
        let processor = processor()
        try processor.arm()
        var next = 0
        for length in [130, 1, 300, 99] {
            give(.frames(50))
            try processor.start()
            give(.frames(length))
            let recording = try processor.stop()
            #expect(recording.numbers == Array(next + 50..<next + 50 + length))
            #expect(recording.losses.isEmpty)
            next += 50 + length
        }
        #expect(processor.statistics.framesDelivered == next)
        processor.cleanup()
    }

    @Test func theHistoryAfterAStopIsThePreRollOfTheNext() throws {
        let processor = processor()
        try processor.start()
        _ = try processor.stop()
        try processor.arm()
        try processor.start()
        give(.frames(100))
        _ = try processor.stop()
        give(.frames(150))
        try processor.start(preRoll: .milliseconds(500))
        give(.frames(10))
        #expect(try processor.stop().numbers == Array(100..<260))
        processor.cleanup()
    }

    @Test func aPauseLeavesOutWhatComesMeanwhileAndIsNoLoss() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        give(.frames(150))
        try processor.pause()
        #expect(processor.state == .paused)
        give(.frames(300), .lost(AudioLoss(frames: 40, cause: .deviceOverrun)), .frames(20))
        #expect(processor.recordingDuration == .milliseconds(150))
        try processor.resume()
        give(.frames(70))
        #expect(processor.recordingDuration == .milliseconds(220))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<150) + Array(510..<580))
        #expect(recording.losses.isEmpty)
        #expect(processor.statistics.framesDiscardedInPause == 320)
        #expect(processor.statistics.framesDelivered == 220)
        #expect(processor.statistics.framesLost == 0)
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) {
            #expect(chunk.lossBefore == nil)
            #expect(chunk.framePosition == heard.count)
            heard += chunk.numbers
        }
        #expect(heard == recording.numbers)
    }

    @Test func aStopInAPauseGoesBackToAHistoryThatRolls() throws {
        let processor = processor()
        try processor.arm()
        try processor.start()
        give(.frames(100))
        try processor.pause()
        give(.frames(100))
        #expect(try processor.stop().numbers == Array(0..<100))
        give(.frames(100))
        try processor.start(preRoll: .seconds(1))
        #expect(try processor.stop().numbers == Array(200..<300))
        processor.cleanup()
    }

    @Test func whatTheRingEvictedIsInTheLedger() throws {
        let processor = processor(.scripted(maxChunks: 4))
        try processor.start()
        give(.frames(1050))
        let recording = try processor.stop()
        // The last, short chunk is one of the four.
        #expect(recording.numbers == Array(700..<1050))
        #expect(recording.isTruncated)
        #expect(recording.truncatedFrameCount == 700)
        #expect(losses(recording) == ["ring evicted: 700 frames at 0"])
    }

    @Test func theLimitOfARecordingCutsItsBeginning() throws {
        var configuration = AudioConfiguration.scripted(maxChunks: 4)
        configuration.maxRecordingBytes = 4 * 123 + 3
        let clock = ManualClock()
        let processor = AudioProcessor(source: source, configuration: configuration, clock: clock)
        try processor.start()
        for _ in 0..<5 {
            give(.frames(100))
            clock.advance(by: .milliseconds(100))
        }
        let begun = clock.now.advanced(by: .milliseconds(-500))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(377..<500))
        #expect(recording.byteCount <= configuration.maxRecordingBytes)
        #expect(recording.truncatedFrameCount == 377)
        #expect(losses(recording) == ["ring evicted: 100 frames at 0", "recording limit: 277 frames at 100"])
        #expect(recording.startTime == begun.advanced(by: .milliseconds(377)))
    }

    @Test func theStartTimeKnowsOfAPauseInWhatWasCutOff() throws {
        var configuration = AudioConfiguration.scripted()
        configuration.maxRecordingBytes = 4 * 150
        let clock = ManualClock()
        let processor = AudioProcessor(source: source, configuration: configuration, clock: clock)
        try processor.start()
        let begun = clock.now
        give(.frames(100))
        try processor.pause()
        clock.advance(by: .seconds(9))
        try processor.resume()
        give(.frames(100))
        clock.advance(by: .milliseconds(100))
        give(.frames(100))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(150..<300))
        #expect(recording.startTime == begun.advanced(by: .milliseconds(9050)))
    }

    @Test func lossesStandWhereTheyWere() throws {
        let processor = processor()
        try processor.start()
        give(
            .lost(AudioLoss(frames: 7, cause: .deviceOverrun)), .frames(130),
            .lost(AudioLoss(frames: 20, cause: .deviceGap, isExact: false)), .frames(100),
            .lost(AudioLoss(frames: 5, cause: .deviceOverrun)))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(7..<137) + Array(157..<257))
        #expect(
            losses(recording) == [
                "device overrun: 7 frames at 0", "device gap: about 20 frames at 137",
                "device overrun: 5 frames at 257",
            ])
        #expect(recording.losses.totalFrames + recording.frameCount == 262)
        #expect(processor.statistics.framesLostExactly == 12)
        #expect(processor.statistics.framesLostEstimated == 20)
        #expect(processor.memoryUsage.drops.device == 32)
    }

    @Test func ofAGapThatTheRecordingBeganInItsOwnPartCounts() throws {
        let processor = processor()
        try processor.arm()
        give(.frames(100), .lost(AudioLoss(frames: 50, cause: .deviceOverrun)), .frames(10))
        try processor.start(preRoll: .milliseconds(40))
        give(.frames(10))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(150..<170))
        #expect(losses(recording) == ["device overrun: 30 frames at 0"])
        processor.cleanup()
    }

    @Test func aLossOfTheLastReadBeforeAStopIsTold() throws {
        let processor = processor()
        try processor.arm()
        try processor.start()
        source.push(.frames(50), .hang)
        #expect(source.waitUntilHanging())
        // The thread sees the request first, and then finds the loss.
        let stop = try ThreadResult { try processor.stop() }
        #expect(eventually { processor.state == .processing })
        source.push(.lost(AudioLoss(frames: 9, cause: .deviceOverrun)))
        source.letGo()
        let recording = try stop.value()
        source.push(.frames(30))
        #expect(source.waitUntilTaken())
        try processor.start(preRoll: .seconds(1))
        let next = try processor.stop()
        #expect(losses(recording) + losses(next) == ["device overrun: 9 frames at 50"])
        #expect(next.numbers == Array(59..<89))
        processor.cleanup()
    }

    @Test func aCleanUpOfTheBuffersIsInTheLedger() throws {
        let processor = processor()
        try processor.start()
        give(.frames(250))
        #expect(processor.forceCleanupBuffers() == 2)
        give(.frames(100))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(200..<350))
        #expect(losses(recording) == ["cleaned up: 200 frames at 0"])
        #expect(!recording.isTruncated)
        #expect(processor.memoryUsage.drops.cleanedUp.frames == 200)
    }

    @Test func aRecordingOfWhichNothingIsLeftTellsOfAllOfIt() throws {
        let processor = processor()
        try processor.start()
        give(.frames(200))
        #expect(processor.forceCleanupBuffers() == 2)
        give(.lost(AudioLoss(frames: 30, cause: .deviceGap)))
        let recording = try processor.stop()
        #expect(recording.frameCount == 0)
        #expect(recording.startTime == nil)
        #expect(losses(recording) == ["cleaned up: 200 frames at 0", "device gap: 30 frames at 200"])
    }

    @Test func aFailureHandsBackWhatWasRecorded() throws {
        let failure = AudioError(.deviceLost, "unplugged")
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        source.push(.frames(130), .fail(failure))
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        #expect(processor.state == .failed(failure))
        #expect(try #require(throws: AudioError.self) { try processor.start() }.code == .invalidState)
        #expect(try #require(throws: AudioError.self) { try processor.pause() }.code == .invalidState)
        let recording = try processor.stop()
        #expect(recording.failure == failure)
        #expect(recording.numbers == Array(0..<130))
        #expect(processor.state == .idle)
        #expect(try listener.next()?.numbers == Array(0..<100))
        #expect(try listener.next()?.numbers == Array(100..<130))
        #expect(throws: failure) { try listener.next() }
        #expect(source.closeCount == 1)
    }

    @Test func aFailureInReadyIsHeardAndCleanedUp() throws {
        let failure = AudioError(.deviceFailed, "broken")
        let processor = processor()
        try processor.arm()
        source.push(.fail(failure))
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        #expect(processor.state == .failed(failure))
        #expect(try #require(throws: AudioError.self) { try processor.stop() }.code == .invalidState)
        processor.cleanup()
        #expect(processor.state == .idle)
        try processor.arm()
        #expect(processor.state == .ready)
        processor.cleanup()
    }

    @Test func aSourceThatEndsInAnArmedRecordingIsNoHang() throws {
        let processor = processor()
        try processor.arm()
        try processor.start()
        source.push(.frames(120), .end)
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        #expect(processor.state == .recording)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<120))
        #expect(recording.failure == nil)
        #expect(processor.state == .idle)
        #expect(processor.quarantinedThreadCount == 0)
    }

    @Test func anOpeningThatFailsLeavesEverythingAsItWas() throws {
        let processor = processor()
        source.failToOpen(with: AudioError(.busy, "taken"))
        #expect(try #require(throws: AudioError.self) { try processor.arm() }.code == .busy)
        #expect(try #require(throws: AudioError.self) { try processor.start() }.code == .busy)
        #expect(processor.state == .idle)
        #expect(processor.captureReport == nil)
        source.failToOpen(with: nil)
        try processor.arm()
        processor.cleanup()
    }

    @Test func aConfigurationThatIsNotAcceptedIsToldByArm() throws {
        var configuration = AudioConfiguration.scripted()
        configuration.maxChunks = 0
        let processor = processor(configuration)
        #expect(try #require(throws: AudioError.self) { try processor.arm() }.code == .invalidConfiguration)
        #expect(try #require(throws: AudioError.self) { try processor.subscribe() }.code == .invalidConfiguration)
        processor.cleanup()
        #expect(processor.state == .idle)
    }

    @Test func recordsAWholeFile() throws {
        let processor = AudioProcessor(source: SimulatedSource.speech(pace: .asFastAsPossible, loops: false))
        try processor.start()
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        let recording = try processor.stop()
        #expect(recording.losses.isEmpty)
        #expect(recording.level.rms > 0.01)
        #expect(recording.duration > .seconds(3))
        try recording.withTemporaryWAV { wav in
            let byteCount = wav.byteCount
            #expect(byteCount == recording.byteCount + 44)
        }
    }
}
