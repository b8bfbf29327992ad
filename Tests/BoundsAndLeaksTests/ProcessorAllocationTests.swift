import CAllocationCounter
import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioIO
import XCTest

/// The capture thread allocates and frees nothing once it runs.
final class ProcessorAllocationTests: XCTestCase {
    func testSimulatedSource() throws {
        try assertNothingAllocated(source: SimulatedSource(toneHz: 440, pace: .asFastAsPossible))
    }

    func testPacedSource() throws {
        try assertNothingAllocated(source: SimulatedSource(toneHz: 440), chunkFrames: 16, chunks: 1500)
    }

    /// libasound's own null device, which delivers silence without end.
    func testALSA() throws { try assertNothingAllocated(source: ALSASource(device: "null")) }

    /// The second of two channels.
    func testALSAWithConversion() throws {
        try assertNothingAllocated(source: ALSASource(device: "null"), mono: .channel(2))
    }

    /// Zeros without end, of which ten seconds come at once.
    func testDescriptor() throws {
        try assertNothingAllocated(source: DescriptorSource(descriptor: zeros(), contents: .raw(nil)), chunks: 1500)
    }

    /// The mean of two channels of µ-law.
    func testDescriptorWithConversion() throws {
        let stereo = StreamFormat(sampleRateHz: 16_000, channelCount: 2, encoding: .g711(.uLaw))
        try assertNothingAllocated(
            source: DescriptorSource(descriptor: zeros(), contents: .raw(stereo)), chunks: 1500)
    }

    // SAFETY: a constant path.
    private func zeros() -> Int32 { unsafe open("/dev/zero", O_RDONLY | O_CLOEXEC) }

    private func assertNothingAllocated(
        source: any CaptureSource, chunkFrames: Int = 160, chunks: Int = 5000, mono: MonoChannel = .mix
    ) throws {
        try XCTSkipUnless(allocationCounterIsActive(), "a sanitizer has its own malloc")
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = chunkFrames
        configuration.maxChunks = 50
        configuration.monoChannel = mono
        let processor = AudioProcessor(source: source, configuration: configuration)
        let stalled = try processor.subscribe(chunks: 4)
        let refusing = try processor.subscribe(chunks: 4, overflow: .uniform(.dropNewest))
        let sampling = try processor.subscribe(.latestOnly, atMost: .perSecond(20))
        let reader = try processor.subscribe(chunks: 100)
        try processor.arm()
        defer { processor.cleanup() }
        func read(_ count: Int) throws {
            for _ in 0..<count { _ = try reader.consumeNext(timeout: .seconds(60)) { _, _ in } }
        }
        try read(200)
        // The capture goes on meanwhile: between the oldest going and the newest coming there is one less.
        XCTAssertTrue((3...4).contains(stalled.buffer.count), "\(stalled.buffer.count)")
        XCTAssertEqual(refusing.buffer.count, 4)
        allocationCounterStart(try captureThread())
        let before = processor.statistics.framesDelivered
        try read(chunks)
        processor.forceCleanupBuffers()
        let frames = processor.statistics.framesDelivered - before
        allocationCounterStop()
        XCTAssertGreaterThan(frames, (chunks - 200) * chunkFrames)
        XCTAssertGreaterThan(sampling.buffer.statistics.skipped.chunks, 0)
        XCTAssertGreaterThan(processor.memoryUsage.drops.ringEvicted.chunks, 0)
        XCTAssertEqual(allocationCounterCount(), 0)
        XCTAssertEqual(allocationCounterFreeCount(), 0)
    }

    private func captureThread() throws -> pid_t {
        let tasks = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
        // A thread of the pool may end meanwhile.
        let found = tasks.filter { task in
            (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8))?.hasPrefix("va-capture")
                == true
        }
        XCTAssertEqual(found.count, 1)
        return try XCTUnwrap(pid_t(XCTUnwrap(found.first)))
    }
}
