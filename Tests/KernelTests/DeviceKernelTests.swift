import Foundation
import TestSupport
import Testing
import VoiceAudio

extension KernelTests {
    /// Cards as the kernel tells of them, and as they come and go.
    @Suite struct DeviceKernelTests {
        private let all = ["Loopback", "Dummy", "HDA", "USB", "Mic"]

        @Test func theToolListsFiveCardsWithTheirIdentity() throws {
            let text = try KernelGuest.run("voice-audio devices --json")
            let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
            let cards = try #require(json["cards"] as? [[String: Any]])
            let identities = cards.compactMap { $0["identity"] as? [String: Any] }
            #expect(identities.map { $0["card_id"] as? String } == all)
            #expect(identities.map { $0["bus"] as? String } == ["platform", "platform", "pci", "usb", "usb"])
            #expect(identities.allSatisfy { ($0["path"] as? String)?.isEmpty == false })
            let devices = try #require(json["devices"] as? [[String: Any]])
            #expect(devices.contains { $0["name"] as? String == "hw:CARD=Mic,DEV=0" })
            #expect(devices.contains { ($0["stable_name"] as? String)?.hasPrefix("usb:1d6b:0101") == true })
        }

        @Test func identityAndNativeFormatsAreToldWithoutOpening() throws {
            let cards = Dictionary(uniqueKeysWithValues: CaptureDevices.cards().map { ($0.id, $0) })
            let microphone = try #require(cards["Mic"])
            #expect(microphone.identity.usb?.vendorID == "1d6b")
            #expect(microphone.identity.usb?.productID == "0101")
            #expect(microphone.identity.usb?.serial?.isEmpty == false)
            #expect(microphone.identity.path == "vhci_hcd.0-1")
            let format = try #require(microphone.pcms.first?.capture?.nativeFormats?.first)
            #expect(format.sampleFormats == ["S16_LE"])
            #expect(format.channelCount == 2)
            #expect(format.ratesHz == [16_000, 44_100, 48_000])

            let codec = try #require(cards["HDA"]?.pcms.first?.capture?.nativeFormats?.first)
            #expect(codec.ratesHz.contains(48_000))
            #expect(codec.sampleFormats == ["S16_LE"])
            #expect(cards["HDA"]?.stableName == "pci:0000:00:02.0")
            #expect(cards["Dummy"]?.capturingPCMs.first?.capture?.nativeFormats == nil)
            #expect(cards["USB"]?.capturingPCMs == [])
            #expect(cards["USB"]?.stableName == nil)
        }

        @Test func theDefaultIsTheFirstCard() {
            #expect(CaptureDevices.defaultDevice().card?.id == "Loopback")
        }

        /// From when the kernel lists the card, or lists it no more, until a program that waits knows it.
        @Test(arguments: ["Mic", "Dummy", "HDA", "Loopback"])
        func aCardThatGoesAndComesIsToldWithinASecond(card: String) throws {
            let gone = try timeUntilTold("card-unplug \(card)") { change in
                guard case .removed(let removed) = change else { return false }
                return removed.id == card
            }
            #expect(gone < .seconds(1))
            let there = try timeUntilTold("card-plug \(card)") { change in
                guard case .added(let added) = change else { return false }
                return added.id == card
            }
            #expect(there < .seconds(1))
            print("\(card): told \(gone) after it went, \(there) after it came")
        }

        /// `default` is card 0, Loopback.
        @Test func anotherDefaultIsTold() throws {
            _ = try timeUntilTold("card-unplug Loopback") { $0 == .defaultChanged(.nothing) }
            _ = try timeUntilTold("card-plug Loopback") { change in
                guard case .defaultChanged(let device) = change else { return false }
                return device.card?.id == "Loopback"
            }
        }

        /// The name that the list gives opens the card again after it was away.
        @Test(arguments: ["Mic", "HDA", "Dummy"]) func aStableNameOpensTheCardAgain(card: String) async throws {
            let name = try #require(CaptureDevices.cards().first { $0.id == card }?.stableName)
            for _ in 0..<2 {
                var configuration = AudioConfiguration()
                configuration.device = name
                let processor = try AudioProcessor(configuration: configuration)
                defer { processor.cleanup() }
                let chunks = processor.chunks()
                try await processor.arm()
                for try await chunk in chunks where chunk.sequenceNumber == 2 { break }
                processor.cleanup()
                try KernelGuest.run("card-unplug \(card)")
                let error = #expect(throws: AudioError.self) {
                    _ = try ALSASource(device: name).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                }
                #expect(error?.code == .noSuchDevice)
                try KernelGuest.run("card-plug \(card)")
            }
        }

        /// Runs `command`, and has a thread wait for a change meanwhile.
        private func timeUntilTold(
            _ command: String, _ isIt: @escaping @Sendable (DeviceChange) -> Bool
        ) throws -> Duration {
            let watch = try DeviceWatch()
            defer { watch.end() }
            let told = try ThreadResult {
                while let change = try watch.next(timeout: .seconds(20)) {
                    if isIt(change) { return ContinuousClock.now }
                }
                throw KernelGuest.Failure(description: "the watch ended")
            }
            try KernelGuest.run(command)
            let done = ContinuousClock.now
            return done.duration(to: try told.value())
        }
    }
}
