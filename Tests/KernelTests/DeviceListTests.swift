import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// Which cards there are, what tells them apart for good, and when they come and go.
    @Suite struct DeviceListTests {
        @Test func fiveCardsAreListedWithTheirIdentity() throws {
            let cards = CaptureDevices.cards()
            #expect(cards.map(\.index) == [0, 1, 2, 3, 4])
            #expect(cards.map(\.id) == ["Loopback", "Dummy", "HDA", "USB", "Mic"])
            #expect(cards.map { $0.identity.bus } == [.platform, .platform, .pci, .usb, .usb])
            #expect(cards.map { $0.identity.usb?.serial } == [nil, nil, nil, "USB-1", "MIC-1"])
            #expect(cards.map(\.capturingPCMs.count) == [2, 1, 1, 0, 1])
            let microphone = try #require(cards.last?.capturingPCMs.first?.capture?.nativeFormats)
            #expect(microphone.map(\.sampleFormats) == [["S16_LE"]])
            #expect(microphone.map(\.channelCount) == [2])
            #expect(microphone.map(\.ratesHz) == [[16_000, 44_100, 48_000]])

            let json = try JSONSerialization.jsonObject(with: Data(KernelGuest.run("voice-audio devices --json").utf8))
            let listed = try #require((json as? [String: Any])?["cards"] as? [[String: Any]])
            #expect(listed.map { $0["stable_name"] as? String } == cards.map(\.stableName))
        }

        @Test func cardsThatComeAndGoAreToldWithinASecond() throws {
            let watch = try DeviceWatch()
            defer { watch.end() }
            for isPlugged in [true, false, true, false] {
                // The helper returns when the kernel has done it.
                try KernelGuest.run(isPlugged ? "card-plug Mic24" : "card-unplug Mic24")
                let change = try watch.next(timeout: .seconds(1))
                switch change {
                case .added(let card) where isPlugged: #expect(card.identity.usb?.serial == "MIC24-1")
                case .removed(let card) where !isPlugged: #expect(card.identity.usb?.serial == "MIC24-1")
                default: Issue.record("\(String(describing: change))")
                }
            }
        }

        /// The name by which it is found again, whatever its index and id are then.
        @Test func aCardIsOpenedByItsStableName() async throws {
            let card = try #require(CaptureDevices.cards().first { $0.id == "Mic" })
            var configuration = AudioConfiguration.microphone()
            configuration.device = try #require(card.stableName)
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            for try await chunk in chunks {
                #expect(FrameNumbers(chunk.bytes).gaps.isEmpty)
                break
            }
        }
    }
}
