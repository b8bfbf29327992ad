import VoiceAudioCore

/// What capturing from `default` captures from.
public enum DefaultDevice: Sendable, Hashable {
    /// A sound card. When another takes its place, who captures from `default` does so only after opening it again.
    case card(SoundCard)
    /// A plugin of that type (`pulse`, `pipewire`): a sound server, which follows its own default by itself.
    case plugin(String)
    /// Nothing that is there now.
    case nothing

    init(_ pcm: DefaultPCM, among cards: [SoundCard]) {
        self =
            switch pcm {
            case .nothing: .nothing
            case .plugin(let type): .plugin(type)
            case .card(let card): cards.first { $0.isMeant(by: card) }.map { .card($0) } ?? .nothing
            }
    }

    /// The card; `nil` where there is none, or it is not known.
    public var card: SoundCard? {
        guard case .card(let card) = self else { return nil }
        return card
    }

    /// Whether another card or plugin is meant.
    func isOther(than other: Self) -> Bool {
        switch (self, other) {
        case (.card(let left), .card(let right)): left.identity != right.identity
        default: self != other
        }
    }
}

/// Something that changed among the sound cards.
public enum DeviceChange: Sendable, Hashable {
    /// A card is there, and its control and PCMs can be opened, or a good half second has passed.
    case added(SoundCard)
    /// A card is gone; this is what it was.
    case removed(SoundCard)
    /// A card has other PCMs than before.
    case changed(SoundCard)
    /// `default` means another card or plugin.
    case defaultChanged(DefaultDevice)
}

/// The sound cards at one moment, as far as they can be opened: those with a control in `/dev/snd`.
struct DeviceSnapshot: Sendable {
    struct Entry: Sendable {
        var card: SoundCard
        /// Tells a card from one that took its place between two looks.
        var node: UInt
    }

    var entries: [Entry] = []
    var standard = DefaultDevice.nothing
    /// Whether all nodes are there, and may be opened.
    var isComplete = true

    init(_ calls: any ALSADeviceCalls, roots: SystemRoots) {
        let messages = ALSAMessages()
        defer { messages.end() }
        let files = CardFiles(roots: roots)
        let directory = "\(roots.dev)/snd"
        let cards = calls.cards()
        for card in cards {
            guard let node = KernelFiles.fileNumber("\(directory)/controlC\(card.index)") else { continue }
            entries.append(Entry(card: card, node: node))
            let canOpen = files.nodes(ofCard: card).allSatisfy { KernelFiles.canOpen("\(directory)/\($0)") }
            if !canOpen || card.driver.isEmpty { isComplete = false }
        }
        // A node may be there before the kernel lists its card.
        let nodes = Set(KernelFiles.names(in: directory).filter { $0.hasPrefix("controlC") })
        if !nodes.isSubset(of: cards.map { "controlC\($0.index)" }) { isComplete = false }
        standard = DefaultDevice(calls.defaultPCM(), among: entries.map(\.card))
    }

    /// What makes `old` into this: so nothing is missed, and nothing invented.
    func changes(since old: Self) -> [DeviceChange] {
        var changes: [DeviceChange] = []
        for entry in old.entries where !entries.contains(where: { $0.isSame(as: entry) }) {
            changes.append(.removed(entry.card))
        }
        for entry in entries {
            if let before = old.entries.first(where: { $0.isSame(as: entry) }) {
                if before.card.pcms != entry.card.pcms { changes.append(.changed(entry.card)) }
            } else {
                changes.append(.added(entry.card))
            }
        }
        if standard.isOther(than: old.standard) { changes.append(.defaultChanged(standard)) }
        return changes
    }
}

extension DeviceSnapshot.Entry {
    fileprivate func isSame(as other: Self) -> Bool {
        node == other.node && card.index == other.card.index && card.identity == other.card.identity
    }
}
