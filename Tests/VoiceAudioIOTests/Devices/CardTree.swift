import Foundation
import TestSupport
import VoiceAudioCore

@testable import VoiceAudioIO

/// The files of a kernel with sound cards, as a real one wrote them, in a directory.
struct CardTree {
    let root: String

    var roots: SystemRoots {
        var roots = SystemRoots()
        roots.proc = "\(root)/proc"
        roots.sys = "\(root)/sys"
        roots.dev = "\(root)/dev"
        return roots
    }

    var cards: [SoundCard] { CardFiles(roots: roots).cards() }

    func write(_ text: String, _ path: String) throws {
        let url = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    func link(_ path: String, to target: String) throws {
        let url = URL(fileURLWithPath: "\(root)/\(path)")
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: "\(root)/\(target)", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: url.path, withDestinationPath: "\(root)/\(target)")
    }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: "\(root)/\(path)") }

    /// Adds a card's files in `/proc` and `/sys`, not its nodes.
    func add(_ card: FixtureCard, at index: Int) throws {
        let folder = "sys/devices/\(card.device)/sound/card\(index)"
        try write("\(card.id)\n", "\(folder)/id")
        try write("\(card.id)\n", "proc/asound/card\(index)/id")
        try link("\(folder)/device", to: "sys/devices/\(card.device)")
        try link("sys/class/sound/card\(index)", to: folder)
        if !FileManager.default.fileExists(atPath: "\(root)/sys/devices/\(card.device)/subsystem") {
            try link("sys/devices/\(card.device)/subsystem", to: "sys/bus/\(card.bus)")
        }
        for (path, text) in card.deviceFiles { try write(text + "\n", "sys/devices/\(path)") }
        for (name, text) in card.procFiles { try write(text, "proc/asound/card\(index)/\(name)") }
        for (name, pcm, subdevices) in card.pcms {
            try write("", "\(folder)/\(name.replacingOccurrences(of: "pcm", with: "pcmC\(index)D"))/dev")
            try write(
                """
                card: \(index)
                device: \(name.dropFirst(3).dropLast())
                subdevice: 0
                stream: \(name.hasSuffix("c") ? "CAPTURE" : "PLAYBACK")
                id: \(pcm)
                name: \(pcm)
                subname: subdevice #0
                class: 0
                subclass: 0
                subdevices_count: \(subdevices)
                subdevices_avail: \(subdevices)

                """, "proc/asound/card\(index)/\(name)/info")
        }
        try writeCards(of: listed.merging([index: card]) { $1 })
    }

    func remove(_ card: FixtureCard, at index: Int) throws {
        try remove("sys/class/sound/card\(index)")
        try remove("sys/devices/\(card.device)/sound/card\(index)")
        try remove("proc/asound/card\(index)")
        var rest = listed
        rest[index] = nil
        try writeCards(of: rest)
    }

    /// The five cards of the machine that the files are from.
    func addAll() throws { for (index, card) in FixtureCard.all.enumerated() { try add(card, at: index) } }

    private var listed: [Int: FixtureCard] {
        var listed: [Int: FixtureCard] = [:]
        for index in 0..<8 {
            guard let id = KernelFiles.line(ofFile: "\(root)/proc/asound/card\(index)/id") else { continue }
            listed[index] = (FixtureCard.all + [.otherMicrophone]).first { $0.id == id }
        }
        return listed
    }

    private func writeCards(of listed: [Int: FixtureCard]) throws {
        let lines = listed.sorted { $0.key < $1.key }.map { index, card in
            let id = card.id.padding(toLength: 15, withPad: " ", startingAt: 0)
            let number = index < 10 ? " \(index)" : "\(index)"
            return "\(number) [\(id)]: \(card.driver) - \(card.name)\n                      \(card.longName)\n"
        }
        try write(lines.joined(), "proc/asound/cards")
    }

    // MARK: Nodes

    func addNode(_ name: String) throws { try write("", "dev/snd/\(name)") }

    func addNodes(of card: FixtureCard, at index: Int) throws {
        for (name, _, _) in card.pcms { try addNode(name.replacingOccurrences(of: "pcm", with: "pcmC\(index)D")) }
        try addNode("controlC\(index)")
    }

    func removeNodes(of card: FixtureCard, at index: Int) throws {
        try remove("dev/snd/controlC\(index)")
        for (name, _, _) in card.pcms {
            try remove("dev/snd/\(name.replacingOccurrences(of: "pcm", with: "pcmC\(index)D"))")
        }
    }
}

/// Runs `body` with an empty tree.
func withCardTree<Result>(_ body: (CardTree) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in try body(CardTree(root: directory)) }
}

/// Device calls that read a tree.
final class TreeCalls: ALSADeviceCalls {
    let roots: SystemRoots
    let standard = Lock(DefaultPCM.nothing)

    init(_ tree: CardTree) { roots = tree.roots }

    func deviceHints() -> (status: Int32, hints: [PCMHint]) { (0, []) }
    func cards(isBrief: Bool) -> [SoundCard] { CardFiles(roots: roots).cards(isBrief: isBrief) }
    func defaultPCM() -> DefaultPCM { standard.withLock { $0 } }
}

extension SoundCard {
    /// A card that captures by these PCMs.
    init(index: Int, id: String, name: String, captureDevices: [Int: String]) {
        self.init(
            index: index, identity: CardIdentity(cardID: id), name: name,
            pcms: captureDevices.sorted { $0.key < $1.key }.map { device, name in
                CardPCM(device: device, name: name, capture: CardPCM.Direction())
            })
    }
}
