/// The words of a command, with places for the file and the language.
struct CommandTemplate: Sendable, Hashable {
    let program: String
    private let arguments: [[Piece]]

    private enum Piece: Hashable {
        case text(String)
        case wav
        case language
    }

    /// - Throws: `invalidConfiguration`.
    init(_ program: String, arguments: [String]) throws(AudioError) {
        guard !program.isEmpty else {
            throw AudioError(
                .invalidConfiguration, "the command is empty: name a program, and {wav} among its arguments")
        }
        for word in [program] + arguments where word.utf8.contains(0) {
            throw AudioError(
                .invalidConfiguration,
                "the command's word \"\(word.printable())\" has a NUL in it: no program can be given one")
        }
        self.program = program
        var parsed: [[Piece]] = []
        for argument in arguments { parsed.append(try Self.pieces(of: argument)) }
        self.arguments = parsed
        guard parsed.joined().contains(.wav) else {
            throw AudioError(
                .invalidConfiguration,
                "the command of \"\(program)\" has no {wav}: say which argument is to be the file's path")
        }
    }

    /// Splits one line at white space; `'…'` and `"…"` group what they enclose, and nothing else is special.
    ///
    /// - Throws: `invalidConfiguration`.
    init(line: String) throws(AudioError) {
        var words = try Self.words(of: line)[...]
        try self.init(words.popFirst() ?? "", arguments: Array(words))
    }

    private static func words(of line: String) throws(AudioError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if quote == nil, character.isWhitespace {
                if let ended = word { words.append(ended) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let quote {
            throw AudioError(
                .invalidConfiguration, "the command `\(line.printable())` has a quote \(quote) that is not closed")
        }
        if let word { words.append(word) }
        return words
    }

    /// A placeholder is letters, also with digits and underscores behind, in braces; other braces are text.
    private static func pieces(of argument: String) throws(AudioError) -> [Piece] {
        var pieces: [Piece] = []
        var rest = argument[...]
        while let open = rest.firstIndex(of: "{") {
            let inside = rest[rest.index(after: open)...]
            let name = inside.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
            let behind = inside[name.endIndex...]
            guard name.first?.isLetter == true, behind.first == "}" else {
                pieces.append(.text(String(rest[..<inside.startIndex])))
                rest = inside
                continue
            }
            pieces.append(.text(String(rest[..<open])))
            switch name {
            case "wav": pieces.append(.wav)
            case "language": pieces.append(.language)
            default:
                throw AudioError(
                    .invalidConfiguration,
                    "the command has {\(name)} in \"\(argument.printable())\": {wav} and {language} are known")
            }
            rest = behind.dropFirst()
        }
        return pieces + [.text(String(rest))]
    }

    /// The words to start a program with; the first is its own name.
    ///
    /// - Throws: `invalidConfiguration`.
    func words(wav path: String, language: String?) throws(AudioError) -> [String] {
        let takesLanguage = arguments.joined().contains(.language)
        if let language {
            try Self.check(language: language)
            guard takesLanguage else {
                throw AudioError(
                    .invalidConfiguration,
                    "language \"\(language)\" is asked for, but the command of \"\(program)\" has no {language}")
            }
        } else if takesLanguage {
            throw AudioError(
                .invalidConfiguration,
                """
                the command of "\(program)" has a {language}, and no language is given: pass one, or set \
                defaultLanguage ("auto" for whisper-cli)
                """)
        }
        return [program]
            + arguments.map { pieces in
                pieces.map { piece in
                    switch piece {
                    case .text(let text): text
                    case .wav: path
                    case .language: language ?? ""
                    }
                }.joined()
            }
    }

    /// A language tag's characters (RFC 5646, 2.1), and nothing that could pass for an option or a path.
    private static func check(language: String) throws(AudioError) {
        let parts = language.split(separator: "-", omittingEmptySubsequences: false)
        let isTag = parts.allSatisfy { part in
            (1...8).contains(part.count) && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
        }
        guard isTag, language.count <= 35 else {
            throw AudioError(
                .invalidConfiguration,
                """
                language "\(String(language.printable().prefix(40)))" is no language tag: accepted are up to 35 letters, \
                digits and hyphens, such as "de", "pt-BR" or "auto"
                """)
        }
    }
}
