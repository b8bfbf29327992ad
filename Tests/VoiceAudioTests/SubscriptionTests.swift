import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// Listeners: each has its own ring, and only what it missed itself is missing.
@Suite(.timeLimit(.minutes(5))) struct SubscriptionTests {
    let source = ScriptedSource()
    let processor: AudioProcessor

    init() { processor = AudioProcessor(source: source, configuration: .scripted()) }

    private func give(_ frames: Int) {
        source.push(.frames(frames))
        #expect(source.waitUntilTaken())
    }

    @Test func aSlowReaderLosesOnlyItsOwn() throws {
        let slow = try processor.subscribe(chunks: 2)
        let keeper = try processor.subscribe(chunks: 2, overflow: .uniform(.dropNewest))
        let quick = try processor.subscribe(chunks: 100)
        try processor.start()
        give(500)
        #expect(try slow.next()?.numbers == Array(300..<400))
        give(100)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<600))
        #expect(recording.losses.isEmpty)

        let rest = try #require(try slow.next())
        #expect(rest.numbers == Array(400..<500))
        #expect(rest.lossBefore == nil)
        #expect(try slow.next()?.numbers == Array(500..<600))
        #expect(try slow.next() == nil)

        #expect(try keeper.next()?.numbers == Array(0..<100))
        #expect(try keeper.next()?.numbers == Array(100..<200))
        #expect(try keeper.next() == nil)
        #expect(keeper.buffer.untoldLoss == AudioLoss(frames: 400, cause: .consumerLag))

        for position in 0..<6 {
            let chunk = try #require(try quick.next())
            #expect(chunk.framePosition == position * 100)
            #expect(chunk.sequenceNumber == position)
            #expect(chunk.lossBefore == nil)
        }
        #expect(try quick.next() == nil)
    }

    @Test func aReaderIsToldWhatItMissed() throws {
        let slow = try processor.subscribe(chunks: 2)
        try processor.start()
        give(500)
        let chunk = try #require(try slow.next())
        #expect(chunk.lossBefore == AudioLoss(frames: 300, cause: .consumerLag))
        #expect(chunk.sequenceNumber == 3)
        #expect(processor.memoryUsage.subscribers.first?.dropped.frames == 300)
        processor.cleanup()
    }

    @Test func everyoneIsToldOfTheDevicesLosses() throws {
        let listener = try processor.subscribe()
        try processor.start()
        source.push(.frames(30), .lost(AudioLoss(frames: 5, cause: .deviceOverrun)), .frames(65))
        #expect(source.waitUntilTaken())
        _ = try processor.stop()
        #expect(try listener.next()?.numbers == Array(0..<30))
        let second = try #require(try listener.next())
        #expect(second.lossBefore == AudioLoss(frames: 5, cause: .deviceOverrun))
        #expect(second.numbers == Array(35..<100))
        #expect(try listener.next() == nil)
    }

    @Test func whoComesLaterCountsFromThere() throws {
        try processor.start()
        source.push(.frames(250), .lost(AudioLoss(frames: 50, cause: .deviceOverrun)))
        #expect(source.waitUntilTaken())
        let listener = try processor.subscribe()
        give(100)
        let chunk = try #require(try listener.next(timeout: .seconds(60)))
        #expect(chunk.framePosition == 300)
        #expect(chunk.lossBefore == nil, "what was lost before it came is no loss to a listener")
        processor.cleanup()
    }

    @Test func numbersGoOnOverAStop() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        for round in 0..<3 {
            try processor.start()
            give(150)
            _ = try processor.stop()
            for (offset, count) in [(0, 100), (100, 50)] {
                let chunk = try #require(try listener.next(timeout: .seconds(60)))
                #expect(chunk.framePosition == round * 150 + offset)
                #expect(chunk.frameCount == count)
                #expect(chunk.lossBefore == nil)
            }
        }
        processor.cleanup()
    }

    @Test func sixteenAtMost() throws {
        var listeners = try (0..<16).map { _ in try processor.subscribe() }
        let error = try #require(throws: AudioError.self) { try processor.subscribe() }
        #expect(error.code == .limitReached)
        #expect(processor.memoryUsage.subscribers.count == 16)
        listeners.removeLast()
        try listeners.append(processor.subscribe())
        try processor.start()
        give(100)
        for listener in listeners { #expect(try listener.next(timeout: .seconds(60))?.frameCount == 100) }
        listeners[3].cancel()
        #expect(processor.memoryUsage.subscribers.count == 15)
        _ = try processor.subscribe()
        processor.cleanup()
    }

    @Test func cancelledHasWhatItHas() throws {
        let listener = try processor.subscribe()
        try processor.start()
        give(100)
        listener.cancel()
        listener.cancel()
        give(100)
        #expect(try listener.next()?.numbers == Array(0..<100))
        #expect(try listener.next() == nil)
        #expect(try processor.stop().frameCount == 200)
    }

    @Test func cancellingEndsAWait() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        let next = try ThreadResult { try listener.next() }
        listener.cancel()
        #expect(try next.value() == nil)
        processor.cleanup()
    }

    @Test func aWaitTimesOut() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        #expect(
            try #require(throws: AudioError.self) { try listener.next(timeout: .milliseconds(1)) }.code == .timedOut)
        #expect(throws: AudioError.self) { try listener.consumeNext(timeout: .zero) { _, _ in } }
        processor.cleanup()
    }

    @Test func aFailureComesAfterTheLastChunk() throws {
        let failure = AudioError(.deviceLost, "unplugged")
        let listener = try processor.subscribe()
        try processor.arm()
        source.push(.frames(130), .fail(failure))
        #expect(processor.waitForSourceEnd(timeout: .seconds(60)))
        #expect(try listener.consumeNext { header, bytes in header.frameCount + bytes.byteCount } == 500)
        #expect(try listener.next()?.frameCount == 30)
        #expect(throws: failure) { try listener.next() }
        #expect(throws: failure) { try listener.consumeNext { _, _ in } }
        processor.cleanup()
    }

    @Test func consumeNextLendsInPlaceAndKeepsWhatThrows() throws {
        struct BodyError: Error {}
        let listener = try processor.subscribe()
        try processor.arm()
        give(200)
        #expect(throws: BodyError.self) { try listener.consumeNext { _, _ in throw BodyError() } }
        let first = try listener.consumeNext { header, bytes in
            // SAFETY: aligned, and within the chunk.
            (header.framePosition, unsafe bytes.unsafeLoad(fromByteOffset: 4 * 99, as: Int32.self))
        }
        #expect(first?.0 == 0)
        #expect(first?.1 == 99)
        #expect(listener.buffer.count == 1)
        processor.cleanup()
    }

    @Test func whatIsNotAcceptedIsRefused() throws {
        for count in [0, -1, 1_000_001] {
            #expect(
                try #require(throws: AudioError.self) { try processor.subscribe(chunks: count) }.code
                    == .invalidConfiguration)
        }
        let error = try #require(throws: AudioError.self) {
            try processor.subscribe(overflow: .uniform(.block(.seconds(1))))
        }
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.contains("block"))
    }

    @Test func forceCleanupIsToldToEach() throws {
        let listener = try processor.subscribe()
        try processor.start()
        give(200)
        #expect(processor.forceCleanupBuffers() == 4)
        give(100)
        let chunk = try #require(try listener.next(timeout: .seconds(60)))
        #expect(chunk.numbers == Array(200..<300))
        #expect(chunk.lossBefore == AudioLoss(frames: 200, cause: .cleanedUp))
        processor.cleanup()
    }
}
