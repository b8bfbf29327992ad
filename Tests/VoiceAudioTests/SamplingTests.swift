import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// Listeners that do not want each chunk, and one that may fall behind.
@Suite(.timeLimit(.minutes(5))) struct SamplingTests {
    let source = ScriptedSource()
    let clock = ManualClock()
    let processor: AudioProcessor

    init() { processor = AudioProcessor(source: source, configuration: .scripted(), clock: clock) }

    /// Captures chunks of 100 frames, 100 ms each.
    private func give(chunks: Int) {
        for _ in 0..<chunks {
            source.push(.frames(100))
            #expect(source.waitUntilTaken())
            clock.advance(by: .milliseconds(100))
        }
    }

    private var reported: MemoryUsage.Subscriber? { processor.memoryUsage.subscribers.first }

    @Test func theNewestTakesThePlaceOfWhatWaits() throws {
        let meter = try processor.subscribe(.latestOnly)
        try processor.arm()
        give(chunks: 5)
        #expect(meter.buffer.fill == (chunks: 1, bytes: 400))
        let chunk = try #require(try meter.next())
        #expect(chunk.numbers == Array(400..<500))
        #expect(chunk.lossBefore == nil, "what is left out on purpose is no loss")
        #expect(chunk.skippedBefore == 400)
        #expect(reported?.skipped == AudioCount(chunks: 4, frames: 400, bytes: 1600))
        #expect(reported?.dropped == AudioCount())
        give(chunks: 1)
        let next = try #require(try meter.next())
        #expect(next.framePosition == 500 && next.skippedBefore == 0 && next.lossBefore == nil)
        processor.cleanup()
    }

    @Test func theDevicesLossesAreToldToTheFrame() throws {
        let meter = try processor.subscribe(.latestOnly)
        try processor.arm()
        give(chunks: 1)
        source.push(.lost(AudioLoss(frames: 5, cause: .deviceOverrun)))
        give(chunks: 1)
        source.push(.lost(AudioLoss(frames: 7, cause: .deviceGap, isExact: false)))
        give(chunks: 2)
        let chunk = try #require(try meter.next())
        #expect(chunk.framePosition == 312)
        #expect(chunk.lossBefore == AudioLoss(frames: 12, cause: .deviceGap, isExact: false))
        #expect(chunk.skippedBefore == 300)
        processor.cleanup()
    }

    @Test func whatACleanUpTookIsALoss() throws {
        let meter = try processor.subscribe(.latestOnly)
        try processor.arm()
        give(chunks: 2)
        #expect(processor.forceCleanupBuffers() == 3)
        give(chunks: 1)
        let chunk = try #require(try meter.next())
        #expect(chunk.lossBefore == AudioLoss(frames: 200, cause: .cleanedUp))
        #expect(chunk.skippedBefore == 0)
        processor.cleanup()
    }

    @Test func aRateSkipsWhatLiesBetween() throws {
        let meter = try processor.subscribe(.latestOnly, atMost: .perSecond(5))
        try processor.arm()
        for position in stride(from: 0, to: 1000, by: 200) {
            give(chunks: 2)
            let chunk = try #require(try meter.next())
            #expect(chunk.framePosition == position)
            #expect(chunk.sequenceNumber == position / 100)
            #expect(chunk.lossBefore == nil)
            #expect(chunk.skippedBefore == (position == 0 ? 0 : 100))
            #expect(meter.buffer.count == 0)
        }
        #expect(meter.buffer.statistics.skipped == AudioCount(chunks: 5, frames: 500, bytes: 2000))
        #expect(reported?.skipped.chunks == 5)
        #expect(reported?.dropped.chunks == 0)
        processor.cleanup()
    }

    @Test func aReaderIsNotWokenForWhatIsSkipped() throws {
        let meter = try processor.subscribe(.latestOnly, atMost: .perSecond(2))
        try processor.arm()
        give(chunks: 1)
        _ = try meter.next()
        let wakeUp = try meter.buffer.beginWaiting(for: 1)
        defer { meter.buffer.endWaiting(wakeUp) }
        give(chunks: 4)
        #expect(!wakeUp.isSignalled)
        give(chunks: 1)
        #expect(wakeUp.isSignalled)
        processor.cleanup()
    }

    @Test func aChunkThatFindsTheReaderAtWorkLeavesItsTurnToTheNext() throws {
        let meter = try processor.subscribe(.latestOnly, atMost: .perSecond(5))
        try processor.arm()
        give(chunks: 1)
        try meter.consumeNext { _, _ in give(chunks: 2) }
        give(chunks: 1)
        let chunk = try #require(try meter.next())
        #expect(chunk.framePosition == 300 && chunk.lossBefore == nil && chunk.skippedBefore == 200)
        processor.cleanup()
    }

    @Test func aSequenceSamples() async throws {
        let chunks = processor.chunks(.latestOnly, atMost: .perSecond(1))
        let captured = try await offThePool {
            do {
                try processor.arm()
                give(chunks: 5)
                source.push(.end)
                return processor.waitForSourceEnd(timeout: .seconds(3600))
            } catch { return false }
        }
        #expect(captured)
        var positions: [Int] = []
        for try await chunk in chunks { positions.append(chunk.framePosition) }
        #expect(positions == [0])
        await #expect(throws: AudioError.self) {
            for try await _ in processor.chunks(.latestOnly, atMost: .perSecond(0)) {}
        }
    }

    @Test func aLiveStreamKeepsTheNewerHalf() throws {
        let connection = try processor.subscribe(.liveStream(maxBytes: 1999))
        try processor.arm()
        give(chunks: 4)
        #expect(connection.buffer.byteCount == 1600)
        give(chunks: 1)
        #expect(connection.buffer.byteCount == 1200)
        let chunk = try #require(try connection.next())
        #expect(chunk.framePosition == 200)
        #expect(chunk.lossBefore == AudioLoss(frames: 200, cause: .consumerLag))
        processor.cleanup()
    }

    @Test func aLiveStreamHasTenMebibytes() throws {
        let buffer = try processor.chunks(.liveStream).underlyingSubscription().buffer
        #expect((10 << 20) - 400..<(10 << 20) + 1 ~= buffer.maxBytes)
        #expect(buffer.allocatedBytes <= buffer.allocationLimitBytes)
    }

    @Test func whatIsNotAcceptedIsRefused() throws {
        for rate in [0, -1, 1001, .nan, .infinity] {
            let error = try #require(throws: AudioError.self) {
                try processor.subscribe(.latestOnly, atMost: .perSecond(rate))
            }
            #expect(error.code == .invalidConfiguration)
            #expect(error.message.contains("\(rate)") && error.message.contains("0.001 to 1000"))
        }
        let error = try #require(throws: AudioError.self) { try processor.subscribe(.liveStream(maxBytes: 399)) }
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("399") && error.message.contains("400"))
    }
}
