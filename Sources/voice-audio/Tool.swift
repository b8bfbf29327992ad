import CLinux
import Glibc
import VoiceAudio

/// The tool's version, which is the package's.
let version = "0.1.0"

/// The commands, in the order of the help.
let commands = [recordCommand, monitorCommand, devicesCommand, doctorCommand, configCommand]

/// Runs the command that `arguments` name.
///
/// - Returns: The status to exit with, a value of ``ExitCode``.
func runTool(_ arguments: [String]) -> Int32 {
    do throws(CommandFailure) {
        guard let first = arguments.first else { throw CommandFailure(usage: "no command is given", of: nil) }
        if ["--help", "-h"].contains(first) {
            print(toolHelp())
        } else if first == "--version" {
            print("voice-audio \(version)")
        } else if let command = commands.first(where: { $0.name == first }) {
            try run(command, Array(arguments.dropFirst()))
        } else {
            throw CommandFailure(usage: "there is no command \"\(first)\"", of: nil)
        }
        return try finishOutput()
    } catch {
        if !error.message.isEmpty { printError(error.message) }
        return error.exitCode.rawValue
    }
}

private func run(_ command: Command, _ arguments: [String]) throws(CommandFailure) {
    let options = try parse(arguments, for: command)
    if options.has("help") {
        print(command.help())
    } else {
        try command.run(options)
    }
}

/// Makes sure that what was printed has arrived.
private func finishOutput() throws(CommandFailure) -> Int32 {
    // What failed while more was printed is forgotten by now: another character meets it again.
    if clinux_output_has_failed() != 0 { _ = putchar(10) }
    // No stream stands for all of them.
    guard fflush(nil) == 0 else {
        let status = errno
        let code: AudioError.Code = status == ENOSPC || status == EDQUOT ? .diskFull : .notWritable
        throw CommandFailure(
            AudioError(code, "standard output: \(AudioError.text(ofSystemStatus: status))", status: status))
    }
    return ExitCode.ok.rawValue
}

/// Tells the user something on standard error.
func printError(_ message: String) { StandardError.write("voice-audio: \(message)\n") }
