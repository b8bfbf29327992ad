import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// Cards go, stall, sleep and come back.
    @Suite struct DeviceEventTests {
        /// Captures until `stop` says so; throws what the capture fails with.
        private func capture(
            _ configuration: AudioConfiguration, until stop: (AudioChunk) throws -> Bool
        ) async throws -> [AudioLoss] {
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            var losses: [AudioLoss] = []
            for try await chunk in chunks {
                if let loss = chunk.lossBefore { losses.append(loss) }
                if try stop(chunk) { return losses }
            }
            throw KernelGuest.Failure(description: "the capture ended")
        }

        @Test(arguments: ["Mic", "HDA"]) func anUnpluggedCardIsLostAtOnce(card: String) async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.device = "hw:CARD=\(card)"
            var unplugged: ContinuousClock.Instant?
            do {
                _ = try await capture(configuration) { chunk in
                    if unplugged == nil, chunk.sequenceNumber == 5 {
                        try KernelGuest.run("card-unplug \(card)")
                        unplugged = .now
                    }
                    return false
                }
            } catch let error as AudioError {
                #expect(error.code == .deviceLost, "\(error)")
                #expect(try #require(unplugged).duration(to: .now) < .seconds(1))
            }
            #expect(unplugged != nil)
        }

        @Test func aCardThatComesBackCanBeCapturedFrom() async throws {
            if !FileManager.default.fileExists(atPath: "/proc/asound/Mic") { try KernelGuest.run("card-plug Mic") }
            let losses = try await capture(.microphone()) { $0.sequenceNumber == 5 }
            #expect(losses.isEmpty)
        }

        @Test func aStalledCardIsWaitedForAndGoesOn() async throws {
            var before = 0
            var numbers: FrameNumbers?
            let losses = try await capture(.microphone()) { chunk in
                if chunk.sequenceNumber == 5 {
                    before = try #require(FrameNumbers(chunk.bytes).last)
                    try KernelGuest.run("sh -c 'card-stall Mic; sleep 3; card-stall Mic'")
                }
                numbers = FrameNumbers(chunk.bytes)
                return chunk.sequenceNumber >= 40
            }
            print("stalled for 3 s, told:", losses, "last number before:", before, "in the end:", numbers?.last ?? 0)
        }

        @Test(arguments: ["Mic", "HDA", "Dummy", "CARD=Loopback,DEV=1"]) func asuspendedCardGoesOn(card: String) async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.device = card.contains("=") ? "hw:\(card)" : "hw:CARD=\(card)"
            let losses = try await capture(configuration) { chunk in
                if chunk.sequenceNumber == 5 { try KernelGuest.run("sound-suspend 2") }
                return chunk.sequenceNumber >= 40
            }
            print("\(card) suspended for 2 s, told:", losses)
            #expect(losses.allSatisfy { $0.cause == .deviceGap || $0.cause == .deviceOverrun })
        }
    }
}
