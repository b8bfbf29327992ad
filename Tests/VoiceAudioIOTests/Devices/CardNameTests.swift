import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Devices named by their card's identity.
@Suite struct CardNameTests {
    private func microphone(
        _ index: Int, _ id: String, serial: String? = nil, port: String, devices: [Int] = [0]
    ) -> SoundCard {
        SoundCard(
            index: index,
            identity: CardIdentity(
                cardID: id, bus: .usb, path: port,
                usb: USBIdentity(vendorID: "0d8c", productID: "0014", serial: serial)),
            name: "USB PnP",
            pcms: devices.map { CardPCM(device: $0, name: "", capture: CardPCM.Direction()) })
    }

    private func listed(_ cards: [SoundCard]) -> [SoundCard] {
        var cards = cards
        for index in cards.indices { cards[index].stableName = CardName.stableName(of: cards[index], among: cards) }
        return cards
    }

    @Test(arguments: [
        "usb:0d8c:0014", "usb:0d8c:0014,serial=A1", "usb:0d8c:0014,serial=A%2C%20b%25,port=0000:00:14.0-2.1",
        "usb:0d8c:0014,dev=1,hw", "pci:0000:00:1f.3", "pci:0000:00:1f.3,dev=2", "platform:snd_aloop.0,hw",
    ])
    func aNameIsReadAndWritten(name: String) throws { #expect(try CardName(name).description == name) }

    @Test(arguments: [
        "usb:", "usb:0d8c", "usb:0d8c:001", "usb:0d8c:00145", "usb:xd8c:0014", "usb:0d8c:0014,", "usb:0d8c:0014,serial",
        "usb:0d8c:0014,serial=", "usb:0d8c:0014,serial=%4", "usb:0d8c:0014,serial=%zz", "usb:0d8c:0014,dev=-1",
        "usb:0d8c:0014,dev=x", "usb:0d8c:0014,hw=1", "usb:0d8c:0014,hw,hw", "usb:0d8c:0014,dev=1,dev=2",
        "usb:0d8c:0014,port=a,port=b", "pci:", "pci:0000:00:1f.3,serial=1", "platform:,hw", "usb:０d8:0014",
    ])
    func whatIsNoNameIsRefused(name: String) {
        #expect(!ALSASource.isWellFormed(name))
        let error = #expect(throws: AudioError.self) { try CardName.resolve(name, []) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("\"\(name)\"") == true)
        #expect(error?.message.contains("usb:VENDOR:PRODUCT") == true)
    }

    @Test(arguments: ["default", "hw:CARD=Mic,DEV=0", "usb", "pulse", "plughw:1", "pcix:1"])
    func otherNamesAreALSAs(name: String) throws {
        #expect(ALSASource.isWellFormed(name))
        #expect(try CardName.resolve(name, []) == name)
    }

    /// Two microphones of a kind swap ids and numbers: each name goes with its own.
    @Test func aNameStaysWithItsCard() throws {
        let before = listed([
            microphone(1, "Device", serial: "A", port: "14.0-1"),
            microphone(2, "Device_1", serial: "B", port: "14.0-2"),
        ])
        let after = listed([
            microphone(1, "Device", serial: "B", port: "14.0-2"),
            microphone(2, "Device_1", serial: "A", port: "14.0-1"),
        ])
        #expect(before.map(\.stableName) == ["usb:0d8c:0014,serial=A", "usb:0d8c:0014,serial=B"])
        for name in ["usb:0d8c:0014,serial=A", "usb:0D8C:0014,port=14.0-1"] {
            #expect(try CardName.resolve(name, before) == "plughw:CARD=Device,DEV=0")
            #expect(try CardName.resolve(name, after) == "plughw:CARD=Device_1,DEV=0")
        }
    }

    @Test func aStableNameIsAsLongAsItHasToBe() {
        let alone = listed([microphone(0, "Device", port: "14.0-1")])
        #expect(alone.map(\.stableName) == ["usb:0d8c:0014"])
        let equal = listed([
            microphone(0, "Device", serial: "0", port: "14.0-1"),
            microphone(1, "Device_1", serial: "0", port: "14.0-2"),
        ])
        #expect(
            equal.map(\.stableName) == ["usb:0d8c:0014,serial=0,port=14.0-1", "usb:0d8c:0014,serial=0,port=14.0-2"])
        // Nothing that tells them apart but ALSA's id.
        let twins = listed([microphone(0, "Device", port: "x"), microphone(1, "Device_1", port: "x")])
        #expect(twins.map(\.stableName) == ["plughw:CARD=Device", "plughw:CARD=Device_1"])
        var software = twins[0]
        software.identity = CardIdentity(cardID: "Virtual")
        #expect(listed([software]).map(\.stableName) == ["plughw:CARD=Virtual"])
        software.pcms = [CardPCM(device: 0, name: "", playback: CardPCM.Direction())]
        #expect(listed([software]).map(\.stableName) == [nil])
    }

    @Test func severalCardsAreAnErrorThatNamesThem() {
        let cards = listed([microphone(0, "Device", port: "14.0-1"), microphone(1, "Device_1", port: "14.0-2")])
        let error = #expect(throws: AudioError.self) { try CardName.resolve("usb:0d8c:0014", cards) }
        #expect(error?.code == .invalidConfiguration)
        #expect(
            error?.message
                == "\"usb:0d8c:0014\" means 2 sound cards: name one of them: usb:0d8c:0014,port=14.0-1 (Device, USB PnP), "
                + "usb:0d8c:0014,port=14.0-2 (Device_1, USB PnP)")
    }

    @Test func noCardIsAnErrorThatNamesWhatThereIs() {
        let cards = listed([microphone(0, "Device", port: "14.0-1")])
        let error = #expect(throws: AudioError.self) { try CardName.resolve("usb:1111:2222", cards) }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.message == "no sound card is \"usb:1111:2222\"; there are: usb:0d8c:0014 (Device, USB PnP)")
        let none = #expect(throws: AudioError.self) { try CardName.resolve("usb:1111:2222", []) }
        #expect(none?.message == "no sound card is \"usb:1111:2222\"; there is none with a microphone")
    }

    @Test func aCardThatOnlyPlaysIsAnError() {
        var card = microphone(0, "Speaker", port: "14.0-1", devices: [])
        card.pcms = [CardPCM(device: 0, name: "", playback: CardPCM.Direction())]
        let error = #expect(throws: AudioError.self) { try CardName.resolve("usb:0d8c:0014", listed([card])) }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.message == "\"usb:0d8c:0014\" is Speaker (USB PnP), which only plays")
        // A headset is often two cards: the one that captures is meant.
        let both = listed([card, microphone(1, "Mic", port: "14.0-2")])
        #expect(throws: Never.self) { try CardName.resolve("usb:0d8c:0014", both) }
    }

    @Test func aPCMIsNamedByItsNumber() throws {
        let cards = listed([microphone(0, "Device", port: "14.0-1", devices: [1, 3])])
        #expect(try CardName.resolve("usb:0d8c:0014", cards) == "plughw:CARD=Device,DEV=1")
        #expect(try CardName.resolve("usb:0d8c:0014,dev=3,hw", cards) == "hw:CARD=Device,DEV=3")
        let error = #expect(throws: AudioError.self) { try CardName.resolve("usb:0d8c:0014,dev=0", cards) }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.message == "\"usb:0d8c:0014,dev=0\": Device (USB PnP) captures by dev=1, dev=3")
    }

    /// Whatever a device calls itself, its name leads back to it.
    @Test(arguments: ["a,b=c", "%41", "Ünï", "1 2", "$(x)", "a/b:c@d", "\"'"])
    func anySerialNumberCanBeNamed(serial: String) throws {
        let cards = listed([microphone(0, "A", serial: serial, port: "1"), microphone(1, "B", serial: "-", port: "2")])
        let name = try #require(cards[0].stableName)
        #expect(name.utf8.allSatisfy { !" $\"'()".utf8.contains($0) && $0 < 0x7F })
        #expect(try CardName.resolve(name, cards) == "plughw:CARD=A,DEV=0")
    }

    /// Each open looks anew: the second finds the card under its other id.
    @Test func openingResolvesAnew() throws {
        let script = ALSAScript {
            $0.failures["open"] = -16
            $0.cards = [microphone(1, "Device", serial: "A", port: "1")]
        }
        let source = ALSASource(device: "usb:0d8c:0014,serial=A", calls: script)
        let request = CaptureRequest(format: .speech, chunkFrameCount: 160)
        let first = #expect(throws: AudioError.self) { _ = try source.open(request, in: CaptureEnvironment()) }
        #expect(first?.message.contains("plughw:CARD=Device,DEV=0") == true)
        script.script.withLock { $0.cards = [microphone(3, "Device_1", serial: "A", port: "1")] }
        let second = #expect(throws: AudioError.self) { _ = try source.open(request, in: CaptureEnvironment()) }
        #expect(second?.message.contains("plughw:CARD=Device_1,DEV=0") == true)
        script.script.withLock { $0.cards = [] }
        let third = #expect(throws: AudioError.self) { _ = try source.open(request, in: CaptureEnvironment()) }
        #expect(third?.code == .noSuchDevice)
        #expect(script.count("open") == 2)
    }
}
