import TestSupport

/// Damages valid inputs: a seed gives the same damage again.
struct Mutator {
    private var generator: SeededGenerator
    /// What is put in: words that parsers look for.
    private let words: [[UInt8]]

    init(seed: UInt64, words: [String]) {
        generator = SeededGenerator(seed: seed)
        self.words = words.map { Array($0.utf8) }
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[generator.below(elements.count)] }

    /// `bytes` after a few mutations, or as they are.
    mutating func mutated(_ bytes: [UInt8], limit: Int) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<generator.below(6) { mutate(&bytes) }
        return Array(bytes.prefix(limit))
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = generator.below(bytes.count + 1)
        let end = min(bytes.count, place + generator.below(1 + generator.below(64)))
        switch generator.below(9) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(generator.below(8))
        case 1 where place < bytes.count: bytes[place] = pick([0, 1, 0x20, 0x22, 0x27, 0x7F, 0x80, 0xFE, 0xFF])
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: Array(bytes[place..<end]), at: generator.below(bytes.count + 1))
        case 5 where !words.isEmpty: bytes.insert(contentsOf: pick(words), at: place)
        case 6 where !words.isEmpty: bytes.replaceSubrange(place..<end, with: pick(words))
        case 7: storeEdge(in: &bytes, at: place)
        case 8:
            bytes.insert(
                contentsOf: repeatElement(UInt8(generator.below(256)), count: 1 << generator.below(9)), at: place)
        default: bytes.insert(UInt8(generator.below(256)), at: place)
        }
    }

    /// A number at the edge of what fits, little or big endian, as files hold sizes; or as text, as settings hold them.
    private mutating func storeEdge(in bytes: inout [UInt8], at place: Int) {
        let edge: Int64 = pick([
            0, 1, 2, 3, 7, 8, 15, 16, 64, 255, 256, 1024, 32_767, 32_768, 65_535, 65_536, 768_000, 0x7FFF_FFFF,
            0x8000_0000, 0xFFFF_FFFF, .max, .min, -1,
        ])
        if generator.below(4) == 0 {
            bytes.insert(contentsOf: Array("\(edge)".utf8), at: place)
            return
        }
        let width = pick([1, 2, 4, 8])
        let isBigEndian = generator.below(4) == 0
        for index in 0..<width where place + index < bytes.count {
            let shift = Int64(isBigEndian ? width - 1 - index : index) * 8
            bytes[place + index] = UInt8(truncatingIfNeeded: edge >> shift)
        }
    }
}
