import Glibc
public import VoiceAudioCore

/// Something that sound can be captured from, as ALSA lists it.
public struct CaptureDevice: Sendable, Hashable, Codable {
    /// What to open: ``ALSASource/init(device:)``, `VOICE_AUDIO_DEVICE`.
    public var name: String
    /// For people; one line.
    public var description: String
    /// The sound card's identity, which survives renumbering; `nil` where no single card stands behind.
    public var cardID: String?
    /// The sound card's name.
    public var cardName: String?
    /// The sound card's number at present.
    public var cardIndex: Int?
    /// Whether it is what `default` means.
    public var isDefault: Bool

    /// A device of the values given.
    public init(
        name: String, description: String, cardID: String? = nil, cardName: String? = nil, cardIndex: Int? = nil,
        isDefault: Bool = false
    ) {
        self.name = name
        self.description = description
        self.cardID = cardID
        self.cardName = cardName
        self.cardIndex = cardIndex
        self.isDefault = isDefault
    }
}

/// The devices to capture from.
public enum CaptureDevices {
    /// What there is now, from ALSA's hints and the sound cards' controls; no PCM is opened, so nothing is disturbed.
    ///
    /// Plugins are listed whether or not what is behind them (a sound server) is there.
    ///
    /// - Throws: `deviceFailed` or `outOfResources` where ALSA's configuration cannot be read.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: reads files.
    public static func list() throws(AudioError) -> [CaptureDevice] { try list(SystemALSACalls()) }

    package static func list(_ calls: any ALSACalls) throws(AudioError) -> [CaptureDevice] {
        let messages = ALSAMessages()
        defer { messages.end() }
        let (status, hints) = calls.deviceHints()
        guard status >= 0 else {
            throw AudioError(
                status == -ENOMEM ? .outOfResources : .deviceFailed,
                "cannot list ALSA's devices: \(AudioError.text(ofSystemStatus: -status))", status: -status)
        }
        let cards = calls.cards()
        var devices: [CaptureDevice] = []
        for hint in hints where hint.direction != "Output" {
            let id = cardID(in: hint.name).map(String.init)
            let card = cards.first { $0.id == id }
            // Of a card that only plays there are hints too.
            if let card, card.captureDevices.isEmpty { continue }
            devices.append(
                CaptureDevice(
                    name: hint.name, description: hint.description.split(separator: "\n").joined(separator: ", "),
                    cardID: card?.id, cardName: card?.name, cardIndex: card?.index, isDefault: hint.name == "default"))
        }
        for card in cards {
            for (number, name) in card.captureDevices.sorted(by: { $0.key < $1.key }) {
                let address = "CARD=\(card.id),DEV=\(number)"
                for (plugin, remark) in [("plughw", "with conversion"), ("hw", "as it is")] {
                    guard !devices.contains(where: { $0.name == "\(plugin):\(address)" }) else { continue }
                    devices.append(
                        CaptureDevice(
                            name: "\(plugin):\(address)", description: "\(card.name), \(name), \(remark)",
                            cardID: card.id, cardName: card.name, cardIndex: card.index))
                }
            }
        }
        return devices
    }

    /// `Mic` in `front:CARD=Mic,DEV=0`.
    private static func cardID(in name: String) -> Substring? {
        // Not `firstRange(of:)`: that alone links a megabyte of regular expressions into a static program.
        name.split { $0 == ":" || $0 == "," }.first { $0.hasPrefix("CARD=") }?.dropFirst("CARD=".count)
    }

    /// For an error: what could be opened instead.
    static func summary(_ calls: any ALSACalls) -> String {
        let devices = (try? list(calls)) ?? []
        let names = devices.map(\.name).filter { $0 != "null" }
        let listed = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
        guard devices.contains(where: { $0.cardID != nil }) else {
            let plugins = names.isEmpty ? "" : " (plugins: \(listed))"
            return "there is no sound card with a microphone\(plugins). \"sim:\" captures built-in speech without one"
        }
        return "there are: \(listed)"
    }
}
