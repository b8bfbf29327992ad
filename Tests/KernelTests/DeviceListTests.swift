import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    @Suite struct DeviceListTests {
        @Test func theCardsAreListed() throws {
            let cards = Set(try CaptureDevices.list().compactMap(\.cardID))
            #expect(cards.isSuperset(of: ["Loopback", "Dummy", "HDA", "Mic"]))
            let json = try KernelGuest.run("voice-audio devices --json")
            #expect(json.contains("\"hw:CARD=Mic,DEV=0\""))
        }
    }
}
