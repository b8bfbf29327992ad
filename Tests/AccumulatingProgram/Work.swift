import Glibc
import VoiceAudioCore
import VoiceAudioMemory

/// What a model says of a segment.
struct Transcript: Codable, Sendable, Equatable {
    let segment: Int
    let text: String

    /// Some 4 KiB, different for each segment.
    init(segment: Int) {
        self.segment = segment
        text = String(repeating: "segment \(segment) was heard; ", count: 4096 / (20 + "\(segment)".utf8.count))
    }
}

/// One second of speech: every page of it is written.
func capturedAudio(_ segment: Int) -> [Int16] { [Int16](repeating: Int16(truncatingIfNeeded: segment), count: 16_000) }

/// Keeps each transcript and the audio that it was made of.
func transcribeAccumulating(_ segmentCount: Int) {
    var audio: [[Int16]] = []
    var transcripts: [Transcript] = []
    for segment in 0..<segmentCount {
        audio.append(capturedAudio(segment))
        transcripts.append(Transcript(segment: segment))
    }
    check(transcripts.enumerated().allSatisfy { $0.element == Transcript(segment: $0.offset) })
    check(audio.count == segmentCount)
}

/// Works in batches as large as the memory allows, lets the audio of each go, and leaves the transcripts to a collector.
func transcribeGoverned(_ segmentCount: Int) throws {
    try withMemoryGovernance(of: Transcript.self) { monitor, results in
        var next = 0
        while next < segmentCount {
            let segmentBytes = try monitor.estimateRequirements(duration: .seconds(1), format: .speech).peakBytes
            let size = monitor.recommendedBatchSize(normal: 64, itemBytes: segmentBytes)
            let batch = next..<min(segmentCount, next + size)
            waitUntilAllowed(batch.count * segmentBytes, monitor)
            let audio = batch.map(capturedAudio)
            for segment in batch { try results.append(Transcript(segment: segment)) }
            check(audio.count == batch.count)
            next = batch.upperBound
        }
        check(results.count == segmentCount)
        for (segment, result) in results.enumerated() { check(try result.get() == Transcript(segment: segment)) }
        print("read back \(results.count), \(results.spilledByteCount) bytes of them from disk, at \(monitor.level)")
    }
}

/// Lets the clean-up that is under way do its work; gives up after ten seconds.
private func waitUntilAllowed(_ byteCount: Int, _ monitor: MemoryPressureMonitor) {
    for _ in 0..<1000 {
        if monitor.canProceed("transcription", estimatedBytes: byteCount).isAllowed { return }
        usleep(10_000)
    }
    print(monitor.canProceed("transcription", estimatedBytes: byteCount))
    exit(2)
}

private func check(_ isRight: Bool) {
    guard !isRight else { return }
    print("what was read back is not what was put in")
    exit(3)
}
