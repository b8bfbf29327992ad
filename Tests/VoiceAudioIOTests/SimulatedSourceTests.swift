import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// A stream, opened and started, and what reading it gave so far.
private final class Listener {
    let stream: any CaptureStream
    let clock: ManualClock
    var bytes: [UInt8] = []

    init(
        _ source: SimulatedSource, _ format: AudioFormat = .speech, chunk: Int = 160, clock: ManualClock = ManualClock()
    ) throws {
        self.clock = clock
        stream = try source.open(
            CaptureRequest(format: format, chunkFrameCount: chunk), in: CaptureEnvironment(clock: clock))
        try stream.start()
    }

    deinit { stream.close() }

    func read(room: Int) throws -> CaptureRead {
        let bytesPerFrame = stream.report.format.bytesPerFrame
        var buffer = [UInt8](repeating: 0, count: room * bytesPerFrame)
        var span = buffer.mutableSpan
        // SAFETY: any byte is a valid element.
        var raw = unsafe span.mutableBytes
        let result = try stream.read(into: &raw)
        if case .frames(let count, _) = result { bytes += buffer[..<(count * bytesPerFrame)] }
        return result
    }
}

/// A file of numbered mono frames: sample *n* is *n*.
private func numberedFile(_ count: Int, in scratch: Scratch, channels: Int = 1) throws -> String {
    let raw = scratch.file("numbers.raw")
    let samples = (0..<count).flatMap { frame in (0..<channels).map { Int16(frame + 1000 * $0) } }
    try Data(rawBytes(of: samples)).write(to: URL(fileURLWithPath: raw))
    let path = scratch.file("numbers-\(channels).wav")
    let made = output(
        of: "sox", "-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", "-c", "\(channels)", raw, path)
    try #require(made != nil, "sox makes the file")
    return path
}

/// A clock that stands still, never waits and keeps the last deadline.
private final class DeadlineClock: AudioClock {
    let deadline = Lock<MonotonicInstant?>(nil)

    var now: MonotonicInstant { MonotonicInstant(nanoseconds: 5) }

    func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int {
        self.deadline.withLock { $0 = deadline }
        return 0
    }
}

@Suite(.timeLimit(.minutes(5))) struct SimulatedSourceTests {
    @Test func framesArriveByThePeriodAndKnowWhenTheyWereCaptured() throws {
        let scratch = Scratch()
        let listener = try Listener(SimulatedSource(file: numberedFile(1000, in: scratch)))
        let start = listener.clock.now
        #expect(listener.stream.report.periodFrames == 160)
        #expect(listener.stream.report.bufferFrames == 8000)
        #expect(listener.stream.report.format == .speech)
        #expect(try listener.read(room: 4000) == .nothing)
        listener.clock.advance(by: .milliseconds(10) - .nanoseconds(1))
        #expect(try listener.read(room: 4000) == .nothing)
        listener.clock.advance(by: .nanoseconds(1))
        #expect(try listener.read(room: 100) == .frames(100, captureTime: start))
        #expect(try listener.read(room: 100) == .frames(60, captureTime: start.advanced(by: .microseconds(6250))))
        #expect(try listener.read(room: 100) == .nothing)
        listener.clock.advance(by: .milliseconds(25))
        #expect(try listener.read(room: 4000) == .frames(320, captureTime: start.advanced(by: .milliseconds(10))))
        // The rest of the sound is not a whole period, and comes when it is complete.
        listener.clock.advance(by: .milliseconds(26))
        #expect(try listener.read(room: 4000) == .frames(480, captureTime: start.advanced(by: .milliseconds(30))))
        listener.clock.advance(by: .microseconds(1500))
        #expect(try listener.read(room: 4000) == .frames(40, captureTime: start.advanced(by: .milliseconds(60))))
        #expect(try listener.read(room: 4000) == .ended)
        #expect(try listener.read(room: 4000) == .ended)
        #expect(typed(Int16.self, of: listener.bytes) == (0..<1000).map { Int16($0) })
    }

    /// Rates whose frames last no whole number of nanoseconds neither drift nor come a period late.
    @Test(arguments: [8000, 11_025, 22_050, 44_100, 48_000, 96_000, 767_999])
    func waitingEndsWithThePeriodAtAnyRate(rate: Int) throws {
        let chunk = rate / 100
        let format = AudioFormat(sampleRateHz: rate, channelCount: 1, sampleFormat: .f32)
        let listener = try Listener(SimulatedSource(toneHz: 100), format, chunk: chunk)
        let start = listener.clock.now
        let wakeUp = CaptureWakeUp(try WakeUp())
        for period in 1...500 {
            // Two nanoseconds before the period is complete, and two after.
            let due = start.advanced(by: format.duration(ofFrames: chunk * period))
            listener.clock.advance(by: listener.clock.now.duration(to: due) - .nanoseconds(2))
            #expect(try listener.read(room: chunk * 2) == .nothing)
            listener.clock.advance(by: .nanoseconds(4))
            // Would block for ever if it waited for longer: the hand does not move.
            try listener.stream.wait(orFor: wakeUp)
            let captured = start.advanced(by: format.duration(ofFrames: chunk * (period - 1)))
            #expect(try listener.read(room: chunk * 2) == .frames(chunk, captureTime: captured))
        }
    }

    /// Not a nanosecond early, which would be a second wait, nor late; and for the rest of a sound no whole period.
    @Test func waitingIsForTheInstantOfTheNextFrames() throws {
        let scratch = Scratch()
        let clock = DeadlineClock()
        let format = AudioFormat(sampleRateHz: 11_025, channelCount: 1, sampleFormat: .s16)
        func firstDeadline(_ source: SimulatedSource, _ format: AudioFormat) throws -> Duration? {
            let stream = try source.open(CaptureRequest(format: format, chunkFrameCount: 110), in: .init(clock: clock))
            defer { stream.close() }
            try stream.start()
            try stream.wait(orFor: CaptureWakeUp(try WakeUp()))
            return clock.deadline.withLock { $0 }.map { clock.now.duration(to: $0) }
        }
        // 110 ÷ 11,025 s is 9,977,324.26 ns.
        #expect(try firstDeadline(SimulatedSource(toneHz: 100), format) == .nanoseconds(9_977_325))
        // 100 ÷ 16,000 s.
        #expect(
            try firstDeadline(SimulatedSource(file: numberedFile(100, in: scratch)), .speech) == .microseconds(6250))
    }

    @Test func waitingEndsAtTheHandAndAtTheWakeUp() throws {
        let clock = ManualClock()
        let wakeUp = try WakeUp()
        let ended = try WakeUp(counts: true)
        Thread {
            // Opened here: a stream belongs to its thread.
            guard let listener = try? Listener(SimulatedSource(toneHz: 440), clock: clock) else { return }
            for _ in 0..<3 {
                try? listener.stream.wait(orFor: CaptureWakeUp(wakeUp))
                ended.signal()
                if (try? listener.read(room: 160)) == .nothing { wakeUp.clear() }
            }
        }.start()
        var watch = DescriptorSet(count: 1)
        watch.watch(ended.descriptor, at: 0)
        func hasEnded(within limit: Duration = .seconds(60)) -> Bool {
            let system = SystemClock()
            let ready = system.wait(for: watch, until: system.now.advanced(by: limit))
            ended.clear()
            return ready == 1
        }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(10) - .nanoseconds(1))
        #expect(clock.waitUntilWaiting())
        #expect(!hasEnded(within: .zero))
        clock.advance(by: .nanoseconds(1))
        #expect(hasEnded())
        #expect(clock.waitUntilWaiting(after: 1))
        wakeUp.signal()
        #expect(hasEnded())
        #expect(clock.waitUntilWaiting(after: 2))
        clock.advance(by: .milliseconds(10))
        #expect(hasEnded())
    }

    @Test func whoIsLateLosesTheOldestCountedToTheFrame() throws {
        let scratch = Scratch()
        let listener = try Listener(SimulatedSource(file: numberedFile(30_000, in: scratch)))
        let start = listener.clock.now
        // Exactly the buffer: nothing is lost.
        listener.clock.advance(by: .milliseconds(500))
        #expect(try listener.read(room: 160) == .frames(160, captureTime: start))
        listener.clock.advance(by: .milliseconds(10))
        // 7,840 were left, 160 came: full again. The next period is one too many.
        listener.clock.advance(by: .milliseconds(10))
        #expect(try listener.read(room: 160) == .lost(AudioLoss(frames: 160, cause: .deviceOverrun, isExact: true)))
        let captured = start.advanced(by: .milliseconds(20))
        #expect(try listener.read(room: 160) == .frames(160, captureTime: captured))
        #expect(typed(Int16.self, of: listener.bytes) == (0..<160).map { $0 } + (320..<480).map { $0 })
        // So late that the sound is over: what the buffer holds is its end.
        listener.clock.advance(by: .seconds(60))
        #expect(try listener.read(room: 160) == .lost(AudioLoss(frames: 30_000 - 8000 - 480, cause: .deviceOverrun)))
        listener.bytes = []
        #expect(
            try listener.read(room: 9000) == .frames(8000, captureTime: start.advanced(by: .microseconds(1_375_000))))
        #expect(typed(Int16.self, of: listener.bytes) == (22_000..<30_000).map { $0 })
        #expect(try listener.read(room: 160) == .ended)
    }

    @Test func aLoopingFileStartsAgainInTheMiddleOfARead() throws {
        let scratch = Scratch()
        let path = try numberedFile(1000, in: scratch)
        let listener = try Listener(SimulatedSource(file: path, pace: .asFastAsPossible, loops: true))
        let start = listener.clock.now
        for read in 0..<10 {
            let captured = start.advanced(by: AudioFormat.speech.duration(ofFrames: read * 750))
            #expect(try listener.read(room: 750) == .frames(750, captureTime: captured))
        }
        #expect(typed(Int16.self, of: listener.bytes) == (0..<7500).map { Int16($0 % 1000) })
        // A read of several rounds.
        listener.bytes = []
        _ = try listener.read(room: 3333)
        #expect(typed(Int16.self, of: listener.bytes) == (7500..<10_833).map { Int16($0 % 1000) })
    }

    @Test func aLoopingFileFindsItsPlaceAfterALoss() throws {
        let scratch = Scratch()
        let listener = try Listener(SimulatedSource(file: numberedFile(1000, in: scratch), loops: true))
        listener.clock.advance(by: .seconds(1_000_000))
        let lost = 16_000 * 1_000_000 - 8000
        #expect(try listener.read(room: 160) == .lost(AudioLoss(frames: lost, cause: .deviceOverrun)))
        guard case .frames(160, _) = try listener.read(room: 160) else {
            Issue.record("no frames after the loss")
            return
        }
        #expect(typed(Int16.self, of: listener.bytes) == (lost..<lost + 160).map { Int16($0 % 1000) })
    }

    @Test func asFastAsPossibleNeedsNoClock() throws {
        let scratch = Scratch()
        let listener = try Listener(SimulatedSource(file: numberedFile(1000, in: scratch), pace: .asFastAsPossible))
        let wakeUp = CaptureWakeUp(try WakeUp())
        let start = listener.clock.now
        #expect(listener.stream.report.bufferFrames == 0)
        try listener.stream.wait(orFor: wakeUp)
        #expect(try listener.read(room: 900) == .frames(900, captureTime: start))
        try listener.stream.wait(orFor: wakeUp)
        #expect(try listener.read(room: 900) == .frames(100, captureTime: start.advanced(by: .microseconds(56_250))))
        #expect(try listener.read(room: 900) == .ended)
    }

    @Test func aMonoFileFeedsAnyNumberOfChannels() throws {
        let scratch = Scratch()
        let path = try numberedFile(500, in: scratch)
        for sampleFormat in SampleFormat.allCases {
            let mono = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: sampleFormat)
            let one = try Listener(SimulatedSource(file: path, pace: .asFastAsPossible), mono)
            _ = try one.read(room: 500)
            var wide = mono
            wide.channelCount = 3
            let three = try Listener(SimulatedSource(file: path, pace: .asFastAsPossible), wide)
            #expect(three.stream.report.hardware == "1 ch")
            _ = try three.read(room: 500)
            let size = sampleFormat.bytesPerSample
            let repeated = (0..<500).flatMap { frame in
                (0..<3).flatMap { _ in one.bytes[frame * size..<(frame + 1) * size] }
            }
            #expect(three.bytes == repeated)
        }
    }

    /// Frame n holds n and n + 1000.
    @Test(arguments: [(MonoChannel.channel(1), 0), (.channel(2), 1000), (.mix, 500)] as [(MonoChannel, Int16)])
    func aStereoFileGivesOneChannel(mono: MonoChannel, offset: Int16) throws {
        let scratch = Scratch()
        let path = try numberedFile(5000, in: scratch, channels: 2)
        let source = SimulatedSource(file: path, pace: .asFastAsPossible)
        let stream = try source.open(
            CaptureRequest(format: .speech, chunkFrameCount: 100, monoChannel: mono), in: CaptureEnvironment())
        #expect(stream.report.hardware == "2 ch")
        #expect(stream.report.conversions.count == 1)
        let (result, samples) = try stream.readSamples(frameCount: 5000)
        guard case .frames(5000, _) = result else { throw Unexpected("5000 frames expected, not \(result)") }
        #expect(samples == (0..<5000).map { $0 + offset })
    }

    @Test func whatAFileCannotGiveIsSaid() throws {
        let scratch = Scratch()
        let stereo = try numberedFile(10, in: scratch, channels: 2)
        let source = SimulatedSource(file: stereo)
        let asIs = try Listener(
            SimulatedSource(file: stereo, pace: .asFastAsPossible),
            AudioFormat(sampleRateHz: 16_000, channelCount: 2, sampleFormat: .s16))
        _ = try asIs.read(room: 10)
        #expect(typed(Int16.self, of: asIs.bytes) == (0..<10).flatMap { [$0, $0 + 1000] })

        let three = expectError(.unsupportedFormat) {
            _ = try Listener(source, AudioFormat(sampleRateHz: 16_000, channelCount: 3, sampleFormat: .s16))
        }
        #expect(three?.message == "\"\(stereo)\" has 2 channels, not 3: ask for 2")
        let third = expectError(.unsupportedFormat) {
            _ = try source.open(
                CaptureRequest(format: .speech, chunkFrameCount: 10, monoChannel: .channel(3)), in: .init())
        }
        #expect(third?.message == "\"\(stereo)\" has 2 channels, not a channel 3: ask for 2")
        let rate = expectError(.unsupportedFormat) {
            _ = try Listener(source, AudioFormat(sampleRateHz: 48_000, channelCount: 2, sampleFormat: .s16))
        }
        #expect(rate?.message == "\"\(stereo)\" is at 16000 Hz, not at 48000 Hz: ask for 16000 Hz")
        expectError(.noSuchFile) { _ = try Listener(SimulatedSource(file: scratch.file("none.wav"))) }
        expectError(.invalidConfiguration) { _ = try Listener(source, chunk: 0) }
    }

    @Test func anEmptyFileEndsEvenWhereItLoops() throws {
        let scratch = Scratch()
        let path = try numberedFile(0, in: scratch)
        for loops in [false, true] {
            let listener = try Listener(SimulatedSource(file: path, pace: .asFastAsPossible, loops: loops))
            #expect(try listener.read(room: 100) == .ended)
        }
    }
}
