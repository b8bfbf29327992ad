import Testing
import VoiceAudioCore

/// Three threads on one ring, under every rule. For ThreadSanitizer: in release, with
/// `TSAN_OPTIONS=ignore_interceptors_accesses=0`.
@Suite(.serialized, .timeLimit(.minutes(3))) struct RingStressTests {
    static let policies: [OverflowPolicy] = [
        .uniform(.dropOldest), .uniform(.dropNewest), .uniform(.keepNewestHalf), .uniform(.block(.seconds(30))),
        .original, OverflowPolicy(atChunkCap: .keepNewestHalf, atByteCap: .block(.seconds(30))),
    ]

    #if DEBUG
        private static let chunkCount = 8_000
    #else
        private static let chunkCount = 150_000
    #endif

    @Test(arguments: policies) func inPlace(_ overflow: OverflowPolicy) throws {
        try RingStress(overflow: overflow, wraps: false, chunkCount: Self.chunkCount).run()
    }

    @Test(arguments: policies) func wrapping(_ overflow: OverflowPolicy) throws {
        try RingStress(overflow: overflow, wraps: true, chunkCount: Self.chunkCount).run()
    }
}
