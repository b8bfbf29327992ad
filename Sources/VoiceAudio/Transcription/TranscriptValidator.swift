public import VoiceAudioCore

/// Tells a transcript from none.
public struct TranscriptValidator: Sendable, Hashable {
    /// Characters that the text must have, white space not counted.
    public var minimumCharacters: Int
    /// Words that the text must have: runs of characters with a letter or digit among them. Of scripts that set no spaces
    /// between words, such as Chinese, Japanese and Thai, each character counts as one.
    public var minimumWords: Int

    /// Why a transcript is not accepted.
    public enum Rejection: Sendable, Hashable {
        /// There is no letter and no digit in it.
        case noWords
        case tooShort(characters: Int, minimum: Int)
        case tooFewWords(words: Int, minimum: Int)

        /// As an error, with code `noTranscript`, `transcriptTooShort` or `tooFewWords`.
        public var error: AudioError {
            switch self {
            case .noWords: AudioError(.noTranscript, "the transcript has no words: was anything said?")
            case .tooShort(let characters, let minimum):
                AudioError(
                    .transcriptTooShort, "the transcript has \(characters) characters: at least \(minimum) are accepted"
                )
            case .tooFewWords(let words, let minimum):
                AudioError(.tooFewWords, "the transcript has \(words) words: at least \(minimum) are accepted")
            }
        }
    }

    /// A validator with these minimums.
    public init(minimumCharacters: Int = 1, minimumWords: Int = 1) {
        self.minimumCharacters = minimumCharacters
        self.minimumWords = minimumWords
    }

    /// Why `text` is not accepted; `nil` where it is.
    ///
    /// - Complexity: O(*n*) in the bytes of the text.
    public func rejection(of text: String) -> Rejection? {
        var characters = 0
        var words = 0
        var isInWord = false
        for character in text {
            if character.isWhitespace {
                isInWord = false
                continue
            }
            characters += 1
            guard character.isLetter || character.isNumber else { continue }
            if character.isWordOfItsOwn || !isInWord { words += 1 }
            isInWord = !character.isWordOfItsOwn
        }
        if words == 0 { return .noWords }
        if characters < minimumCharacters { return .tooShort(characters: characters, minimum: minimumCharacters) }
        if words < minimumWords { return .tooFewWords(words: words, minimum: minimumWords) }
        return nil
    }
}

extension AudioError.Code {
    /// A transcript has no words.
    public static let noTranscript = Self(rawValue: "noTranscript")
    /// A transcript has fewer characters than are accepted.
    public static let transcriptTooShort = Self(rawValue: "transcriptTooShort")
    /// A transcript has fewer words than are accepted.
    public static let tooFewWords = Self(rawValue: "tooFewWords")
}
