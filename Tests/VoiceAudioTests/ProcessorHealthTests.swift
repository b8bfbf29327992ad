import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// How a processor's capture fares, as its user sees it.
@Suite(.timeLimit(.minutes(5))) struct ProcessorHealthTests {
    let source = ScriptedSource()
    let gone = AudioError(.deviceLost, "the device is gone")

    private func processor(_ clock: any AudioClock = SystemClock()) -> AudioProcessor {
        AudioProcessor(source: source, configuration: .scripted(), clock: clock)
    }

    @Test func reconnectingIsAHealthAndNoState() throws {
        let clock = ManualClock()
        let processor = processor(clock)
        defer { processor.cleanup() }
        #expect(processor.health == nil)
        let watch = try processor.watchHealth()
        try processor.start()
        source.push(.frames(100))
        #expect(source.waitUntilTaken())
        #expect(try watch.next()?.health == .flowing)
        let outage = CaptureOutage(reason: gone, since: clock.now)
        source.push(.outage(outage))
        let status = try #require(try watch.next())
        #expect(status.health == .reconnecting)
        #expect(status.since == outage.since)
        #expect(status.reason == gone.message)
        #expect(processor.health == .reconnecting)
        #expect(processor.memoryUsage.health == .reconnecting)
        #expect(processor.state == .recording)
        source.push(
            .outage(nil), .reopened(AudioLoss(frames: 500, cause: .deviceGap, isExact: false)), .frames(100))
        #expect(try watch.next()?.health == .flowing)
        #expect(source.waitUntilTaken())
        #expect(processor.statistics.reopenings == 1)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100) + Array(600..<700))
        #expect(recording.losses.frames(lostBy: .deviceGap) == 500)
        #expect(try watch.next() == nil)
    }

    @Test func aCaptureThatFailsIsLostUntilItIsCleanedUp() throws {
        let processor = processor()
        let watch = try processor.watchHealth()
        try processor.arm()
        source.push(.fail(gone))
        #expect(source.waitUntilClosed())
        var newest: HealthStatus?
        while let status = try watch.next() { newest = status }
        #expect(newest?.health == .lost)
        #expect(newest?.reason == gone.message)
        #expect(processor.health == .lost)
        processor.cleanup()
        #expect(processor.health == nil)
    }

    /// A driver that hangs says nothing: the time does.
    @Test func aHangingReadIsAStall() throws {
        let clock = ManualClock()
        let processor = processor(clock)
        try processor.arm()
        source.push(.frames(100), .hang)
        #expect(source.waitUntilHanging())
        #expect(processor.health == .flowing)
        clock.advance(by: .milliseconds(801))
        #expect(processor.health == .stalled)
        source.letGo()
        source.push(.frames(100))
        #expect(source.waitUntilTaken())
        #expect(processor.health == .flowing)
        processor.cleanup()
    }

    @Test func aMicrophoneThatFallsSilentIsTold() async throws {
        let clock = ManualClock()
        let processor = processor(clock)
        let changes = processor.healthChanges()
        try await processor.arm()
        var iterator = changes.makeAsyncIterator()
        source.push(.frames(100))
        #expect(try await iterator.next()?.health == .flowing)
        for _ in 0..<12 {
            #expect(source.waitUntilTaken())
            clock.advance(by: .milliseconds(100))
            source.push(.zeros(100))
        }
        #expect(try await iterator.next()?.health == .silent)
        source.push(.frames(100))
        #expect(try await iterator.next()?.health == .flowing)
        processor.cleanup()
        #expect(try await iterator.next() == nil)
    }

    @Test func aTaskThatWaitsForAChangeCanBeCancelled() async throws {
        let processor = processor()
        defer { processor.cleanup() }
        let changes = processor.healthChanges()
        let task = Task {
            for try await _ in changes {}
            return true
        }
        task.cancel()
        #expect(try await task.value)
    }
}
