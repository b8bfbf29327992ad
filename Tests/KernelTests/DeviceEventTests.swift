import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// Cards go, stall, sleep and come back.
    @Suite struct DeviceEventTests {
        static let cards = ["Loopback", "Dummy", "HDA", "Mic"]

        /// Captures until `isEnough` says so; throws what the capture fails with, as it does when the card goes.
        ///
        /// - Returns: The losses told.
        private func capture(
            from card: String, until isEnough: (AudioChunk) throws -> Bool
        ) async throws -> [AudioLoss] {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.device = "hw:CARD=\(card)"
            configuration.recovery = .fail
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            var losses: [AudioLoss] = []
            for try await chunk in chunks {
                if let loss = chunk.lossBefore { losses.append(loss) }
                if try isEnough(chunk) { return losses }
            }
            throw KernelGuest.Failure(description: "the capture ended")
        }

        @Test(arguments: cards) func anUnpluggedCardIsLostAtOnceAndCanComeBack(card: String) async throws {
            var unplugged: ContinuousClock.Instant?
            let error = await #expect(throws: AudioError.self) {
                try await capture(from: card) { chunk in
                    if chunk.sequenceNumber == 5 {
                        try KernelGuest.run("card-unplug \(card)")
                        unplugged = .now
                    }
                    return false
                }
            }
            let isLost = error?.code == .deviceLost
            #expect(isLost, "\(String(describing: error))")
            #expect(try #require(unplugged).duration(to: .now) < .seconds(1))
            try KernelGuest.run("card-plug \(card)")
            #expect(try await capture(from: card) { $0.sequenceNumber == 5 }.isEmpty)
        }

        @Test func aStalledCardGoesOnWhenItDoes() async throws {
            var numbers: (first: Int, newest: Int)?
            var delivered = 0
            let losses = try await capture(from: "Mic") { chunk in
                let number = try #require(FrameNumbers(chunk.bytes).first)
                numbers = (numbers?.first ?? number, number)
                if chunk.sequenceNumber == 5 {
                    try KernelGuest.run("sh -c 'card-stall Mic; sleep 3; card-stall Mic'")
                }
                if chunk.sequenceNumber >= 40 { return true }
                delivered += chunk.frameCount
                return false
            }
            let captured = try #require(numbers)
            let lost = captured.newest - captured.first - delivered
            print("stalled for 3 s: lost \(lost), told \(losses)")
            #expect(lost > 2 * 48_000)
        }

        /// snd-dummy counts from a new beginning when it resumes, which the kernel takes for frames: it only has to go on.
        @Test(arguments: cards) func aSuspendedCardGoesOn(card: String) async throws {
            var first: AudioChunk?
            var newest: AudioChunk?
            let losses = try await capture(from: card) { chunk in
                if chunk.sequenceNumber == 5 { try KernelGuest.run("sound-suspend 2") }
                first = first ?? chunk
                newest = chunk
                return chunk.sequenceNumber >= 40
            }
            let (begin, end) = (try #require(first), try #require(newest))
            let elapsed = begin.captureTime.duration(to: end.captureTime) / .seconds(1)
            let surplus = end.framePosition - begin.framePosition - Int(elapsed * 48_000)
            print("\(card) suspended for 2 s: told \(losses); delivered + lost - elapsed = \(surplus)")
            guard card != "Dummy" else { return }
            #expect(losses.contains { $0.cause == .deviceGap })
            // Twenty milliseconds, a fifth of a period here: the emulated HDA takes half of that to report where it is.
            #expect(abs(surplus) <= 960)
        }
    }
}
