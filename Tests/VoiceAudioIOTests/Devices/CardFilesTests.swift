import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Cards read from the files that a real kernel wrote for them.
@Suite struct CardFilesTests {
    private let rates = [16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000]

    @Test func allCardsAreListedWithTheirIdentity() throws {
        try withCardTree { tree in
            try tree.addAll()
            let cards = tree.cards
            #expect(cards.map(\.index) == [0, 1, 2, 3, 4])
            #expect(
                cards.map(\.identity) == [
                    CardIdentity(cardID: "Loopback", bus: .platform, path: "snd_aloop.0"),
                    CardIdentity(cardID: "Dummy", bus: .platform, path: "snd_dummy.0"),
                    CardIdentity(cardID: "HDA", bus: .pci, path: "0000:01:00.0"),
                    CardIdentity(
                        cardID: "USB", bus: .usb, path: "0000:00:03.0-1",
                        usb: USBIdentity(vendorID: "46f4", productID: "0002", serial: "1-0000:00:03.0-1")),
                    CardIdentity(
                        cardID: "Mic", bus: .usb, path: "vhci_hcd.0-1",
                        usb: USBIdentity(vendorID: "1d6b", productID: "0101", serial: "1")),
                ])
            #expect(
                cards.map(\.stableName) == [
                    "platform:snd_aloop.0", "platform:snd_dummy.0", "pci:0000:01:00.0", nil, "usb:1d6b:0101,serial=1",
                ])
            #expect(cards.map(\.name) == ["Loopback", "Dummy", "HDA Intel", "QEMU USB Audio", "Numbered frames"])
            #expect(cards.map(\.driver) == ["Loopback", "Dummy", "HDA-Intel", "USB-Audio", "USB-Audio"])
            #expect(cards[2].longName == "HDA Intel at 0xfe400000 irq 29")
        }
    }

    @Test func pcmsAndNativeFormatsAreToldWithoutOpening() throws {
        try withCardTree { tree in
            try tree.addAll()
            let cards = tree.cards
            let eight = CardPCM.Direction(subdeviceCount: 8)
            #expect(
                cards[0].pcms
                    == [0, 1].map { CardPCM(device: $0, name: "Loopback PCM", capture: eight, playback: eight) })
            let analog = CardPCM.Direction(
                subdeviceCount: 1,
                nativeFormats: [NativeFormat(sampleFormats: ["S16_LE"], channelCount: 2, ratesHz: rates)])
            #expect(cards[2].pcms == [CardPCM(device: 0, name: "Generic Analog", capture: analog, playback: analog)])
            let stereo = NativeFormat(sampleFormats: ["S16_LE"], channelCount: 2, ratesHz: [48_000])
            #expect(cards[3].pcms.map(\.playback?.nativeFormats) == [[stereo]])
            #expect(cards[3].capturingPCMs.isEmpty)
            let format = try #require(cards[4].pcms.first?.capture?.nativeFormats?.first)
            #expect(format.description == "16000, 44100, 48000 Hz, 2 ch, S16_LE")
        }
    }

    @Test func aCapturingUSBCardMayHaveManySettings() {
        let text = """
            Maker Thing at usb-0000:00:14.0-2.1, high speed : USB Audio #1

            Playback:
              Status: Running
                Interface = 1
                Altset = 1
                Packet Size = 400
                Momentary freq = 48000 Hz (0x6.0000)
              Interface 1
                Altset 1
                Format: S16_LE
                Channels: 2
                Rates: 48000
            Capture:
              Status: Stop
              Interface 2
                Altset 1
                Format: S24_3LE S16_LE
                Channels: 1
                Endpoint: 0x82 (2 IN) (ASYNC)
                Rates: 8000 - 96000 (continuous)
              Interface 2
                Altset 2
                Format: S32_LE
                Channels: 8
                Rates: 96000, 48000
              Interface 2
                Altset 3
                Format: S32_LE
                Rates: 192000
            """
        let formats = NativeFormatFiles.usbStream(text)
        #expect(formats.playback == [NativeFormat(sampleFormats: ["S16_LE"], channelCount: 2, ratesHz: [48_000])])
        // The last setting does not tell its channels.
        #expect(
            formats.capture == [
                NativeFormat(
                    sampleFormats: ["S24_3LE", "S16_LE"], channelCount: 1, ratesHz: [8000, 96_000], isContinuous: true),
                NativeFormat(sampleFormats: ["S32_LE"], channelCount: 8, ratesHz: [48_000, 96_000]),
            ])
        #expect(formats.capture[0].description == "8000 to 96000 Hz, 1 ch, S24_3LE, S16_LE")
    }

    @Test func hdaNodesWithoutTheirOwnRatesHaveTheCodecs() {
        let text = """
            Default PCM:
                rates [0x60]: 44100 48000
                bits [0xe]: 16 20 24
                formats [0x5]: PCM AC3
            Default Amp-In caps: N/A
            Node 0x08 [Audio Input] wcaps 0x100511: Mono
              Device: name="ALC Alt, "x"", type="Audio", device=2
            Node 0x09 [Audio Input] wcaps 0x100511: 6-Channels
              Device: name="ALC Digital", type="SPDIF", device=1
              PCM:
                rates [0x10]: 32000
                bits [0x8]: 24
                formats [0x2]: FLOAT
            Node 0x0a [Audio Input] wcaps 0x100511: Stereo
            """
        let formats = NativeFormatFiles.hdaCodec(text)
        let common = NativeFormat(sampleFormats: ["S16_LE", "S32_LE"], channelCount: 1, ratesHz: [44_100, 48_000])
        let own = NativeFormat(sampleFormats: ["FLOAT_LE"], channelCount: 6, ratesHz: [32_000])
        #expect(formats.mapValues(\.capture) == [2: [common], 1: [own]])
    }

    @Test func whereProcIsHiddenTheControlTellsTheNames() throws {
        try withCardTree { tree in
            try tree.addAll()
            try tree.remove("proc")
            let cards = CardFiles(roots: tree.roots).cards { index in
                index == 4 ? CardFiles.Names(driver: "USB-Audio", name: "Numbered", longName: "Long") : nil
            }
            #expect(cards.map(\.name) == ["Loopback", "Dummy", "HDA", "USB", "Numbered"])
            #expect(cards[4].capturingPCMs == [CardPCM(device: 0, name: "", capture: CardPCM.Direction())])
            #expect(cards[4].stableName == "usb:1d6b:0101,serial=1")
        }
    }

    @Test func noKernelFilesAreNoCards() throws {
        try withCardTree { #expect($0.cards == []) }
    }

    @Test func namesCannotCommandATerminal() throws {
        try withCardTree { tree in
            var card = FixtureCard.microphone
            card.name = "Mic\u{1B}[2J\u{9B}"
            try tree.add(card, at: 0)
            try tree.write("1\u{7}\n", "sys/devices/platform/vhci_hcd.0/usb1/1-1/serial")
            try tree.write(
                " 0 [Mic            ]: USB-Audio - Mic\u{1B}[2J\u{9B}\n                      Long\u{8}\n",
                "proc/asound/cards")
            let read = try #require(tree.cards.first)
            #expect(read.name == "Mic[2J")
            #expect(read.longName == "Long")
            #expect(read.identity.usb?.serial == "1")
        }
    }

    /// Damaged, cut off and huge files give less, never a crash.
    @Test func damagedFilesDoNoHarm() throws {
        let seed = SeededGenerator.freshSeed()
        var generator = SeededGenerator(seed: seed)
        let cardsFile = " 4 [Mic            ]: USB-Audio - Numbered\n                      Long\n"
        for _ in 0..<2000 {
            for text in [FixtureCard.stream, FixtureCard.codec, cardsFile] {
                var bytes = Array(text.utf8)
                if generator.below(2) == 0 { bytes.removeLast(generator.below(bytes.count)) }
                for _ in 0..<generator.below(20) where !bytes.isEmpty {
                    bytes[generator.below(bytes.count)] = UInt8(generator.below(256))
                }
                let damaged = String(decoding: bytes, as: UTF8.self)
                let usb = NativeFormatFiles.usbStream(damaged)
                let hda = NativeFormatFiles.hdaCodec(damaged).values
                for format in [usb].flatMap({ $0.capture + $0.playback }) + hda.flatMap({ $0.capture + $0.playback }) {
                    #expect(!format.ratesHz.isEmpty && format.channelCount > 0, "VOICEAUDIO_TEST_SEED=\(seed)")
                }
                _ = CardFiles.names(inCards: damaged)
            }
        }
    }

    @Test func hugeFilesAreReadInPart() throws {
        try withCardTree { tree in
            try tree.add(.microphone, at: 0)
            let line = "        Altset 1\n        Format: S16_LE\n        Channels: 2\n        Rates: 16000"
            let settings = (0..<20_000).map { "\(line), \($0 + 20_000)\n" }.joined()
            try tree.write("Capture:\n" + settings, "proc/asound/card0/stream0")
            try tree.write(String(repeating: "x", count: 1 << 20), "proc/asound/card0/id")
            let card = try #require(tree.cards.first)
            #expect(card.pcms.first?.capture?.nativeFormats?.count == 256)
            #expect(
                KernelFiles.text(ofFile: "\(tree.root)/proc/asound/card0/id", limit: 10_000)?.utf8.count == 10_000)
        }
    }
}
