import Glibc
import VoiceAudioCore

/// Finds the programs that hold a sound card's capture side.
package enum DeviceHolders {
    package struct Holder: Sendable, Hashable {
        package var processID: Int
        package var program: String

        package init(processID: Int, program: String) {
            self.processID = processID
            self.program = program
        }
    }

    /// One sentence's part: who holds what `device` may stand for.
    static func summary(device: String, root: String = "/proc") -> String {
        let holders = holders(device: device, root: root)
        guard !holders.isEmpty else { return "another program holds it (run as root to see which)" }
        return "held by " + holders.map { "\($0.program) (process \($0.processID))" }.joined(separator: ", ")
    }

    /// The holders of the card that `device` names, or of any card where it names none.
    static func holders(device: String, root: String = "/proc") -> [Holder] {
        let cards = cardIndices(device: device, root: root)
        var processes = Set(owners(cards: cards, root: root))
        for name in KernelFiles.names(in: root) {
            guard let process = Int(name), !processes.contains(process) else { continue }
            if holdsCapture(process: name, cards: cards, root: root) { processes.insert(process) }
        }
        return processes.sorted().map { process in
            let program = KernelFiles.line(ofFile: "\(root)/\(process)/comm")
            return Holder(processID: process, program: program ?? "a program")
        }
    }

    /// The card numbers in `hw:1,0` or `plughw:CARD=Mic,DEV=0`; all cards where there are none.
    private static func cardIndices(device: String, root: String) -> [String] {
        let all = KernelFiles.names(in: "\(root)/asound").filter {
            $0.hasPrefix("card") && Int($0.dropFirst(4)) != nil
        }
        guard let colon = device.firstIndex(of: ":") else { return all }
        var card = device[device.index(after: colon)...].prefix { $0 != "," && $0 != "'" }
        if card.hasPrefix("CARD=") { card = card.dropFirst(5) }
        let named = all.filter { name in
            name.dropFirst(4) == card || KernelFiles.line(ofFile: "\(root)/asound/\(name)/id") == String(card)
        }
        return named.isEmpty ? all : named
    }

    /// Who the kernel says opened a capturing substream.
    private static func owners(cards: [String], root: String) -> [Int] {
        var owners: [Int] = []
        for card in cards {
            for pcm in KernelFiles.names(in: "\(root)/asound/\(card)")
            where pcm.hasPrefix("pcm") && pcm.hasSuffix("c") {
                for substream in KernelFiles.names(in: "\(root)/asound/\(card)/\(pcm)")
                where substream.hasPrefix("sub") {
                    let path = "\(root)/asound/\(card)/\(pcm)/\(substream)/status"
                    guard let owner = KernelFiles.fields(ofFile: path)?["owner_pid"] else { continue }
                    if let process = Int(owner) { owners.append(process) }
                }
            }
        }
        return owners
    }

    /// Whether one of the process's descriptors is a capturing PCM of `cards`; readable for one's own processes only.
    private static func holdsCapture(process: String, cards: [String], root: String) -> Bool {
        let directory = "\(root)/\(process)/fd"
        return KernelFiles.names(in: directory).contains { name in
            guard let target = target(ofLink: "\(directory)/\(name)"), target.hasPrefix("/dev/snd/pcmC"),
                target.hasSuffix("c")
            else { return false }
            return cards.contains { target.hasPrefix("/dev/snd/pcmC\($0.dropFirst(4))D") }
        }
    }

    private static func target(ofLink path: String) -> String? {
        // SAFETY: the kernel writes within the capacity; bytes are bytes, signed or not.
        let target = unsafe String(unsafeUninitializedCapacity: 256) { bytes in
            guard let start = bytes.baseAddress else { return 0 }
            return unsafe max(
                0, readlink(path, UnsafeMutableRawPointer(start).assumingMemoryBound(to: CChar.self), 256))
        }
        return target.isEmpty ? nil : target
    }
}
