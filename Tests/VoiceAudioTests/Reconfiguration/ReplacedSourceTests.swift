import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// A device that only one can hold at a time.
private final class ExclusiveSource: CaptureSource {
    let name = "exclusive"
    /// What there is to hear.
    let inner = ScriptedSource()
    private let failures = Lock<[AudioError]>([])

    /// What the next openings fail with, one after the other.
    func failToOpen(with errors: AudioError...) { failures.withLock { $0 = errors } }

    func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        guard inner.openCount == inner.closeCount else { throw AudioError(.busy, "held by somebody") }
        let failure = failures.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let failure { throw failure }
        return try inner.open(request, in: environment)
    }
}

/// A device that opens, has a buffer, and delivers nothing into it.
private struct MuteSource: CaptureSource {
    let name = "mute"

    private final class Stream: CaptureStream {
        let report: CaptureReport
        private var descriptors = DescriptorSet(count: 1)

        init(_ request: CaptureRequest) {
            report = CaptureReport(
                source: "mute", format: request.format, requestedPeriodFrames: 100, periodFrames: 100,
                bufferFrames: 1000)
        }

        func start() throws(AudioError) {}
        func close() {}

        func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
            descriptors.watch(wakeUp.descriptor, at: 0)
            _ = descriptors.poll(nanoseconds: nil)
        }

        func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead { .nothing }
    }

    func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream { Stream(request) }
}

/// Sources that cannot be open at the same time, that fail, and that have another format.
@Suite struct ReplacedSourceTests {
    private let source = ExclusiveSource()
    private let clock = ManualClock()

    private func processor() -> AudioProcessor {
        AudioProcessor(source: source, configuration: .scripted(), clock: clock)
    }

    private func push(_ count: Int) {
        source.inner.push(.frames(count))
        #expect(source.inner.waitUntilTaken())
    }

    private func code(of result: Reconfiguration) -> AudioError.Code? {
        switch result {
        case .replaced: nil
        case .rolledBack(let error): error.code
        }
    }

    /// The numbers of all chunks until the end.
    private func numbers(heardBy listener: AudioSubscription) throws -> [Int] {
        var heard: [Int] = []
        while let chunk = try listener.next(timeout: .seconds(60)) {
            #expect(chunk.lossBefore == nil)
            heard += chunk.numbers
        }
        return heard
    }

    @Test func whatCannotBeHeldTwiceIsClosedFirst() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        push(150)
        #expect(code(of: processor.reconfigure { $0.chunkFrameCount = 50 }) == nil)
        #expect(source.inner.openCount == 2 && source.inner.closeCount == 1)
        push(100)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<150) + Array(0..<100))
        #expect(try numbers(heardBy: listener) == recording.numbers)
    }

    @Test func largerChunksReachWhoListensInPieces() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        try processor.start()
        push(100)
        #expect(processor.reconfigure { $0.chunkFrameCount = 250 }.isReplaced)
        push(250)
        #expect(try processor.stop().numbers == Array(0..<100) + Array(0..<250))
        #expect(try numbers(heardBy: listener) == Array(0..<100) + Array(0..<250))
    }

    @Test func whereTheNewOneFailsTheOldOneIsOpenedAgain() throws {
        let processor = processor()
        try processor.start()
        push(100)
        clock.advance(by: .milliseconds(300))
        source.failToOpen(with: AudioError(.unsupportedFormat, "not like this"))
        #expect(code(of: processor.reconfigure { $0.chunkFrameCount = 50 }) == .unsupportedFormat)
        #expect(processor.state == .recording && processor.configuration.chunkFrameCount == 100)
        push(100)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(0..<100))
        #expect(recording.losses.entries.map(\.loss.frames) == [200])
        #expect(source.inner.openCount == 2 && source.inner.closeCount == 2)
    }

    @Test func whereNeitherOpensTheCaptureHasFailedAndWhatWasCapturedStays() throws {
        let processor = processor()
        let listener = try processor.subscribe()
        let health = try processor.watchHealth()
        try processor.start()
        push(150)
        let gone = AudioError(.noSuchDevice, "gone")
        source.failToOpen(with: AudioError(.unsupportedFormat, "not like this"), gone)
        #expect(code(of: processor.reconfigure { $0.chunkFrameCount = 50 }) == .unsupportedFormat)
        #expect(processor.state == .failed(gone))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<150) && recording.failure == gone)
        #expect(processor.state == .idle)
        #expect(try listener.next(timeout: .zero)?.numbers.count == 100)
        #expect(try listener.next(timeout: .zero)?.numbers.count == 50)
        #expect(throws: gone) { try listener.next(timeout: .zero) }
        var last: HealthStatus?
        while let status = try health.next(timeout: .seconds(60)) { last = status }
        #expect(last?.health == .lost)
        // And it can be begun again.
        try processor.arm()
        processor.cleanup()
    }

    @Test func aDeviceThatOpensAndDeliversNothingDoesNotTakeOver() throws {
        let processor = processor()
        try processor.start()
        push(100)
        let result = try ThreadResult { processor.reconfigure(source: MuteSource()) }
        #expect(clock.waitUntilWaiting(dueWithin: .seconds(2)))
        clock.advance(by: .seconds(2))
        #expect(code(of: try result.value()) == .timedOut)
        push(100)
        #expect(try processor.stop().numbers == Array(0..<200))
        #expect(processor.quarantinedThreadCount == 0)
    }

    @Test func aCleanUpMeanwhileEndsBoth() throws {
        let processor = processor()
        try processor.start()
        push(100)
        let other = ScriptedSource()
        other.hang(in: .open)
        let result = try ThreadResult { processor.reconfigure(source: other) }
        #expect(other.waitUntilHanging())
        processor.cleanup()
        #expect(code(of: try result.value()) == .cancelled)
        #expect(processor.state == .idle)
        #expect(source.inner.waitUntilClosed())
        other.letGo()
        #expect(eventually { processor.quarantinedThreadCount == 0 })
        #expect(other.openCount == other.closeCount)
    }

    // MARK: Formats

    @Test func anotherRateConvertsWhatWasCaptured() throws {
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: 1, sampleFormat: .f32)
        let old = PushSource(format: StreamFormat(.speech))
        let new = PushSource(format: StreamFormat(format))
        let processor = AudioProcessor(source: old)
        let listener = try processor.subscribe()
        try processor.arm()
        old.push([Int16](repeating: 0, count: 8000))
        try processor.start()
        let tone = AudioProcessor(source: SimulatedSource(toneHz: 440, pace: .asFastAsPossible))
        let sound = try tone.subscribe(chunks: 10, overflow: .uniform(.dropNewest))
        try tone.arm()
        for _ in 0..<10 { old.push(try #require(try sound.next(timeout: .seconds(60))).bytes) }
        tone.cleanup()
        old.noteLoss(frameCount: 1600)
        #expect(processor.reconfigure(source: new).isReplaced)
        #expect(processor.configuration.format == format)
        new.push([Float](repeating: 0.25, count: 4800))
        let recording = try processor.stop()
        #expect(recording.format == format)
        // What the second of a sine became, and a loss of 100 ms; the gap between the two pushes is told besides.
        let captured = recording.frameCount - 4800
        #expect(abs(captured - 48_000) <= 2)
        #expect(recording.losses.entries.first?.framePosition == captured)
        #expect(recording.losses.totalFrames >= 4800)
        recording.withSamples(as: Float.self) { samples in
            let crossings = (1000..<47_000).count { samples[$0] < 0 && samples[$0 + 1] >= 0 }
            #expect(abs(crossings - 46_000 * 440 / 48_000) <= 1)
            let peak = (1000..<47_000).map { abs(samples[$0]) }.max() ?? 0
            #expect(abs(peak - 0.5) < 0.01)
            #expect((captured..<recording.frameCount).allSatisfy { samples[$0] == 0.25 })
        }
        var heard = 0
        do throws(AudioError) {
            while let chunk = try listener.next(timeout: .seconds(60)) { heard += chunk.header.frameCount }
            Issue.record("a listener goes on with another format")
        } catch {
            #expect(error.code == .formatChanged && error.message.contains("48000 Hz"))
        }
        #expect(heard == 24_000)
        processor.cleanup()
    }

    @Test func channelsThatDoNotFitAreRefusedBeforeAnythingIsTouched() throws {
        let stereo = AudioFormat(sampleRateHz: 16_000, channelCount: 2, sampleFormat: .s16)
        let six = AudioFormat(sampleRateHz: 16_000, channelCount: 6, sampleFormat: .s16)
        let old = PushSource(format: StreamFormat(stereo))
        let processor = AudioProcessor(source: old)
        try processor.start()
        old.push([Int16](repeating: 1, count: 200))
        #expect(code(of: processor.reconfigure(source: PushSource(format: StreamFormat(six)))) == .unsupportedFormat)
        old.push([Int16](repeating: 1, count: 200))
        #expect(try processor.stop().frameCount == 200)
    }
}
