import VoiceAudio

let devicesCommand = Command(
    name: "devices", summary: "Lists what can be captured from, and the sound cards, without opening them.",
    options: [
        Option("watch", help: "Print a line for each sound card that comes or goes, until Ctrl-C."),
        Option("json", help: "Print JSON; with --watch an object a line."),
    ],
    details: {
        """
        Names are for --device and VOICE_AUDIO_DEVICE; a card's STABLE NAME means the same card after each restart. Besides
        these, sim: is built-in speech, sim:FILE a sound file and sim:tone=HZ a tone; - is standard input and fd:NUMBER another
        descriptor, where raw samples or WAV come.
        """
    },
    run: { options throws(CommandFailure) in
        if options.has("watch") {
            try watchDevices(asJSON: options.has("json"))
            return
        }
        let devices: [CaptureDevice]
        do throws(AudioError) { devices = try CaptureDevices.list() } catch { throw CommandFailure(error) }
        let list = DeviceList(cards: CaptureDevices.cards(), devices: devices)
        if options.has("json") {
            try printJSON(list)
        } else {
            print(list.text)
        }
        if devices.allSatisfy({ $0.card == nil }) {
            printError("note: there is no sound card with a microphone; sim: captures built-in speech without one")
        }
    })

/// What `voice-audio devices` tells.
private struct DeviceList: Encodable {
    let cards: [SoundCard]
    let devices: [CaptureDevice]

    var text: String {
        let deviceRows = devices.map { [$0.name, $0.cardName ?? "-", $0.description] }
        let table = aligned([["NAME", "CARD", "DESCRIPTION"]] + deviceRows)
        guard !cards.isEmpty else { return table }
        let cardRows = cards.map { ["\($0.index)", $0.id, $0.stableName ?? "-", Self.native($0), $0.name] }
        return table + "\n\n" + aligned([["CARD", "ID", "STABLE NAME", "CAPTURES BY ITSELF", "NAME"]] + cardRows)
    }

    /// What the card's hardware captures.
    private static func native(_ card: SoundCard) -> String {
        let captures = card.capturingPCMs.compactMap(\.capture)
        if captures.isEmpty { return "nothing, it only plays" }
        var texts: [String] = []
        for text in captures.flatMap({ $0.nativeFormats ?? [] }).map(\.description) where !texts.contains(text) {
            texts.append(text)
        }
        return texts.isEmpty ? "not known" : texts.joined(separator: "; ")
    }
}
