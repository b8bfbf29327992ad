import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioIO
import XCTest

/// Most of an hour of audio in seconds: the caps hold at every look, and every frame is accounted for.
final class LongRunTests: XCTestCase {
    func testALongRunWithAListenerThatStalls() throws {
        let seed = SeededGenerator.freshSeed()
        var generator = SeededGenerator(seed: seed)
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 1600
        let processor = AudioProcessor(
            source: SimulatedSource.speech(pace: .asFastAsPossible, loops: true), configuration: configuration)
        let listener = try processor.subscribe(chunks: 20)
        try processor.start()

        let clock = ContinuousClock()
        let end = clock.now + .seconds(6)
        var delivered = 0
        var lost = 0
        var last: AudioChunkHeader?
        func take(_ header: AudioChunkHeader) {
            let missing = header.lossBefore?.frames ?? 0
            XCTAssertEqual(header.framePosition, delivered + lost + missing, "seed \(seed)")
            if let loss = header.lossBefore {
                XCTAssertEqual(loss.cause, .consumerLag)
                XCTAssertTrue(loss.isExact)
            }
            delivered += header.frameCount
            lost += missing
            last = header
        }
        // Ten minutes of audio at least, however slow the machine.
        while clock.now < end || processor.statistics.framesDelivered < 600 * 16_000 {
            for _ in 0..<generator.below(200) {
                if try listener.consumeNext(timeout: .seconds(60), { header, _ in take(header) }) == nil { break }
            }
            // Once at least, however few rounds a slow machine comes to.
            if lost == 0 || generator.below(20) == 0 {
                // A stall: until its ring had to drop something.
                let dropped = listener.buffer.statistics.evicted.chunks
                XCTAssertTrue(eventually { listener.buffer.statistics.evicted.chunks > dropped })
            }
            guard generator.below(8) == 0 else { continue }
            let usage = processor.memoryUsage
            XCTAssertLessThanOrEqual(usage.bufferSize, 300)
            XCTAssertLessThanOrEqual(usage.memoryUsageBytes, 300 * 3200)
            XCTAssertLessThanOrEqual(usage.allocatedBytes, usage.allocationLimitBytes)
            XCTAssertLessThanOrEqual(usage.residentBytes, usage.allocatedBytes)
            let own = try XCTUnwrap(usage.subscribers.first)
            XCTAssertLessThanOrEqual(own.bufferSize, 20)
            XCTAssertLessThanOrEqual(own.allocatedBytes, own.allocationLimitBytes)
        }
        let recording = try processor.stop()
        while let header = try listener.consumeNext({ header, _ in header }) { take(header) }

        // Captured = delivered + lost, for the listener and for the recording.
        let captured = processor.statistics.framesDelivered
        XCTAssertEqual(processor.statistics.framesLost, 0)
        XCTAssertEqual(delivered + lost, captured, "seed \(seed)")
        XCTAssertEqual(recording.frameCount + recording.losses.totalFrames, captured, "seed \(seed)")
        XCTAssertEqual(recording.losses.frames(lostBy: .ringEvicted), recording.truncatedFrameCount)
        let drops = processor.memoryUsage.drops
        XCTAssertEqual(drops.ringEvicted.frames, recording.truncatedFrameCount)
        XCTAssertEqual(drops.ringRefused.frames, 0)
        print(
            "long run: \(captured / 16_000 / 60) minutes of audio, \(lost / 16_000 / 60) of them missed by the listener"
        )
        XCTAssertGreaterThan(lost, 0, "the listener never stalled")
        XCTAssertEqual(last.map { $0.framePosition + $0.frameCount }, captured)
    }
}
