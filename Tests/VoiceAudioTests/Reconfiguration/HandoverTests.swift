import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// What goes wrong in the moment in which one capture, or one history, takes another's place.
@Suite struct HandoverTests {
    private let source = ScriptedSource()
    private let other = ScriptedSource()
    private let gone = AudioError(.deviceLost, "gone")

    private func processor(clock: any AudioClock = SystemClock()) -> AudioProcessor {
        AudioProcessor(source: source, configuration: .scripted(), clock: clock)
    }

    /// One that has recorded 100 frames, and is paused for half a second since.
    private func pausedProcessor() throws -> AudioProcessor {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(100, to: source)
        try processor.pause()
        clock.advance(by: .milliseconds(500))
        return processor
    }

    private func push(_ count: Int, to source: ScriptedSource) {
        source.push(.frames(count))
        #expect(source.waitUntilTaken())
    }

    private func error(of result: Reconfiguration) -> AudioError? {
        switch result {
        case .replaced: nil
        case .rolledBack(let error): error
        }
    }

    // MARK: The new one is no more

    @Test(arguments: [true, false])
    func oneThatIsNoMoreBeforeItTakesOverLeavesTheOldOneToBeOpenedAgain(fails: Bool) throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        push(100, to: source)
        other.push(fails ? .fail(gone) : .end)
        let error = error(of: processor.reconfigure(source: other))
        #expect(fails ? error == gone : error?.code == .deviceFailed)
        #expect(processor.state == .recording && source.openCount == 2)
        push(100, to: source)
        #expect(try processor.stop().numbers == Array(0..<100) + Array(0..<100))
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) { heard += chunk.numbers }
        #expect(heard == Array(0..<100) + Array(0..<100))
        #expect(other.openCount == other.closeCount)
    }

    @Test func whereNeitherIsThereWhatWasConvertedIsConvertedBack() throws {
        let processor = processor()
        try processor.start()
        push(150, to: source)
        other.push(.fail(gone))
        source.failToOpen(with: AudioError(.noSuchDevice, "none"))
        #expect(error(of: processor.reconfigure(source: other) { $0.sampleFormat = .f32 }) == gone)
        #expect(processor.configuration.sampleFormat == .s32)
        let recording = try processor.stop()
        #expect(recording.format.sampleFormat == .s32 && recording.numbers == Array(0..<150))
    }

    @Test func aThreadThatIsLeftToItselfCountsOnce() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(100, to: source)
        source.push(.hang)
        #expect(source.waitUntilHanging())
        other.push(.fail(gone))
        source.failToOpen(with: AudioError(.noSuchDevice, "none"))
        #expect(error(of: try processor.replaceHanging(by: other, clock)) == gone)
        #expect(processor.quarantinedThreadCount == 1)
        // The hand stands still from now on.
        #expect(try processor.stop(deadline: .zero).numbers == Array(0..<100))
        #expect(processor.quarantinedThreadCount == 1)
        source.letGo()
        #expect(eventually { processor.quarantinedThreadCount == 0 })
    }

    // MARK: The old one hangs

    @Test func capsThatWereNotAnsweredInTimeTakeNothingLater() throws {
        let processor = processor()
        try processor.start()
        push(150, to: source)
        source.push(.hang)
        #expect(source.waitUntilHanging())
        let result = processor.reconfigure(deadline: .milliseconds(50)) { $0.maxChunks = 200 }
        #expect(error(of: result)?.code == .timedOut)
        #expect(processor.configuration.maxChunks == 300)
        source.letGo()
        push(100, to: source)
        #expect(processor.reconfigure { $0.maxChunks = 100 }.isReplaced)
        push(100, to: source)
        #expect(try processor.stop().numbers == Array(0..<350))
    }

    /// The capture answers, or the request is withdrawn; never both.
    @Test func deadlinesThatAreAlmostMetLoseNothing() throws {
        let processor = processor()
        try processor.start()
        for number in 0..<500 {
            source.push(.frames(10))
            _ = processor.reconfigure(deadline: .microseconds(number % 20 * 50)) { configuration in
                configuration.maxChunks = 1000 + number % 2
            }
        }
        #expect(source.waitUntilTaken())
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<5000))
        #expect(recording.losses.isEmpty)
    }

    @Test func whatAHangingOneHadNotHandedOutIsPartOfTheGap() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(150, to: source)
        source.push(.hang)
        #expect(source.waitUntilHanging())
        clock.advance(by: .milliseconds(200))
        #expect(try processor.replaceHanging(by: other, clock).isReplaced)
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(0..<100))
        #expect(recording.losses.entries.map(\.loss.frames) == [150])
        source.letGo()
        #expect(source.waitUntilClosed())
    }

    @Test func whatTheOldOneToldOfIsNotToldAgain() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        push(100, to: source)
        clock.advance(by: .milliseconds(350))
        source.push(.lost(AudioLoss(frames: 200, cause: .deviceOverrun)))
        #expect(source.waitUntilTaken())
        #expect(processor.reconfigure(source: other).isReplaced)
        push(100, to: other)
        #expect(try processor.stop().losses.totalFrames == 250)
    }

    // MARK: Health

    @Test func anOutageOfTheOldOneIsNotTheNewOnes() throws {
        let processor = processor()
        try processor.start()
        source.push(.outage(CaptureOutage(reason: gone, since: SystemClock().now)))
        #expect(eventually { processor.health == .reconnecting })
        #expect(processor.reconfigure(source: other).isReplaced)
        push(100, to: other)
        #expect(processor.health != .reconnecting)
        processor.cleanup()
    }

    @Test func whatBefallsOneThatWasLeftToItselfIsNobodysHealth() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        try processor.start()
        source.push(.hang, .outage(CaptureOutage(reason: gone, since: clock.now)))
        #expect(source.waitUntilHanging())
        #expect(try processor.replaceHanging(by: other, clock).isReplaced)
        source.letGo()
        #expect(source.waitUntilClosed())
        push(100, to: other)
        #expect(processor.health != .reconnecting)
        processor.cleanup()
    }

    // MARK: Pauses

    @Test func inAPauseNothingOfTheNewOneIsRecorded() throws {
        let processor = try pausedProcessor()
        // They come as soon as it has taken over.
        other.push(.hang, .frames(50), .frames(50))
        let result = try ThreadResult { processor.reconfigure(source: other) }
        #expect(other.waitUntilHanging())
        #expect(source.waitUntilClosed())
        other.letGo()
        #expect(try result.value().isReplaced)
        #expect(other.waitUntilTaken())
        try processor.resume()
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(100..<200))
        #expect(recording.losses.isEmpty, "\(recording.losses)")
    }

    @Test func aPauseIsNoGapEvenWhereItEndsAtOnce() throws {
        let processor = try pausedProcessor()
        #expect(processor.reconfigure(source: other).isReplaced)
        try processor.resume()
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(0..<100))
        #expect(recording.losses.isEmpty, "\(recording.losses)")
    }

    @Test func aPauseBeforeIsNoGap() throws {
        let processor = try pausedProcessor()
        push(20, to: source)
        try processor.resume()
        #expect(processor.reconfigure(source: other).isReplaced)
        push(100, to: other)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(0..<100))
        #expect(recording.losses.isEmpty, "\(recording.losses)")
    }
}

extension AudioProcessor {
    /// Puts another in the place of a source that hangs: half of the deadline is for that one's end.
    func replaceHanging(by other: ScriptedSource, _ clock: ManualClock) throws -> Reconfiguration {
        let result = try ThreadResult { self.reconfigure(source: other, deadline: .milliseconds(100)) }
        #expect(clock.waitUntilWaiting(dueWithin: .milliseconds(60)))
        clock.advance(by: .milliseconds(50))
        return try result.value()
    }
}
