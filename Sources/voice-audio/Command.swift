/// A subcommand.
struct Command: Sendable {
    let name: String
    /// One line for the list of commands.
    let summary: String
    /// What its own help says besides its options.
    let details: @Sendable () -> String
    let options: [Option]
    let run: @Sendable (ParsedOptions) throws(CommandFailure) -> Void

    init(
        name: String, summary: String, options: [Option], details: @escaping @Sendable () -> String = { "" },
        run: @escaping @Sendable (ParsedOptions) throws(CommandFailure) -> Void
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.options = options + [Option("help", help: "Say this, and do nothing.")]
        self.run = run
    }
}

/// One option of a command.
struct Option: Sendable {
    let name: String
    /// What its argument is called in the help; `nil` where it takes none.
    let argument: String?
    let help: String

    init(_ name: String, _ argument: String? = nil, help: String) {
        self.name = name
        self.argument = argument
        self.help = help
    }
}

extension Command {
    /// Usage, options and exit codes.
    func help() -> String {
        let rows = options.map { option in
            let short = option.name == "help" ? "-h, " : ""
            return ["  \(short)--\(option.name)" + (option.argument.map { " \($0)" } ?? ""), option.help]
        }
        let parts = [
            "Usage: voice-audio \(name) [OPTION]...\n\(summary)", "Options:\n" + aligned(rows), details(),
            exitCodeHelp(),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }
}

/// The help of the tool as a whole.
func toolHelp() -> String {
    """
    Usage: voice-audio COMMAND [OPTION]...
           voice-audio --help | --version
    Captures sound with a hard bound on memory.

    Commands:
    \(aligned(commands.map { ["  " + $0.name, $0.summary] }))

    voice-audio COMMAND --help tells more of each. Settings are read from VOICE_AUDIO_* variables, too: voice-audio config
    lists them.

    \(exitCodeHelp())
    """
}

private func exitCodeHelp() -> String {
    "Exits with:\n" + aligned(ExitCode.allCases.map { ["  \($0.rawValue)", $0.meaning] })
}
