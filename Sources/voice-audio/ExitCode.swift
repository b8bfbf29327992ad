import VoiceAudio

/// What the tool exits with: the values of `sysexits.h`.
enum ExitCode: Int32, CaseIterable {
    case ok = 0
    case usage = 64
    case noInput = 66
    case unavailable = 69
    case software = 70
    case system = 71
    case cannotCreate = 73
    case inputOutput = 74
    case noPermission = 77
    case configuration = 78

    /// For the help.
    var meaning: String {
        switch self {
        case .ok: "done"
        case .usage: "wrong use of the command line"
        case .noInput: "no such device or file, or it is not readable as sound"
        case .unavailable: "the device or the port is busy, or the device went away"
        case .software: "anything else"
        case .system: "memory, descriptors or threads ran out"
        case .cannotCreate: "the output cannot be created or written"
        case .inputOutput: "the device failed, or the disk is full"
        case .noPermission: "the system refuses access"
        case .configuration: "a setting is not accepted, or the device does not support it"
        }
    }

    /// The only place that tells which error exits with which status.
    init(_ code: AudioError.Code) {
        self =
            switch code {
            case .invalidConfiguration, .unsupportedFormat: .configuration
            case .noSuchDevice, .noSuchFile, .unreadableFile: .noInput
            case .busy, .deviceLost: .unavailable
            case .permissionDenied: .noPermission
            case .deviceFailed, .diskFull: .inputOutput
            case .notWritable: .cannotCreate
            case .outOfResources, .limitReached: .system
            default: .software
            }
    }
}

/// Why a command ends without success.
struct CommandFailure: Error {
    let exitCode: ExitCode
    /// Empty where all has been said.
    let message: String

    init(_ error: AudioError) {
        exitCode = ExitCode(error.code)
        message = error.message
    }

    /// - Parameter exitCode: What to exit with; why was told already.
    init(told exitCode: ExitCode) {
        self.exitCode = exitCode
        message = ""
    }

    /// - Parameters:
    ///   - usage: What is wrong with the arguments.
    ///   - command: Whose help helps; `nil` for the tool's own.
    init(usage: String, of command: Command?) {
        exitCode = .usage
        let name = command.map { "voice-audio \($0.name)" } ?? "voice-audio"
        message = "\(usage); see \(name) --help"
    }
}
