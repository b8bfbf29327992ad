import Testing
import VoiceAudio

@Suite struct ProcessorTests {
    @Test func recordsAWholeFile() throws {
        let processor = AudioProcessor(source: SimulatedSource.speech(pace: .asFastAsPossible, loops: false))
        try processor.start()
        #expect(processor.waitForSourceEnd(timeout: .seconds(10)))
        let recording = try processor.stop()
        #expect(processor.state == .idle)
        #expect(recording.losses.isEmpty)
        #expect(!recording.isTruncated)
        #expect(recording.level.rms > 0.01)
        #expect(recording.duration > .seconds(3))
        try recording.withTemporaryWAV { wav in
            let reader = wav.byteCount
            #expect(reader == recording.byteCount + 44)
        }
    }

    @Test func followsLive() async throws {
        let processor = AudioProcessor(source: SimulatedSource.speech(pace: .realTime, loops: true))
        let chunks = processor.chunks(bounded: 50)
        try await processor.arm()
        var frames = 0
        for try await chunk in chunks {
            frames += chunk.frameCount
            if frames >= 8000 { break }
        }
        try await processor.start(preRoll: .milliseconds(300))
        try processor.pause()
        try processor.resume()
        let recording = try await processor.stop()
        #expect(processor.state == .ready)
        #expect(recording.frameCount >= 4800)
        processor.cleanup()
        #expect(processor.state == .idle)
        processor.cleanup()
        await #expect(throws: AudioError.self) { try await processor.stop() }
    }
}
