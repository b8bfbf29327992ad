import Testing
import VoiceAudioCore
import VoiceAudioIO

/// A capture goes on with another history while the place of its next chunk is reserved, and still empty, in the old one.
@Suite(.timeLimit(.minutes(5))) struct HistoryExchangeTests {
    private func history() throws -> BoundedAudioBuffer {
        try BoundedAudioBuffer(maxChunks: 10, maxBytes: 3200, format: .speech, maxChunkBytes: 320)
    }

    @Test func whatComesAfterTheExchangeIsInTheNewHistory() throws {
        let clock = ManualClock()
        let old = try history()
        let new = try history()
        let plan = CapturePlan(
            source: SimulatedSource(toneHz: 440), request: CaptureRequest(format: .speech, chunkFrameCount: 160),
            environment: CaptureEnvironment(clock: clock))
        let capture = try Capture(
            plan, history: old, by: clock.now.advanced(by: .seconds(10)), abort: try WakeUp(), abandon: { _ in })
        #expect(clock.waitUntilWaiting())
        #expect(
            capture.exchangeHistory(for: try new.takeProducer(), by: clock.now.advanced(by: .seconds(10))))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(10))
        #expect(try new.waitForChunks(timeout: nil) == .ready)
        let chunk = try #require(try new.popFirst())
        #expect(chunk.byteCount == 320 && Set(chunk.bytes).count > 10)
        #expect(old.count == 0)
        #expect(capture.stop(by: clock.now.advanced(by: .seconds(10))))
    }
}
