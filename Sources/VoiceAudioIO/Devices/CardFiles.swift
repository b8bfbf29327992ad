import Glibc
import VoiceAudioCore

/// Where the kernel's files are; a test has its own.
package struct SystemRoots: Sendable {
    package var proc = "/proc"
    package var sys = "/sys"
    package var dev = "/dev"
    /// What stands before paths outside of these.
    package var root = ""

    package init() {}
}

/// Reads what the kernel tells of sound cards, in `/proc/asound` and `/sys/class/sound`. Opens no device.
struct CardFiles: Sendable {
    /// What the driver calls a card.
    struct Names: Equatable {
        var driver: String
        var name: String
        var longName: String
    }

    var roots = SystemRoots()

    /// The cards, by their numbers.
    ///
    /// - Parameters:
    ///   - isBrief: Whether it is enough which cards and PCMs there are: names and native formats of PCMs are not read.
    ///   - namesByControl: Asked where `/proc/asound` does not tell.
    func cards(isBrief: Bool = false, namesByControl: (Int) -> Names? = { _ in nil }) -> [SoundCard] {
        let names = Self.names(inCards: KernelFiles.text(ofFile: "\(roots.proc)/asound/cards", limit: 65_536) ?? "")
        let found =
            KernelFiles.names(in: "\(roots.sys)/class/sound") + KernelFiles.names(in: "\(roots.proc)/asound")
        var cards: [SoundCard] = []
        for index in Set(found.compactMap { Self.number($0[...], after: "card") }).sorted() {
            // A card that has none yet is on its way; one that has none any more is gone.
            guard
                let id = KernelFiles.line(ofFile: "\(roots.sys)/class/sound/card\(index)/id")
                    ?? KernelFiles.line(ofFile: "\(roots.proc)/asound/card\(index)/id")
            else { continue }
            let names = names[index] ?? (isBrief ? nil : namesByControl(index))
            let place = CardPlace(link: "\(roots.sys)/class/sound/card\(index)/device")
            cards.append(
                SoundCard(
                    index: index,
                    identity: CardIdentity(cardID: id, bus: place.bus, path: place.path, usb: place.usb),
                    name: names?.name ?? id, longName: names?.longName ?? "", driver: names?.driver ?? "",
                    pcms: pcms(ofCard: index, isBrief: isBrief)))
        }
        for index in cards.indices { cards[index].stableName = CardName.stableName(of: cards[index], among: cards) }
        return cards
    }

    /// Two lines a card: ` 4 [Mic            ]: USB-Audio - Numbered frames`, and the long name.
    static func names(inCards text: String) -> [Int: Names] {
        var names: [Int: Names] = [:]
        var last: Int?
        for line in text.split(separator: "\n") {
            if let last, line.hasPrefix("                      ") {
                names[last]?.longName = KernelFiles.printable(line)
            } else if let open = line.firstIndex(of: "["), let close = line.firstIndex(of: "]"), open < close,
                let index = Int(KernelFiles.printable(line[..<open]))
            {
                let rest = line[line.index(after: close)...].drop { $0 == ":" || $0 == " " }
                let driver = rest.prefix { $0 != " " }
                let name = rest.dropFirst(driver.count).drop { $0 == " " || $0 == "-" }
                names[index] = Names(
                    driver: KernelFiles.printable(driver), name: KernelFiles.printable(name), longName: "")
                last = index
            }
        }
        return names
    }

    /// The nodes in `/dev/snd` that a card's PCMs and control have.
    func nodes(ofCard card: SoundCard) -> [String] {
        let pcms = card.pcms.flatMap { pcm in
            [("c", pcm.capture), ("p", pcm.playback)].compactMap { letter, direction in
                direction.map { _ in "pcmC\(card.index)D\(pcm.device)\(letter)" }
            }
        }
        return ["controlC\(card.index)"] + pcms
    }

    private func pcms(ofCard index: Int, isBrief: Bool) -> [CardPCM] {
        let asound = "\(roots.proc)/asound/card\(index)"
        let files = KernelFiles.names(in: asound)
        let nodes = KernelFiles.names(in: "\(roots.sys)/class/sound/card\(index)").compactMap { name in
            name.hasPrefix("pcmC\(index)D") ? "pcm" + name.dropFirst("pcmC\(index)D".count) : nil
        }
        var formats: [Int: NativeFormatFiles.Formats] = [:]
        for file in files where !isBrief && file.hasPrefix("codec#") {
            let text = KernelFiles.text(ofFile: "\(asound)/\(file)", limit: 262_144) ?? ""
            formats.merge(NativeFormatFiles.hdaCodec(text)) { first, _ in first }
        }
        for (file, device) in files.compactMap({ file in Self.number(file[...], after: "stream").map { (file, $0) } })
        where !isBrief {
            let text = KernelFiles.text(ofFile: "\(asound)/\(file)", limit: 262_144) ?? ""
            formats[device] = NativeFormatFiles.usbStream(text)
        }
        var pcms: [Int: CardPCM] = [:]
        for name in Set(files + nodes) {
            guard let direction = name.last, direction == "c" || direction == "p",
                let device = Self.number(name.dropLast(), after: "pcm")
            else { continue }
            let info = isBrief ? nil : KernelFiles.fields(ofFile: "\(asound)/\(name)/info")
            let isCapture = direction == "c"
            let native = isCapture ? formats[device]?.capture : formats[device]?.playback
            let about = CardPCM.Direction(
                subdeviceCount: info?["subdevices_count"].flatMap { Int($0) },
                nativeFormats: native.flatMap { $0.isEmpty ? nil : $0 })
            var pcm = pcms[device] ?? CardPCM(device: device, name: "")
            if let name = info?["name"] { pcm.name = KernelFiles.printable(name) }
            if isCapture { pcm.capture = about } else { pcm.playback = about }
            pcms[device] = pcm
        }
        return pcms.values.sorted { $0.device < $1.device }
    }

    /// `4` in `card4`.
    private static func number(_ text: Substring, after prefix: String) -> Int? {
        guard text.hasPrefix(prefix), let number = Int(text.dropFirst(prefix.count)), number >= 0 else { return nil }
        return number
    }
}

/// Where a card is plugged in, from its device's folder in `/sys/devices`.
struct CardPlace: Equatable {
    var bus: CardBus?
    var path: String?
    var usb: USBIdentity?

    /// - Parameter link: `/sys/class/sound/card?/device`.
    init(link: String) {
        guard var folder = KernelFiles.resolved(link) else { return }
        bus = KernelFiles.resolved("\(folder)/subsystem").map { CardBus(rawValue: Self.name($0)) }
        guard bus == .usb else {
            path = Self.name(folder)
            return
        }
        // The card belongs to an interface; the device that it is part of lies above.
        var steps = 0
        while !KernelFiles.exists("\(folder)/idVendor"), steps < 4 {
            folder = Self.parent(folder)
            steps += 1
        }
        guard let vendor = KernelFiles.line(ofFile: "\(folder)/idVendor"),
            let product = KernelFiles.line(ofFile: "\(folder)/idProduct")
        else { return }
        usb = USBIdentity(
            vendorID: vendor.lowercased(), productID: product.lowercased(),
            serial: KernelFiles.line(ofFile: "\(folder)/serial"))
        guard let ports = KernelFiles.line(ofFile: "\(folder)/devpath") else { return }
        // The number of a USB bus may be another after the next start; its controller is the same.
        steps = 0
        while !Self.isRootHub(Self.name(folder)), steps < 16 {
            folder = Self.parent(folder)
            steps += 1
        }
        if Self.isRootHub(Self.name(folder)) { path = "\(Self.name(Self.parent(folder)))-\(ports)" }
    }

    /// `usb1`
    private static func isRootHub(_ name: String) -> Bool {
        name.hasPrefix("usb") && Int(name.dropFirst(3)) != nil
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "" }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
    }
}
