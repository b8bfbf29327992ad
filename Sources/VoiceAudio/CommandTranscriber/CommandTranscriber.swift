public import VoiceAudioCore
public import VoiceAudioIO

/// Transcribes with any program that takes a sound file and writes text: `whisper-cli`, a script, a client of a service.
///
/// ```swift
/// let whisper = try CommandTranscriber(command: "whisper-cli -np -nt -m ggml-base.bin -f {wav} -l {language}")
/// let transcript = try await whisper.transcribe(samples: samples, format: .speech, language: "de")
/// ```
///
/// The program is started without a shell, in a process group of its own, with nothing to read, no descriptor of this
/// process and no signal blocked. Whatever happens, its group is gone when the call returns, and nothing is left of it. Only
/// what left the group by itself (`setsid`) goes on, and the call does not wait for it.
///
/// A call takes the deadline at most, and then twice the grace for a program that does not want to end. If the program has
/// exited and something that it started still holds its outputs, that has the grace, too, and what it writes counts.
///
/// The file's path is `/proc/PID/fd/N` unless ``Options/needsNamedFile`` is set. `whisper-cli`, `ffmpeg` and `sox` look at the
/// content and take that; it cannot be opened by another user (`sudo`), nor in another PID namespace (`docker run`).
///
/// > Concurrency: Safe from any thread, with any number of calls at once. None blocks a thread while the program runs; all
/// > of them together need one, `va-notify`; where the system lacks `pidfd_open(2)`, each has one, too. A call has 8 descriptors
/// open.
public struct CommandTranscriber: Transcriber {
    /// How a command is run.
    public struct Options: Sendable, Hashable {
        /// The longest that the program may run: over zero.
        public var deadline: Duration = .seconds(300)
        /// How long a program that was asked to end (`SIGTERM`) has for it, before it is killed.
        public var terminationGrace: Duration = .seconds(2)
        /// Bytes that the program may write to its output, at least 1; one that writes more is stopped, and the call fails.
        public var maxOutputBytes = 1 << 20
        /// The program's environment, and nothing else; `nil` hands on this process's. `PATH` is this process's either way.
        public var environment: [String: String]?
        /// Stands for `{language}` where a call names none.
        public var defaultLanguage: String?
        /// Whether the program wants a name that ends in `.wav`.
        public var needsNamedFile = false

        /// The defaults.
        public init() {}
    }

    /// How the command is run.
    public let options: Options
    private let command: CommandTemplate

    /// A command by its words.
    ///
    /// `{wav}` in an argument becomes the file's path, and `{language}` the language. Nothing else is special, quotes and
    /// spaces included. Any other name in braces is refused.
    ///
    /// - Parameters:
    ///   - program: Its path, or a name that is looked for in `PATH`. Whether it is there shows at the first call.
    ///   - arguments: One of them has `{wav}` in it.
    ///   - options: How it is run.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`.
    public init(_ program: String, arguments: [String], options: Options = Options()) throws(AudioError) {
        try self.init(CommandTemplate(program, arguments: arguments), options)
    }

    /// A command in one line.
    ///
    /// Words are split at white space; `'…'` and `"…"` group what they enclose. There are no escapes, variables, patterns or
    /// redirections. Placeholders are as in ``init(_:arguments:options:)``.
    ///
    /// - Parameters:
    ///   - command: The line.
    ///   - options: How it is run.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, also for a quote that is not closed.
    public init(command: String, options: Options = Options()) throws(AudioError) {
        try self.init(CommandTemplate(line: command), options)
    }

    private init(_ command: CommandTemplate, _ options: Options) throws(AudioError) {
        guard options.deadline > .zero, options.terminationGrace >= .zero, options.maxOutputBytes >= 1 else {
            throw AudioError(
                .invalidConfiguration,
                """
                a command with deadline \(options.deadline), termination grace \(options.terminationGrace) and at most \
                \(options.maxOutputBytes) bytes of output: a deadline over zero, no negative grace and at least 1 byte are \
                accepted
                """)
        }
        for (name, value) in options.environment ?? [:]
        where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) || (name + value).utf8.contains(0) {
            throw AudioError(
                .invalidConfiguration,
                "\"\(name.printable())\" is no environment variable: accepted are a name without =, and no NUL")
        }
        self.command = command
        self.options = options
    }

    public var needsNamedFile: Bool { options.needsNamedFile }

    /// Runs the command on a file; what it writes to its output is the text, without white space at the ends.
    ///
    /// Cancelling the task stops the program.
    ///
    /// - Parameters:
    ///   - wav: The file.
    ///   - language: A language tag such as `de` or `pt-BR`; `nil` stands for the options' default. The command must have a
    ///     `{language}` then, and only then.
    /// - Returns: The text as the program wrote it, invalid UTF-8 replaced. ``TranscriptSanitizer`` makes it fit to show.
    /// - Throws: ``AudioError`` with code `invalidConfiguration` (the language), `noSuchFile` or `permissionDenied` (the
    ///   program), `timedOut`, `cancelled`, `outputTooLarge`, `transcriberFailed` (the message has the program's status and
    ///   last words) or `outOfResources`.
    public func transcribe(
        _ wav: borrowing TemporaryWAV, language: String? = nil
    ) async throws(AudioError) -> Transcript {
        let language = language ?? options.defaultLanguage
        let clock = SystemClock()
        let start = clock.now
        let words = try command.words(wav: wav.path, language: language)
        let output = try await CommandRun(words: words, options: options).output()
        return Transcript(
            text: String(decoding: output, as: UTF8.self).trimmed(), language: language,
            elapsed: start.duration(to: clock.now))
    }
}

extension AudioError.Code {
    /// A transcriber could not do its work; the message has its last words.
    public static let transcriberFailed = Self(rawValue: "transcriberFailed")
    /// A program wrote more than was accepted.
    public static let outputTooLarge = Self(rawValue: "outputTooLarge")
}
