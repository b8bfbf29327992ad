import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Other settings while it captures: what was captured stays, and where the new fails, the old goes on.
@Suite struct ReconfigurationTests {
    private let source = ScriptedSource()

    private func processor(
        configuration: AudioConfiguration = .scripted(), clock: any AudioClock = ManualClock()
    ) -> AudioProcessor {
        AudioProcessor(source: source, configuration: configuration, clock: clock)
    }

    private func push(_ count: Int, to source: ScriptedSource) {
        source.push(.frames(count))
        #expect(source.waitUntilTaken())
    }

    /// Whether nothing fell short of what the errors say.
    private func error(of result: Reconfiguration) -> AudioError.Code? {
        switch result {
        case .replaced: nil
        case .rolledBack(let error): error.code
        }
    }

    // MARK: Caps

    @Test func largerCapsKeepWhatThereIs() throws {
        let processor = processor(configuration: .scripted(maxChunks: 4))
        try processor.start()
        push(350, to: source)
        #expect(processor.reconfigure { $0.maxChunks = 100 }.isReplaced)
        push(650, to: source)
        #expect(processor.configuration.maxChunks == 100)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<1000))
        #expect(recording.losses.isEmpty && !recording.isTruncated)
        #expect(source.openCount == 1)
    }

    @Test func smallerCapsKeepTheNewest() throws {
        let processor = processor()
        try processor.start()
        push(1000, to: source)
        #expect(processor.reconfigure { $0.maxChunks = 3 }.isReplaced)
        let usage = processor.memoryUsage
        #expect(usage.bufferSize == 3 && usage.maxBufferSize == 3)
        push(50, to: source)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(800..<1050))
        #expect(recording.truncatedFrameCount == 800)
    }

    @Test func whatWasLostBeforeIsStillTold() throws {
        let processor = processor()
        try processor.start()
        source.push(.frames(100), .lost(AudioLoss(frames: 30, cause: .deviceOverrun)), .frames(100))
        #expect(source.waitUntilTaken())
        #expect(processor.reconfigure { $0.maxBytes = 1 << 20 }.isReplaced)
        source.push(.lost(AudioLoss(frames: 7, cause: .deviceOverrun)), .frames(100))
        #expect(source.waitUntilTaken())
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(130..<230) + Array(237..<337))
        #expect(recording.losses.entries.map(\.loss.frames) == [30, 7])
        #expect(recording.losses.entries.map(\.framePosition) == [100, 230])
    }

    @Test func settingsOfNoCaptureChangeNothingThatRuns() throws {
        let processor = processor()
        try processor.arm()
        #expect(processor.reconfigure { $0.stopTimeout = .seconds(7) }.isReplaced)
        #expect(processor.configuration.stopTimeout == .seconds(7))
        #expect(source.openCount == 1 && processor.state == .ready)
    }

    @Test func fromIdleTheyAreTheNextCaptures() throws {
        let processor = processor()
        #expect(processor.reconfigure { $0.chunkFrameCount = 10 }.isReplaced)
        try processor.start()
        push(15, to: source)
        #expect(processor.memoryUsage.bufferSize == 1)
    }

    @Test func badSettingsAreRefused() throws {
        let processor = processor()
        try processor.start()
        let result = processor.reconfigure { $0.maxChunks = 0 }
        #expect(error(of: result) == .invalidConfiguration)
        #expect(processor.configuration.maxChunks == 300)
        push(10, to: source)
        #expect(try processor.stop().frameCount == 10)
    }

    // MARK: Sources

    @Test func anotherSourceGoesOnWithTheRecording() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        let listener = try processor.subscribe()
        try processor.start()
        push(150, to: source)
        clock.advance(by: .milliseconds(20))
        let other = ScriptedSource()
        #expect(processor.reconfigure(source: other).isReplaced)
        #expect(source.closeCount == 1 && processor.state == .recording)
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<150) + Array(0..<100))
        // The frames' times are those of their arrival, and each lasts a millisecond: the last one's is in the future.
        #expect(recording.losses.totalFrames == 0)
        #expect(processor.statistics.framesDelivered == 250)
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) { heard += chunk.numbers }
        #expect(heard == recording.numbers)
    }

    @Test func theGapBetweenTwoSourcesIsTold() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(100, to: source)
        clock.advance(by: .milliseconds(350))
        let other = ScriptedSource()
        #expect(processor.reconfigure(source: other).isReplaced)
        push(100, to: other)
        let recording = try processor.stop()
        let loss = try #require(recording.losses.entries.first)
        #expect(loss.loss == AudioLoss(frames: 250, cause: .deviceGap, isExact: false))
        #expect(loss.framePosition == 100)
        #expect(processor.statistics.framesLostEstimated == 250)
    }

    @Test func aSourceThatDoesNotOpenLeavesTheOldOneAlone() throws {
        let processor = processor()
        try processor.start()
        push(100, to: source)
        let other = ScriptedSource()
        other.failToOpen(with: AudioError(.noSuchDevice, "none"))
        #expect(error(of: processor.reconfigure(source: other)) == .noSuchDevice)
        push(100, to: source)
        #expect(source.closeCount == 0)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<200) && recording.losses.isEmpty)
    }

    @Test func anOldSourceThatHangsIsLeftToItselfAndReachesNobody() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        let listener = try processor.subscribe()
        try processor.start()
        push(100, to: source)
        source.push(.hang, .frames(1000))
        #expect(source.waitUntilHanging())
        let other = ScriptedSource()
        #expect(try processor.replaceHanging(by: other, clock).isReplaced)
        #expect(processor.quarantinedThreadCount == 1)
        push(100, to: other)
        source.letGo()
        #expect(source.waitUntilClosed())
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(0..<100))
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) { heard += chunk.numbers }
        #expect(heard == recording.numbers)
    }

    @Test func aPausedRecordingStaysPaused() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(100, to: source)
        try processor.pause()
        clock.advance(by: .milliseconds(500))
        let other = ScriptedSource()
        #expect(processor.reconfigure(source: other).isReplaced)
        push(50, to: other)
        #expect(processor.state == .paused)
        try processor.resume()
        clock.advance(by: .milliseconds(500))
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(50..<150))
        #expect(recording.losses.isEmpty, "\(recording.losses)")
    }

    @Test func anArmedProcessorKeepsItsHistory() throws {
        let processor = processor()
        try processor.arm()
        push(300, to: source)
        let other = ScriptedSource()
        #expect(processor.reconfigure(source: other).isReplaced)
        push(100, to: other)
        try processor.start(preRoll: .milliseconds(200))
        push(50, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers.suffix(250) == Array(200..<300) + Array(0..<150))
        #expect(processor.state == .ready)
        processor.cleanup()
    }
}
