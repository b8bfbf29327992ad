import TestSupport
import VoiceAudioCore
import XCTest

/// Millions of random steps against a model, for every pair of rules and caps of every kind.
final class RingModelTests: XCTestCase {
    private static let rules: [OverflowPolicy.Rule] = [.dropOldest, .dropNewest, .keepNewestHalf, .block(.zero)]

    private static let shapes: [RingAgainstModel.Shape] = [
        .init(maxChunks: 1, maxBytes: 1),
        .init(maxChunks: 1, maxBytes: 5000, chunkLimit: 1000),
        .init(maxChunks: 1, maxBytes: 4096, chunkLimit: 10_000),
        .init(maxChunks: 2, maxBytes: 7),
        .init(maxChunks: 3, maxBytes: 100, chunkLimit: 64),
        .init(maxChunks: 7, maxBytes: 1001, chunkLimit: 143, format: .speech),
        .init(maxChunks: 16, maxBytes: 4096, chunkLimit: 4096),
        .init(maxChunks: 1000, maxBytes: 64),
        .init(maxChunks: 64, maxBytes: 20_000, chunkLimit: 700),
        .init(maxChunks: 5, maxBytes: 65_536),
    ]

    func testEveryStepIsExact() throws {
        try XCTSkipIf(ProcessCounts.isThreadSanitized, "one thread: the thread sanitizer has nothing to see")
        let seed = SeededGenerator.freshSeed()
        var seeds = SeededGenerator(seed: seed)
        // One thread and the same accesses over and over: a sanitizer, with which a ring is slow to make, finds in every
        // fourth of these runs what it finds in all. Each rule and each shape has its turn.
        var run = 0
        for atChunkCap in Self.rules {
            for atByteCap in Self.rules {
                let overflow = OverflowPolicy(atChunkCap: atChunkCap, atByteCap: atByteCap)
                for shape in Self.shapes {
                    let generator = SeededGenerator(seed: seeds.next())
                    run += 1
                    if ProcessCounts.isSanitized, run % 4 > 0 { continue }
                    do {
                        try RingAgainstModel(shape, overflow: overflow, generator: generator).run(steps: 5_000)
                    } catch {
                        XCTFail("VOICEAUDIO_TEST_SEED=\(seed): \(shape), \(overflow): \(error)")
                    }
                }
            }
        }
    }
}
