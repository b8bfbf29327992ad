import Foundation
import TestSupport
import Testing
import VoiceAudio

extension KernelTests {
    /// Nothing is lost, changed or repeated between the driver and the chunks.
    @Suite struct BitExactTests {
        @Test(arguments: [16_000, 44_100, 48_000], [160, 441, 1023, 1600, 4096])
        func microphone(rate: Int, chunkFrames: Int) async throws {
            let processor = try AudioProcessor(configuration: .microphone(rate: rate, chunkFrames: chunkFrames))
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            var bytes: [UInt8] = []
            for try await chunk in chunks {
                #expect(chunk.frameCount == chunkFrames)
                #expect(chunk.framePosition == bytes.count / 4)
                #expect(chunk.lossBefore == nil)
                bytes += chunk.bytes
                if bytes.count / 4 >= rate { break }
            }
            let numbers = FrameNumbers(bytes)
            #expect(numbers.gaps.isEmpty)
            #expect(numbers.count >= rate)
        }

        /// A microphone that has nothing but three bytes and one channel.
        @Test func microphoneOf24Bits() async throws {
            try KernelGuest.run("card-plug Mic24")
            defer { _ = try? KernelGuest.run("card-unplug Mic24") }
            var configuration = AudioConfiguration.microphone(rate: 44_100, chunkFrames: 441)
            configuration.device = "hw:CARD=Mic24"
            configuration.channelCount = 1
            configuration.sampleFormat = .s24
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            var bytes: [UInt8] = []
            for try await chunk in chunks {
                bytes += chunk.bytes
                if bytes.count >= 3 * 44_100 { break }
            }
            let numbers = FrameNumbers(bytes, frameBytes: 3)
            #expect(numbers.gaps.isEmpty)
            #expect(numbers.count == 44_100)
        }

        @Test(arguments: [16_000, 44_100, 48_000], SampleFormat.allCases)
        func loopback(rate: Int, sampleFormat: SampleFormat) async throws {
            var configuration = AudioConfiguration()
            configuration.device = "hw:CARD=Loopback,DEV=1"
            configuration.sampleRateHz = rate
            configuration.channelCount = 2
            configuration.sampleFormat = sampleFormat
            let format = configuration.format

            var generator = SeededGenerator(seed: SeededGenerator.freshSeed())
            let seed = generator.seed
            var sound = [UInt8](repeating: 0, count: rate * format.bytesPerFrame)
            for index in sound.indices { sound[index] = UInt8(truncatingIfNeeded: generator.next()) }
            // Where it begins is seen.
            sound[0] = 1
            let file = "/tmp/loopback.raw"
            // Two seconds of silence behind it: what is still in the buffers at the end of playing is not captured.
            let silence = [UInt8](repeating: 0, count: 2 * sound.count)
            try Data(sound + silence).write(to: URL(fileURLWithPath: file))

            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            let names: [SampleFormat: String] = [.s16: "S16_LE", .s24: "S24_3LE", .s32: "S32_LE", .f32: "FLOAT_LE"]
            let name = try #require(names[sampleFormat])
            let player = try KernelGuest.start(
                "aplay -q -D hw:CARD=Loopback,DEV=0 -t raw -f \(name) -r \(rate) -c 2 \(file)")
            defer {
                player.terminate()
                player.waitUntilExit()
            }
            var captured: [UInt8] = []
            for try await chunk in chunks {
                #expect(chunk.lossBefore == nil)
                if captured.isEmpty {
                    guard let start = chunk.bytes.firstIndex(where: { $0 != 0 }) else { continue }
                    captured += chunk.bytes[start...]
                } else {
                    captured += chunk.bytes
                }
                if captured.count >= sound.count { break }
            }
            #expect(Data(captured.prefix(sound.count)) == Data(sound), "VOICEAUDIO_TEST_SEED=\(seed)")
        }
    }
}
