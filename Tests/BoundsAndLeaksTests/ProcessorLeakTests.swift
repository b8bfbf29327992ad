import CAllocationCounter
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// Threads, descriptors and memory are level after any number of cycles.
final class ProcessorLeakTests: XCTestCase {
    private func makeProcessor() -> AudioProcessor {
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 160
        configuration.maxChunks = 50
        return AudioProcessor(
            source: SimulatedSource(toneHz: 440, pace: .asFastAsPossible), configuration: configuration)
    }

    private func median(_ values: [Int]) -> Int { values.sorted()[values.count / 2] }

    /// Runs `body` `rounds` times, and compares the process before and after. A tenth of the rounds warms up.
    private func assertLevel(rounds: Int, _ body: (Int) throws -> Void) throws {
        for round in 0..<rounds / 10 { try body(round) }
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        var resident: [Int] = []
        for round in 0..<rounds {
            try body(round)
            resident.append(ProcessCounts.residentBytes)
        }
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        // A sanitizer keeps what was freed for a while, and counts for itself.
        guard allocationCounterIsActive() else { return }
        let growth = median(Array(resident.suffix(rounds / 5))) - median(Array(resident.prefix(rounds / 5)))
        XCTAssertLessThan(growth, 1 << 20, "resident memory grew by \(growth) bytes")
    }

    func testAThousandCyclesOfOneProcessor() throws {
        let processor = makeProcessor()
        try assertLevel(rounds: 1000) { round in
            if round % 2 == 0 { try processor.arm() }
            try processor.start(preRoll: .milliseconds(100))
            let recording = try processor.stop()
            XCTAssertEqual(recording.losses.frames(lostBy: .deviceOverrun), 0)
            processor.cleanup()
        }
    }

    /// A processor that is tried again and again on a device that is not there, or busy.
    func testOpeningsThatFail() throws {
        let source = ScriptedSource()
        source.failToOpen(with: AudioError(.busy, "the device is busy"))
        let processor = AudioProcessor(source: source, configuration: .scripted())
        try assertLevel(rounds: 300) { _ in XCTAssertThrowsError(try processor.arm()) }
    }

    func testProcessorsThatAreDropped() throws {
        try assertLevel(rounds: 300) { round in
            let processor = makeProcessor()
            let listener = try processor.subscribe(chunks: 5)
            try processor.start()
            _ = try listener.next(timeout: .seconds(60))
            if round % 3 == 0 { try processor.pause() }
        }
    }

    func testAThousandSubscriptions() throws {
        let processor = makeProcessor()
        try assertLevel(rounds: 1000) { round in
            if round % 100 == 0 { try processor.arm() }
            let listener = try processor.subscribe(chunks: 10)
            if round % 10 == 0 { _ = try listener.next(timeout: .seconds(60)) }
            if round % 2 == 0 { listener.cancel() }
            if round % 100 == 99 { processor.cleanup() }
        }
    }

    func testLoopsThatAreBrokenOffLeaveNothing() async throws {
        let processor = makeProcessor()
        func loops(_ count: Int) async throws {
            try await processor.arm()
            for _ in 0..<count {
                for try await _ in processor.chunks(bounded: 10, chunksToWakeFor: 3) { break }
            }
            processor.cleanup()
        }
        try await loops(20)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        try await loops(200)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
    }

    func testALoopThatWaitsIsCancelledAndLeavesNothing() async throws {
        let source = ScriptedSource()
        let processor = AudioProcessor(source: source, configuration: .scripted())
        try await processor.arm()
        // The capture's is left once the thread has gone that called arm().
        XCTAssertTrue(eventually { ProcessCounts.threads() == 1 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        for _ in 0..<50 {
            let chunks = processor.chunks()
            let loop = Task { for try await _ in chunks {} }
            let waits = try await eventuallyOffThePool { ProcessCounts.threads(named: "va-notify") > 0 }
            XCTAssertTrue(waits)
            loop.cancel()
            try await loop.value
        }
        XCTAssertTrue(eventually { ProcessCounts.threads(named: "va-notify") == 0 })
        XCTAssertTrue(
            eventually { ProcessCounts.descriptors == descriptors }, "\(ProcessCounts.descriptors) of \(descriptors)")
        processor.cleanup()
    }
}
