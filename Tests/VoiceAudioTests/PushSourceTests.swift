import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Frames that the host pushes: taken in on the pushing thread, converted, counted, and refused where nobody wants them.
@Suite struct PushSourceTests {
    /// 1,000 Hz, as of a ``ScriptedSource``.
    private static let format = AudioFormat(sampleRateHz: 1000, channelCount: 1, sampleFormat: .s32)
    private let source = PushSource(format: StreamFormat(Self.format))

    private func processor(
        configuration: AudioConfiguration = .scripted(), clock: any AudioClock = ManualClock()
    ) -> AudioProcessor {
        AudioProcessor(source: source, configuration: configuration, clock: clock)
    }

    private func numbers(_ range: Range<Int32>) -> [Int32] { Array(range) }

    @Test func everyFrameIsRecordedWithoutAThread() throws {
        let processor = processor()
        try processor.start()
        for start in stride(from: Int32(0), to: 1000, by: 50) {
            #expect(source.push(numbers(start..<start + 50)) == .taken)
        }
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<1000) && recording.losses.isEmpty)
        #expect(processor.state == .idle)
    }

    @Test func aPushMayBeLongerThanAChunkOrTheHistory() throws {
        let processor = processor(configuration: .scripted(chunkFrames: 30, maxChunks: 4))
        let listener = try processor.subscribe(chunks: 100)
        try processor.start()
        #expect(source.push(numbers(0..<1000)) == .taken)
        let recording = try processor.stop()
        // The chunk being filled comes beside the four.
        #expect(recording.numbers.last == 999 && recording.numbers == Array(recording.numbers[0]...999))
        #expect(recording.truncatedFrameCount == recording.numbers[0])
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) { heard += chunk.numbers }
        #expect(heard == Array(0..<1000))
    }

    @Test func withoutACaptureFramesAreRefusedAndCounted() throws {
        let processor = processor()
        #expect(source.push(numbers(0..<10)) == .refused(.notCapturing))
        #expect(source.noteLoss(frameCount: 5) == .refused(.notCapturing))
        try processor.start()
        #expect(source.push(numbers(10..<20)) == .taken)
        #expect(try processor.stop().numbers == Array(10..<20))
        #expect(source.push(numbers(20..<23)) == .refused(.notCapturing))
        #expect(source.refusedFrameCount == 13)
        // And once more.
        try processor.start()
        #expect(source.push(numbers(30..<40)) == .taken)
        #expect(try processor.stop().numbers == Array(30..<40))
    }

    @Test func partsOfFramesAreRefused() throws {
        let processor = processor()
        try processor.start()
        #expect(source.push([UInt8](repeating: 0, count: 7)) == .refused(.partialFrame))
        #expect(source.push([UInt8]()) == .taken)
        #expect(try processor.stop().frameCount == 0)
    }

    @Test func lostPacketsAreInTheLedger() throws {
        let processor = processor()
        try processor.start()
        source.push(numbers(0..<130))
        #expect(source.noteLoss(frameCount: 40) == .taken)
        source.push(numbers(170..<200))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<130) + Array(170..<200))
        #expect(recording.losses.entries.map(\.framePosition) == [130])
        #expect(recording.losses.entries.map(\.loss) == [AudioLoss(frames: 40, cause: .deviceGap)])
    }

    @Test func theEndOfTheCallIsTheEndOfTheCapture() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.arm()
        try processor.start()
        source.push(numbers(0..<30))
        source.finish()
        #expect(processor.waitForSourceEnd(timeout: .zero))
        #expect(source.push(numbers(30..<40)) == .refused(.notCapturing))
        #expect(try listener.next(timeout: .zero)?.numbers == Array(0..<30))
        #expect(try listener.next(timeout: .zero) == nil)
        #expect(try processor.stop().numbers == Array(0..<30))
        #expect(processor.state == .idle)
    }

    @Test func aFailureOfTheCallIsTheCaptures() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        source.push(numbers(0..<30))
        source.finish(because: AudioError(.deviceLost, "the peer is gone"))
        #expect(processor.state == .failed(AudioError(.deviceLost, "the peer is gone")))
        #expect(try listener.next(timeout: .zero) != nil)
        #expect(throws: AudioError(.deviceLost, "the peer is gone")) { try listener.next(timeout: .zero) }
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<30) && recording.failure?.code == .deviceLost)
    }

    @Test func oneCaptureAtATime() throws {
        let processor = processor()
        let other = self.processor()
        try processor.arm()
        do throws(AudioError) {
            try other.arm()
            Issue.record("a second capture takes the same frames")
        } catch {
            #expect(error.code == .busy)
        }
        processor.cleanup()
        try other.arm()
        other.cleanup()
    }

    @Test func fromReadyTheHistoryRollsAndStopGoesBackToReady() throws {
        let processor = processor()
        try processor.arm()
        source.push(numbers(0..<250))
        try processor.start(preRoll: .milliseconds(100))
        source.push(numbers(250..<330))
        #expect(try processor.stop().numbers == Array(150..<330))
        #expect(processor.state == .ready)
        try processor.start()
        source.push(numbers(330..<400))
        #expect(try processor.stop().numbers == Array(330..<400))
        processor.cleanup()
    }

    @Test func capturedTimesFollowThePush() throws {
        let clock = ManualClock()
        let processor = processor(clock: clock)
        let listener = try processor.subscribe()
        try processor.start()
        clock.advance(by: .seconds(1))
        let now = clock.now
        source.push(numbers(0..<100))
        #expect(try listener.next(timeout: .zero)?.captureTime == now.advanced(by: .milliseconds(-100)))
        source.push(numbers(100..<200), captureTime: now.advanced(by: .milliseconds(7)))
        #expect(try listener.next(timeout: .zero)?.captureTime == now.advanced(by: .milliseconds(7)))
        // Never backward.
        source.push(numbers(200..<300), captureTime: now)
        #expect(try listener.next(timeout: .zero)?.captureTime == now.advanced(by: .milliseconds(7)))
        processor.cleanup()
    }

    // MARK: Formats

    private func expanded(_ codes: [UInt8], _ law: G711Law) -> [Int16] {
        var samples = [Int16](repeating: 0, count: codes.count)
        // SAFETY: both live through the call; there is a sample for each code.
        unsafe codes.withUnsafeBytes { codes in
            unsafe samples.withUnsafeMutableBytes { unsafe law.expand(codes, into: $0) }
        }
        return samples
    }

    @Test(arguments: [G711Law.uLaw, .aLaw])
    func telephonyIsExpanded(law: G711Law) throws {
        let source = PushSource(format: law == .uLaw ? .g711uLaw8k : .g711aLaw8k)
        let processor = AudioProcessor(source: source)
        #expect(processor.configuration.sampleRateHz == 8000 && processor.configuration.chunkFrameCount == 800)
        #expect(processor.configuration.origin(of: .sampleRateHz) == .default)
        try processor.start()
        let codes = (0..<2000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(source.push(codes) == .taken)
        let recording = try processor.stop()
        let expected = expanded(codes, law)
        recording.withSamples(as: Int16.self) { samples in
            #expect(samples.count == 2000)
            #expect(samples.indices.allSatisfy { samples[$0] == expected[$0] })
        }
        #expect(Set(expected).count > 250)
    }

    @Test func telephonyBecomesOtherSamples() throws {
        let source = PushSource(format: .g711uLaw8k)
        var configuration = AudioConfiguration()
        configuration.sampleFormat = .f32
        let processor = AudioProcessor(source: source, configuration: configuration)
        try processor.start()
        #expect(processor.captureReport?.conversions == ["u-law to f32"])
        let codes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        source.push(codes)
        let expected = expanded(codes, .uLaw)
        try processor.stop().withSamples(as: Float.self) { samples in
            #expect(samples.count == 1000)
            #expect(samples.indices.allSatisfy { samples[$0] == Float(expected[$0]) / 32_768 })
        }
    }

    @Test func channelsAreMixedIntoOne() throws {
        let source = PushSource(
            format: StreamFormat(sampleRateHz: 16_000, channelCount: 2, encoding: .pcm(.s16)))
        var configuration = AudioConfiguration()
        configuration.channelCount = 1
        let processor = AudioProcessor(source: source, configuration: configuration)
        try processor.start()
        source.push([100, 300, -8, -4] as [Int16])
        try processor.stop().withSamples(as: Int16.self) { samples in
            #expect(samples.count == 2 && samples[0] == 200 && samples[1] == -6)
        }
    }

    @Test func anotherRateIsRefused() throws {
        var configuration = AudioConfiguration()
        configuration.sampleRateHz = 16_000
        let processor = AudioProcessor(source: PushSource(format: .g711uLaw8k), configuration: configuration)
        do throws(AudioError) {
            try processor.arm()
            Issue.record("8 kHz are taken for 16")
        } catch {
            #expect(error.code == .unsupportedFormat && error.message.contains("8000 Hz"))
        }
    }

    // MARK: Threads

    @Test func aFullHistoryHoldsThePusherUpAsLongAsThePolicySays() throws {
        var configuration = AudioConfiguration.scripted(maxChunks: 2)
        configuration.overflow = .uniform(.block(.seconds(10)))
        let clock = ManualClock()
        let processor = processor(configuration: configuration, clock: clock)
        try processor.start()
        source.push(numbers(0..<200))
        let pushing = try ThreadResult { [source] in source.push([Int32](200..<300)) }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(10))
        #expect(try pushing.value() == .taken)
        #expect(processor.memoryUsage.drops.ringRefused.frames == 100)
        // Whoever stops does not wait for whoever pushes.
        let held = try ThreadResult { [source] in source.push([Int32](300..<400)) }
        #expect(clock.waitUntilWaiting())
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<200))
        _ = try held.value()
    }

    @Test func whoeverAsksDoesNotWaitForOneThatIsHeldUp() throws {
        var configuration = AudioConfiguration.scripted(maxChunks: 2)
        configuration.overflow = .uniform(.block(.seconds(10)))
        let clock = ManualClock()
        let processor = processor(configuration: configuration, clock: clock)
        try processor.arm()
        try processor.start()
        let pushing = try ThreadResult { [source] in source.push([Int32](0..<1000)) }
        #expect(clock.waitUntilWaiting())
        let stopping = try ThreadResult { try processor.stop() }
        // While it is held up again, by the history that follows.
        #expect(eventually { processor.state == .ready })
        processor.cleanup()
        #expect(try pushing.value() != .taken)
        #expect(try stopping.value().numbers == Array(0..<200))
    }

    @Test func aCaptureThatCannotBeginLeavesTheSourceToTheNext() throws {
        let clock = SystemClock()
        let plan = CapturePlan(source: source, request: CaptureRequest(format: Self.format, chunkFrameCount: 10))
        let history = try BoundedAudioBuffer(maxChunks: 10, maxBytes: 400, format: Self.format, maxChunkBytes: 40)
        func begin() throws -> Capture {
            try Capture(plan, history: history, by: clock.now, abort: try WakeUp(), abandon: { _ in })
        }
        do {
            let taken = try history.takeProducer()
            #expect(throws: AudioError.self) { _ = try begin() }
            _ = taken.buffer
        }
        let capture = try begin()
        #expect(source.push(numbers(0..<10)) == .taken)
        #expect(capture.stop(by: clock.now))
    }

    @Test func oneThatHasNotTakenOverYetRefusesWhatItWouldThrowAway() throws {
        let clock = SystemClock()
        let deadline = clock.now.advanced(by: .seconds(60))
        func begin(_ source: PushSource, isHeld: Bool, into history: BoundedAudioBuffer) throws -> Capture {
            let plan = CapturePlan(source: source, request: CaptureRequest(format: Self.format, chunkFrameCount: 10))
            return try Capture(
                plan, history: history, isHeld: isHeld, by: deadline, abort: try WakeUp(), abandon: { _ in })
        }
        func history() throws -> BoundedAudioBuffer {
            try BoundedAudioBuffer(maxChunks: 10, maxBytes: 400, format: Self.format, maxChunkBytes: 40)
        }
        let rolling = try history()
        let old = try begin(PushSource(format: StreamFormat(Self.format)), isHeld: false, into: rolling)
        let next = try begin(source, isHeld: true, into: try history())
        #expect(source.push(numbers(0..<10)) == .refused(.notCapturing))
        #expect(source.noteLoss(frameCount: 10) == .refused(.notCapturing))
        #expect(source.refusedFrameCount == 10)
        old.beginHandover()
        #expect(old.stop(by: deadline))
        #expect(next.takeOver(from: old, history: try rolling.takeProducer(), by: deadline))
        #expect(source.push(numbers(10..<20)) == .taken)
        #expect(rolling.count == 1)
        #expect(next.stop(by: deadline))
    }

    @Test func aLossOutOfAllBoundsIsNoCrash() throws {
        let processor = processor()
        try processor.start()
        source.push(numbers(0..<10))
        for _ in 0..<3 { #expect(source.noteLoss(frameCount: .max) == .taken) }
        source.push(numbers(10..<20))
        #expect(try processor.stop().losses.totalFrames == 3 << 40)
    }

    @Test func manyThreadsTakeTurns() throws {
        let processor = processor(configuration: .scripted(chunkFrames: 7))
        try processor.start()
        let pushers = try (0..<4).map { number in
            try ThreadResult { [source] in
                for _ in 0..<500 {
                    #expect(source.push([Int32](repeating: Int32(number), count: 5)) == .taken)
                }
            }
        }
        for pusher in pushers { try pusher.value() }
        #expect(processor.statistics.framesDelivered == 10_000)
        var counts = [Int](repeating: 0, count: 4)
        let recording = try processor.stop()
        for number in recording.numbers { counts[number] += 1 }
        #expect(recording.frameCount + recording.truncatedFrameCount == 10_000)
        // Each push is in one piece.
        let pieces = recording.numbers.dropFirst((5 - recording.truncatedFrameCount % 5) % 5)
        for start in stride(from: pieces.startIndex, to: pieces.endIndex - 4, by: 5) {
            #expect(Set(pieces[start..<start + 5]).count == 1)
        }
    }

    @Test func pushesMeetEveryOtherCall() throws {
        let processor = processor(clock: SystemClock())
        let pushed = Lock((count: 0, isOver: false))
        let pusher = try ThreadResult { [source] in
            var taken = 0
            while !pushed.withLock({ $0.isOver }) {
                if source.push([Int32](repeating: 1, count: 20)) == .taken { taken += 20 }
            }
            return taken
        }
        var recorded = 0
        for _ in 0..<50 {
            try processor.arm()
            try processor.start()
            try processor.pause()
            try processor.resume()
            #expect(processor.reconfigure(deadline: .seconds(60)) { $0.maxChunks = 20 }.isReplaced)
            #expect(processor.reconfigure(deadline: .seconds(60)) { $0.maxChunks = 30 }.isReplaced)
            recorded += try processor.stop().frameCount
            processor.cleanup()
        }
        pushed.withLock { $0.isOver = true }
        #expect(try pusher.value() >= recorded)
    }
}
