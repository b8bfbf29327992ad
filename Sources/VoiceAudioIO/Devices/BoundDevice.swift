import VoiceAudioCore

/// A PCM's name, bound to the sound card that it meant when it was opened first: numbers and ids of cards change hands,
/// and a capture that goes on after its card was away is to go on with that card.
struct BoundDevice {
    /// As it was asked for.
    let name: String
    /// The card, and the part of `name` that says it; `nil` where `name` says none, or is resolved anew at each open.
    private var card: (identity: CardIdentity, name: CardName, reference: Range<String.Index>)?

    init(_ name: String) { self.name = name }

    /// Notes that the PCM turned out to be on the card of this number.
    mutating func bind(toCard index: Int?, among cards: [SoundCard]) {
        guard card == nil, !CardName.isOne(name), let index, let found = cards.first(where: { $0.index == index }),
            let reference = Self.cardReference(in: name), found.isMeant(by: name[reference]),
            let cardName = CardName(of: found, among: cards)
        else { return }
        card = (found.identity, cardName, reference)
    }

    /// What ALSA calls the device now.
    ///
    /// - Throws: `noSuchDevice` where the card is not there; `invalidConfiguration` where a name by identity is not well
    ///   formed, or means several cards.
    func present(among cards: @autoclosure () -> [SoundCard]) throws(AudioError) -> String {
        guard let card else { return try CardName.resolve(name, cards()) }
        let found = card.name.matches(in: cards())
        // Of several that are alike, the one in the same socket.
        guard let now = found.first(where: { $0.identity.path == card.identity.path }) ?? found.first else {
            throw AudioError(
                .noSuchDevice, "the card of \"\(name)\", \(card.identity.cardID) (\(card.name)), is not there")
        }
        return name.replacingCharacters(in: card.reference, with: now.id)
    }

    /// The card's number or id in `hw:1,0`, `plughw:CARD=Mic,DEV=0` or `plug:'hw:1'`.
    private static func cardReference(in name: String) -> Range<String.Index>? {
        let ends: Set<Character> = [",", "'", "\"", ":", "="]
        guard let colon = name.lastIndex(of: ":") else { return nil }
        var start = name.index(after: colon)
        // By name, in any order of the arguments.
        if let equals = argument("CARD", in: name[start...]) { start = equals }
        let end = name[start...].firstIndex(where: ends.contains) ?? name.endIndex
        return start < end ? start..<end : nil
    }

    /// Where the value of `KEY=value` begins.
    private static func argument(_ key: String, in arguments: Substring) -> String.Index? {
        for argument in arguments.split(separator: ",") where argument.hasPrefix(key + "=") {
            return argument.index(argument.startIndex, offsetBy: key.count + 1)
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + self[range.upperBound...]
    }
}
