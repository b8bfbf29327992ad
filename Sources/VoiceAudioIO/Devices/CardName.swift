import VoiceAudioCore

/// A device named by its card's identity: `usb:0d8c:0014,serial=A1`, `usb:0d8c:0014,port=0000:00:14.0-2.1`,
/// `pci:0000:00:1f.3,dev=2`, `platform:snd_aloop.0,hw`.
///
/// ALSA knows no PCMs of these names, and it is resolved anew each time the device is opened: so it is the same card
/// after a restart, whatever number and id the card has then.
struct CardName: Hashable {
    /// Which cards are meant.
    enum Card: Hashable {
        case usb(vendorID: String, productID: String, serial: String?, port: String?)
        case other(CardBus, path: String)
    }

    var card: Card
    /// The PCM's number; `nil` for the card's first one that captures.
    var device: Int?
    /// As the hardware runs, without ALSA's conversion.
    var isRaw = false

    static let accepted =
        "usb:VENDOR:PRODUCT, with ,serial=TEXT and ,port=PATH where needed, pci:ADDRESS and platform:NAME, each with "
        + ",dev=NUMBER for another PCM than the first and ,hw for no conversion"

    private static let buses: [CardBus] = [.usb, .pci, .platform]

    /// Whether `name` is for us to resolve, not for ALSA.
    static func isOne(_ name: String) -> Bool { buses.contains { name.hasPrefix("\($0):") } }

    /// - Throws: `invalidConfiguration`.
    init(_ name: String) throws(AudioError) {
        guard let parsed = Self(parsing: name) else {
            throw AudioError(
                .invalidConfiguration,
                "\"\(name)\" does not name a sound card: accepted are \(Self.accepted). \"voice-audio devices\" lists "
                    + "the names")
        }
        self = parsed
    }

    init?(parsing name: String) {
        var parts = name.split(separator: ",", omittingEmptySubsequences: false)[...]
        let head = parts.removeFirst()
        guard let bus = Self.buses.first(where: { head.hasPrefix("\($0):") }) else { return nil }
        let address = head.dropFirst(bus.rawValue.count + 1)
        var serial: String?
        var port: String?
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            switch (pair[0], pair.count > 1 ? Self.decoded(pair[1]) : nil) {
            case ("hw", nil) where pair.count == 1 && !isRaw: isRaw = true
            case ("dev", let text?) where device == nil:
                guard let number = Int(text), (0...1024).contains(number) else { return nil }
                device = number
            case ("serial", let text?) where bus == .usb && serial == nil: serial = text
            case ("port", let text?) where bus == .usb && port == nil: port = text
            default: return nil
            }
        }
        if bus == .usb {
            let numbers = address.split(separator: ":", omittingEmptySubsequences: false)
            guard numbers.count == 2, numbers.allSatisfy({ $0.utf8.count == 4 && $0.allSatisfy(\.isHexDigit) }) else {
                return nil
            }
            card = .usb(
                vendorID: numbers[0].lowercased(), productID: numbers[1].lowercased(), serial: serial, port: port)
        } else {
            guard let path = Self.decoded(address) else { return nil }
            card = .other(bus, path: path)
        }
    }

    /// The shortest name that means `card` and none of the other `cards`; `nil` where there is none.
    init?(of card: SoundCard, among cards: [SoundCard]) {
        let identity = card.identity
        if let usb = identity.usb {
            self.card = .usb(vendorID: usb.vendorID, productID: usb.productID, serial: usb.serial, port: nil)
            if matches(in: cards).count > 1, let path = identity.path {
                self.card = .usb(vendorID: usb.vendorID, productID: usb.productID, serial: usb.serial, port: path)
            }
        } else if let bus = identity.bus, Self.buses.contains(bus), bus != .usb, let path = identity.path {
            self.card = .other(bus, path: path)
        } else {
            return nil
        }
        guard matches(in: cards) == [card] else { return nil }
    }

    /// For ``SoundCard/stableName``: by ALSA's id where nothing better is known; `nil` for a card that only plays.
    static func stableName(of card: SoundCard, among cards: [SoundCard]) -> String? {
        if card.capturingPCMs.isEmpty { return nil }
        return Self(of: card, among: cards)?.description ?? "plughw:CARD=\(card.id)"
    }

    /// The cards that are meant, of those that capture.
    func matches(in cards: [SoundCard]) -> [SoundCard] {
        cards.filter { isMeant($0.identity) && !$0.capturingPCMs.isEmpty }
    }

    private func isMeant(_ identity: CardIdentity) -> Bool {
        switch card {
        case .usb(let vendorID, let productID, let serial, let port):
            guard let usb = identity.usb, usb.vendorID == vendorID, usb.productID == productID else { return false }
            return (serial == nil || serial == usb.serial) && (port == nil || port == identity.path)
        case .other(let bus, let path): return identity.bus == bus && identity.path == path
        }
    }

    /// What ALSA calls the device that `name` means among `cards`; a name that is not of this kind as it is.
    ///
    /// - Throws: `invalidConfiguration` where the name is not well formed, or means several cards; `noSuchDevice`.
    static func resolve(_ name: String, _ cards: @autoclosure () -> [SoundCard]) throws(AudioError) -> String {
        guard isOne(name) else { return name }
        return try Self(name).resolve(in: cards(), as: name)
    }

    private func resolve(in cards: [SoundCard], as name: String) throws(AudioError) -> String {
        let found = matches(in: cards)
        guard let card = found.first else {
            if let deaf = cards.first(where: { isMeant($0.identity) }) {
                throw AudioError(.noSuchDevice, "\"\(name)\" is \(deaf.id) (\(deaf.name)), which only plays")
            }
            let others = cards.filter { !$0.capturingPCMs.isEmpty }
            throw AudioError(
                .noSuchDevice,
                "no sound card is \"\(name)\"; "
                    + (others.isEmpty ? "there is none with a microphone" : "there are: \(Self.list(others))"))
        }
        guard found.count == 1 else {
            throw AudioError(
                .invalidConfiguration,
                "\"\(name)\" means \(found.count) sound cards: name one of them: \(Self.list(found))")
        }
        let devices = card.capturingPCMs.map(\.device)
        guard let device = device ?? devices.first, devices.contains(device) else {
            let numbers = devices.map { "dev=\($0)" }.joined(separator: ", ")
            throw AudioError(.noSuchDevice, "\"\(name)\": \(card.id) (\(card.name)) captures by \(numbers)")
        }
        return "\(isRaw ? "hw" : "plughw"):CARD=\(card.id),DEV=\(device)"
    }

    private static func list(_ cards: [SoundCard]) -> String {
        let names = cards.prefix(12).map { "\($0.stableName ?? "plughw:CARD=\($0.id)") (\($0.id), \($0.name))" }
        return names.joined(separator: ", ") + (cards.count > 12 ? ", …" : "")
    }

    // MARK: Text

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._:+@/".utf8.contains(byte)
        }
    }

    /// `text` with all that a shell or this syntax would take for its own as `%` and two hexadecimal digits.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The reverse; `nil` where it is empty or not well formed.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }),
                let low = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue })
            else { return nil }
            bytes.append(UInt8(high * 16 + low))
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

extension CardName: CustomStringConvertible {
    var description: String {
        var text: String
        switch card {
        case .usb(let vendorID, let productID, let serial, let port):
            text = "usb:\(vendorID):\(productID)"
            if let serial { text += ",serial=" + Self.encoded(serial) }
            if let port { text += ",port=" + Self.encoded(port) }
        case .other(let bus, let path): text = "\(bus):" + Self.encoded(path)
        }
        if let device { text += ",dev=\(device)" }
        return text + (isRaw ? ",hw" : "")
    }
}
