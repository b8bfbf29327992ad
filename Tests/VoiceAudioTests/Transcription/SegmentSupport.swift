import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudio

/// Answers by what the test says, and counts.
struct ScriptedTranscriber: Transcriber {
    let answer: @Sendable (_ firstSample: Int16, _ attempt: Int) async throws -> String
    let needsNamedFile = false
    private let counts = Lock<[Int16: Int]>([:])
    private let running = Lock((now: 0, most: 0))

    init(_ answer: @escaping @Sendable (_ firstSample: Int16, _ attempt: Int) async throws -> String) {
        self.answer = answer
    }

    var mostAtOnce: Int { running.withLock { $0.most } }

    func transcribe(_ wav: borrowing TemporaryWAV, language: String?) async throws -> Transcript {
        running.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
        defer { running.withLock { $0.now -= 1 } }
        var sample: Int16 = -1
        // SAFETY: two bytes into a local of two.
        _ = unsafe withUnsafeMutableBytes(of: &sample) { unsafe pread(wav.descriptor, $0.baseAddress, 2, 44) }
        let attempt = counts.withLock { counts in
            counts[sample, default: 0] += 1
            return counts[sample]!
        }
        return Transcript(text: try await answer(sample, attempt), language: language)
    }
}

/// What memory allows, by hand.
final class ScriptedPacing: SegmentPacing {
    struct State {
        var refusal: String?
        var batchSize: Int?
        var asked: [Int] = []
    }
    let state = Lock(State())

    func canProceed(_ operation: String, estimatedBytes: Int) -> MemoryAdmission {
        state.withLock { state in
            state.asked.append(estimatedBytes)
            return state.refusal.map { .refused(reason: $0) } ?? .allowed
        }
    }

    func recommendedBatchSize(normal: Int, itemBytes: Int?) -> Int { state.withLock { $0.batchSize ?? normal } }
}

/// Segments whose first sample is their number.
func segments(_ count: Int) -> [TranscriptionSegment] {
    (0..<count).map { TranscriptionSegment(samples: [Int16($0), 0], format: .speech) }
}

func testOptions(_ change: (inout SegmentOptions) -> Void = { _ in }) -> SegmentOptions {
    var options = SegmentOptions()
    options.minimumFreeBytes = 0
    change(&options)
    return options
}

/// A gate that opens once.
struct Gate: Sendable {
    private let stream: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init() { (stream, end) = AsyncStream.makeStream() }

    func open() { end.finish() }

    func pass() async { for await _ in stream {} }
}
