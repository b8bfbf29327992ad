// Follows the microphone for three seconds, chunk by chunk, and says how loud each was and what was lost.
//
//     swift run FollowLive
//
// VOICE_AUDIO_DEVICE=sim: stands in for a microphone.
import VoiceAudio

@main
struct FollowLive {
    static func main() async throws {
        let configuration = try AudioConfiguration(environment: .process)
        guard configuration.sampleFormat == .s16 else { fatalError("this example reads s16: unset VOICE_AUDIO_FORMAT") }
        let processor = try AudioProcessor(configuration: configuration)
        defer { processor.cleanup() }
        // Before the microphone opens, so that the first chunk is among them. A listener that falls behind loses its
        // oldest chunks, and nobody else does.
        let chunks = processor.chunks(bounded: 50, overflow: .uniform(.dropOldest))
        try await processor.arm()

        var frameCount = 0
        for try await chunk in chunks {
            if let loss = chunk.lossBefore { print("lost \(loss)") }
            print(chunk.framePosition, bar(peak: chunk.withSamples(as: Int16.self, peak)))
            frameCount += chunk.frameCount
            if frameCount >= 3 * configuration.sampleRateHz { break }
        }
        print("\(frameCount) frames; the history holds \(processor.memoryUsage.memoryUsageBytes) bytes")
    }

    /// The largest magnitude, read in place.
    static func peak(_ samples: Span<Int16>) -> Int {
        var peak = 0
        for index in samples.indices { peak = max(peak, Int(samples[index].magnitude)) }
        return peak
    }

    static func bar(peak: Int) -> String { String(repeating: "▪", count: peak * 60 / 32_768) }
}
