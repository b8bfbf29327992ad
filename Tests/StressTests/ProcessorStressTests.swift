import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Eight threads call whatever they like, in whatever order: nothing traps, hangs or is left behind.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ProcessorStressTests {
    static let known: Set<AudioError.Code> = [.invalidState, .timedOut, .cancelled, .limitReached]

    @Test(arguments: [SimulatedSource.Pace.asFastAsPossible, .realTime])
    func anyThreadInAnyOrder(_ pace: SimulatedSource.Pace) throws {
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 160
        configuration.maxChunks = 50
        let processor = AudioProcessor(
            source: SimulatedSource(toneHz: 440, pace: pace), configuration: configuration)
        let seed = SeededGenerator.freshSeed()
        let threads = try (0..<8).map { number in
            try ThreadResult {
                Self.callAtRandom(processor, SeededGenerator(seed: seed &+ UInt64(number)), rounds: 1000)
            }
        }
        for thread in threads {
            let faults = try thread.value()
            #expect(faults.isEmpty, "seed \(seed)")
        }
        processor.cleanup(deadline: .seconds(60))
        #expect(processor.state == .idle, "seed \(seed)")
        let usage = processor.memoryUsage
        #expect(usage.allocatedBytes == 0)
        #expect(usage.subscribers.isEmpty)
        // An opening that a clean-up gave up closes its source in its own time.
        #expect(eventually { processor.quarantinedThreadCount == 0 })
    }

    /// Answers what should not have happened.
    private static func callAtRandom(
        _ processor: AudioProcessor, _ generator: SeededGenerator, rounds: Int
    ) -> [String] {
        var generator = generator
        var faults: [String] = []
        var listeners: [AudioSubscription] = []
        let clock = ContinuousClock()
        for _ in 0..<rounds {
            let call = generator.below(16)
            let begun = clock.now
            do throws(AudioError) {
                switch call {
                case 0: try processor.arm(deadline: .seconds(20))
                case 1, 2: try processor.start(preRoll: .milliseconds(generator.below(300)), deadline: .seconds(20))
                case 3: try processor.pause()
                case 4: try processor.resume()
                case 5, 6:
                    let recording = try processor.stop(deadline: .seconds(20))
                    let held = recording.withBytes { $0.byteCount }
                    if held != recording.byteCount { faults.append("\(held) bytes of \(recording.byteCount)") }
                case 7: if generator.below(4) == 0 { processor.cleanup(deadline: .seconds(20)) }
                case 8: processor.forceCleanupBuffers()
                case 9: if listeners.count < 3 { try listeners.append(processor.subscribe(chunks: 4)) }
                case 10: if !listeners.isEmpty { listeners.removeLast() }
                case 11: _ = try listeners.last?.next(timeout: .milliseconds(1))
                case 12: listeners.randomElement(using: &generator)?.cancel()
                case 13:
                    let usage = processor.memoryUsage
                    if usage.allocatedBytes > usage.allocationLimitBytes || usage.bufferSize > usage.maxBufferSize {
                        faults.append("\(usage)")
                    }
                case 14: _ = (processor.state, processor.level, processor.statistics, processor.recordingDuration)
                default: _ = (processor.recordingStartTime, processor.captureReport, processor.quarantinedThreadCount)
                }
            } catch {
                if !known.contains(error.code) { faults.append("call \(call): \(error)") }
            }
            let took = clock.now - begun
            if took > .seconds(30) { faults.append("call \(call) took \(took)") }
        }
        return faults
    }
}
