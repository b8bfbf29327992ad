import Testing
import VoiceAudioCore
import VoiceAudioIO

/// A capture goes on with another history while the place of its next chunk is reserved, and still empty, in the old one.
@Suite(.timeLimit(.minutes(1))) struct HistoryExchangeTests {
    private func history() throws -> BoundedAudioBuffer {
        try BoundedAudioBuffer(maxChunks: 10, maxBytes: 3200, format: .speech, maxChunkBytes: 320)
    }

    @Test func whatComesAfterTheExchangeIsInTheNewHistory() throws {
        let clock = ManualClock()
        let old = try history()
        let new = try history()
        let capture = try Capture(
            source: SimulatedSource(toneHz: 440),
            request: CaptureRequest(format: .speech, chunkFrameCount: 160),
            environment: CaptureEnvironment(clock: clock), history: old, subscribers: SubscriberTable(),
            health: HealthBoard(),
            realtimePriority: 0, by: clock.now.advanced(by: .seconds(10)), abort: try WakeUp(),
            abandon: { _ in })
        #expect(clock.waitUntilWaiting())
        #expect(
            capture.control.exchangeHistory(
                for: try new.takeProducer(), by: clock.now.advanced(by: .seconds(10)), clock: clock,
                threadEnd: capture.endDescriptor))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(10))
        #expect(try new.waitForChunks(timeout: nil) == .ready)
        let chunk = try #require(try new.popFirst())
        #expect(chunk.byteCount == 320 && Set(chunk.bytes).count > 10)
        #expect(old.count == 0)
        #expect(capture.stop(by: clock.now.advanced(by: .seconds(10))))
    }
}
