public import VoiceAudioCore

/// Makes a transcript fit to show and to store: no text from a program is trusted.
///
/// In this order:
/// 1. Control characters go, also those that change the direction of writing, and the byte order mark.
/// 2. Each run of white space becomes one space, and none is left at the ends.
/// 3. A word that is longer than ``maxWordCharacters`` is cut off there: a recogniser that repeats itself writes such.
/// 4. The text ends before the character with which it would have more than ``maxBytes`` bytes of UTF-8.
///
/// A character is what a reader takes for one (an extended grapheme cluster, Unicode Standard Annex 29); none is ever split.
/// Characters of scripts that set no spaces between words, such as Chinese, Japanese and Thai, each count as a word.
public struct TranscriptSanitizer: Sendable, Hashable {
    /// Characters that a word may have.
    public let maxWordCharacters: Int
    /// Bytes of UTF-8 that the text may have.
    public let maxBytes: Int

    /// A sanitizer that cuts words at 30 characters, and texts at 64 KiB.
    public init() {
        maxWordCharacters = 30
        maxBytes = 64 << 10
    }

    /// A sanitizer with these limits.
    ///
    /// - Parameters:
    ///   - maxWordCharacters: Characters that a word may have, at least 1.
    ///   - maxBytes: Bytes of UTF-8 that the text may have, at least 1.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`.
    public init(maxWordCharacters: Int = 30, maxBytes: Int = 64 << 10) throws(AudioError) {
        guard maxWordCharacters >= 1, maxBytes >= 1 else {
            throw AudioError(
                .invalidConfiguration,
                "a sanitizer with words of \(maxWordCharacters) characters and \(maxBytes) bytes in all leaves nothing: at "
                    + "least 1 of each is accepted")
        }
        self.maxWordCharacters = maxWordCharacters
        self.maxBytes = maxBytes
    }

    /// The text as it may be shown.
    ///
    /// - Complexity: O(*n*) in the bytes of the text.
    public func sanitize(_ text: String) -> String {
        var result = ""
        var wordCharacters = 0
        var byteCount = 0
        for character in text.printable() {
            if character == " " || character.isWordOfItsOwn { wordCharacters = 0 } else { wordCharacters += 1 }
            guard wordCharacters <= maxWordCharacters else { continue }
            byteCount += character.utf8.count
            guard byteCount <= maxBytes else { break }
            result.append(character)
        }
        if result.last == " " { result.removeLast() }
        return result
    }
}

extension Character {
    /// Whether its script sets no spaces between words: by the blocks that Unicode has such scripts in.
    var isWordOfItsOwn: Bool {
        switch unicodeScalars.first?.value ?? 0 {
        case 0x0E00...0x0FFF,  // Thai, Lao, Tibetan
            0x1000...0x109F, 0x1780...0x17FF,  // Myanmar, Khmer
            0x2E80...0xA4CF,  // radicals, kana, ideographs, Yi
            0xF900...0xFAFF, 0xFF66...0xFF9F, 0x20000...0x3FFFF:
            true
        default: false
        }
    }
}
