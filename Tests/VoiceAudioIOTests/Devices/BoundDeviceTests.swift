import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// A name keeps its card, whatever number and id that has later.
@Suite struct BoundDeviceTests {
    private func microphone(_ index: Int, id: String, serial: String?, port: String = "0000:00:14.0-1") -> SoundCard {
        SoundCard(
            index: index,
            identity: CardIdentity(
                cardID: id, bus: .usb, path: port,
                usb: USBIdentity(vendorID: "1d6b", productID: "0101", serial: serial)),
            name: id, pcms: [CardPCM(device: 0, name: "", capture: .init())])
    }

    private func bound(_ name: String, to card: SoundCard, among cards: [SoundCard]) -> BoundDevice {
        var device = BoundDevice(name)
        device.bind(toCard: card.index, among: cards)
        return device
    }

    @Test(arguments: [
        ("hw:1,0", "hw:Mic_1,0"), ("hw:1", "hw:Mic_1"), ("plughw:Mic,0", "plughw:Mic_1,0"),
        ("hw:CARD=Mic,DEV=0", "hw:CARD=Mic_1,DEV=0"), ("hw:DEV=0,CARD=Mic", "hw:DEV=0,CARD=Mic_1"),
        ("plug:'hw:1,0'", "plug:'hw:Mic_1,0'"), ("plug:\"dsnoop:CARD=1\"", "plug:\"dsnoop:CARD=Mic_1\""),
        ("front:CARD=Mic,DEV=0", "front:CARD=Mic_1,DEV=0"),
    ])
    func theCardIsFoundByItsIdentity(name: String, later: String) throws {
        let mine = microphone(1, id: "Mic", serial: "A")
        let device = bound(name, to: mine, among: [mine])
        #expect(try device.present(among: [mine]) == later.replacing("Mic_1", with: "Mic"))
        // Another card came first and has its number and id.
        let other = microphone(1, id: "Mic", serial: "B")
        let moved = microphone(4, id: "Mic_1", serial: "A", port: "0000:00:14.0-3")
        #expect(try device.present(among: [other, moved]) == later)
    }

    @Test func aCardThatIsNotThereIsNotReplacedByAnother() {
        let mine = microphone(1, id: "Mic", serial: "A")
        let device = bound("hw:1", to: mine, among: [mine])
        let other = microphone(1, id: "Mic", serial: "B")
        let error = #expect(throws: AudioError.self) { try device.present(among: [other]) }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.message.contains("usb:1d6b:0101,serial=A") == true)
        #expect(throws: AudioError.self) { try device.present(among: []) }
    }

    @Test func ofTwoThatAreAlikeTheOneInTheSameSocketIsMeant() throws {
        let mine = microphone(1, id: "Mic", serial: nil, port: "0000:00:14.0-1")
        let device = bound("hw:1", to: mine, among: [mine])
        let twin = microphone(1, id: "Mic", serial: nil, port: "0000:00:14.0-2")
        let moved = microphone(2, id: "Mic_1", serial: nil, port: "0000:00:14.0-1")
        #expect(try device.present(among: [twin, moved]) == "hw:Mic_1")
        // Alone it may have another socket.
        #expect(try device.present(among: [twin]) == "hw:Mic")
    }

    /// `default` means what it means at each open; a name of the user's own hides its card; one by identity is resolved.
    @Test(arguments: ["default", "mine", "pulse", "plug:mine"]) func namesWithoutACardStayAsTheyAre(name: String) throws
    {
        let mine = microphone(1, id: "Mic", serial: "A")
        var device = BoundDevice(name)
        device.bind(toCard: 1, among: [mine])
        #expect(try device.present(among: []) == name)
    }

    @Test func aNameByIdentityIsResolvedAnew() throws {
        let mine = microphone(1, id: "Mic", serial: "A")
        let device = bound("usb:1d6b:0101,serial=A,hw", to: mine, among: [mine])
        #expect(try device.present(among: [mine]) == "hw:CARD=Mic,DEV=0")
        #expect(try device.present(among: [microphone(7, id: "Other", serial: "A")]) == "hw:CARD=Other,DEV=0")
    }
}
