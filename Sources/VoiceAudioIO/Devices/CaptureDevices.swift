import Glibc
public import VoiceAudioCore

/// Something that sound can be captured from, as ALSA lists it.
public struct CaptureDevice: Sendable, Hashable, Codable {
    /// What to open: ``ALSASource/init(device:)``, `VOICE_AUDIO_DEVICE`.
    public var name: String
    /// For people; one line.
    public var description: String
    /// A name for the same by the card's identity, so that it is this card each time; `nil` where there is none.
    public var stableName: String?
    /// The sound card behind it; `nil` where no single one is known.
    public var card: CardIdentity?
    /// The sound card's name.
    public var cardName: String?
    /// The sound card's number at present.
    public var cardIndex: Int?
    /// Whether it is what `default` means.
    public var isDefault: Bool

    /// A device of the values given.
    public init(
        name: String, description: String, stableName: String? = nil, card: CardIdentity? = nil,
        cardName: String? = nil, cardIndex: Int? = nil, isDefault: Bool = false
    ) {
        self.name = name
        self.description = description
        self.stableName = stableName
        self.card = card
        self.cardName = cardName
        self.cardIndex = cardIndex
        self.isDefault = isDefault
    }

    fileprivate init(name: String, description: String, stableName: String?, of card: SoundCard?) {
        self.init(
            name: name, description: description, stableName: stableName, card: card?.identity, cardName: card?.name,
            cardIndex: card?.index, isDefault: name == "default")
    }

    /// ALSA's short name of the card at present.
    public var cardID: String? { card?.cardID }

    enum CodingKeys: String, CodingKey {
        case name
        case description
        case stableName = "stable_name"
        case card
        case cardName = "card_name"
        case cardIndex = "card_index"
        case isDefault = "is_default"
    }
}

/// The devices to capture from, and the sound cards that they are on.
public enum CaptureDevices {
    /// What there is now, from ALSA's hints and the kernel's files; no PCM is opened, so nothing is disturbed.
    ///
    /// Plugins are listed whether or not what is behind them (a sound server) is there.
    ///
    /// - Throws: `deviceFailed` or `outOfResources` where ALSA's configuration cannot be read.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: reads files.
    public static func list() throws(AudioError) -> [CaptureDevice] { try list(SystemALSACalls()) }

    /// The sound cards there are, those that only play, too. Empty where there is none.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: reads files.
    public static func cards() -> [SoundCard] {
        let messages = ALSAMessages()
        defer { messages.end() }
        return SystemALSACalls().cards()
    }

    /// What capturing from `default` captures from at present, by ALSA's configuration; nothing is opened.
    ///
    /// > Concurrency: Safe from any thread.
    ///
    /// > Real-time: Not safe: reads files.
    public static func defaultDevice() -> DefaultDevice {
        let messages = ALSAMessages()
        defer { messages.end() }
        let calls = SystemALSACalls()
        return DefaultDevice(calls.defaultPCM(), among: calls.cards())
    }

    /// What changes from now on: cards that come and go, and another card behind `default`.
    ///
    /// ```swift
    /// for try await change in CaptureDevices.changes() { … }
    /// ```
    public static func changes() -> DeviceChangeSequence {
        do throws(AudioError) {
            return DeviceChangeSequence(watch: .success(try DeviceWatch()))
        } catch {
            return DeviceChangeSequence(watch: .failure(error))
        }
    }

    package static func list(_ calls: any ALSADeviceCalls) throws(AudioError) -> [CaptureDevice] {
        let messages = ALSAMessages()
        defer { messages.end() }
        let (status, hints) = calls.deviceHints()
        guard status >= 0 else {
            throw AudioError(
                status == -ENOMEM ? .outOfResources : .deviceFailed,
                "cannot list ALSA's devices: \(AudioError.text(ofSystemStatus: -status))", status: -status)
        }
        let cards = calls.cards()
        let addresses = addresses(on: cards)
        let stableNames = Dictionary(addresses.map { ($0.name, $0.stableName) }) { first, _ in first }
        let standard = DefaultDevice(calls.defaultPCM(), among: cards)
        var devices: [CaptureDevice] = []
        for hint in hints where hint.direction != "Output" {
            let id = cardID(in: hint.name).map(String.init)
            let card = hint.name == "default" ? standard.card : cards.first { $0.id == id }
            // Of a card that only plays there are hints too.
            if let card, hint.name != "default", card.capturingPCMs.isEmpty { continue }
            devices.append(
                CaptureDevice(
                    name: hint.name, description: hint.description.split(separator: "\n").joined(separator: ", "),
                    stableName: stableNames[hint.name] ?? nil, of: card))
        }
        for address in addresses where !devices.contains(where: { $0.name == address.name }) {
            devices.append(
                CaptureDevice(
                    name: address.name, description: address.description, stableName: address.stableName,
                    of: address.card))
        }
        return devices
    }

    private struct Address {
        var name: String
        var stableName: String?
        var description: String
        var card: SoundCard
    }

    /// Each capturing PCM, with conversion and without.
    private static func addresses(on cards: [SoundCard]) -> [Address] {
        var addresses: [Address] = []
        for card in cards {
            let cardName = CardName(of: card, among: cards)
            for pcm in card.capturingPCMs {
                for (plugin, remark) in [("plughw", "with conversion"), ("hw", "as it is")] {
                    var stable = cardName
                    stable?.device = pcm.device == card.capturingPCMs.first?.device ? nil : pcm.device
                    stable?.isRaw = plugin == "hw"
                    let parts = [card.name, pcm.name, remark].filter { !$0.isEmpty }
                    addresses.append(
                        Address(
                            name: "\(plugin):CARD=\(card.id),DEV=\(pcm.device)", stableName: stable?.description,
                            description: parts.joined(separator: ", "), card: card))
                }
            }
        }
        return addresses
    }

    /// `Mic` in `front:CARD=Mic,DEV=0`.
    private static func cardID(in name: String) -> Substring? {
        // Not `firstRange(of:)`: that alone links a megabyte of regular expressions into a static program.
        name.split { $0 == ":" || $0 == "," }.first { $0.hasPrefix("CARD=") }?.dropFirst("CARD=".count)
    }

    /// For an error: what could be opened instead.
    static func summary(_ calls: any ALSADeviceCalls) -> String {
        let devices = (try? list(calls)) ?? []
        let names = devices.map(\.name).filter { $0 != "null" }
        let listed = names.prefix(12).joined(separator: ", ") + (names.count > 12 ? ", …" : "")
        guard devices.contains(where: { $0.card != nil }) else {
            let plugins = names.isEmpty ? "" : " (plugins: \(listed))"
            return "there is no sound card with a microphone\(plugins). \"sim:\" captures built-in speech without one"
        }
        return "there are: \(listed)"
    }
}
