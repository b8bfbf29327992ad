import VoiceAudioCore
import VoiceAudioIO

/// All that was looked at. What follows from it is worked out here and in the files beside, without a further look.
struct Examination {
    /// A mixer, as far as it could be read.
    struct Mixer {
        /// The control device.
        var control: String
        /// A negative `errno` value where it could not be read.
        var status: Int32
        var elements: [MixerElement]
    }

    var configuration: AudioConfiguration
    var system: SoundSystem
    var listening: Listening
    /// `nil` where none belongs to the device, or it was not asked.
    var mixer: Mixer?
    var diskProblems: [AudioError]

    var device: String { configuration.device }

    var findings: [Finding] {
        settingsFindings + kernelFindings + permissionFindings + deviceFindings + busyFindings + serverFindings
            + mixerFindings + formatFindings + soundFindings + lossesFindings + priorityFindings + diskFindings
    }

    private var settingsFindings: [Finding] {
        let warnings = configuration.warnings.map { warning in
            Finding(
                .settings, .warning, warning,
                remedies: [.init("voice-audio config", note: "lists the settings in force")])
        }
        return warnings.isEmpty ? [Finding(.settings, .fine, "the settings are valid")] : warnings
    }

    /// The check that explains why capturing failed; `nil` where it did not.
    var cause: Finding.Check? {
        guard let error = listening.error else { return nil }
        // What went wrong later is no matter of the way there.
        guard listening.report == nil else { return .sound }
        if needsCard, capturingCards.isEmpty || !system.kernel.hasNodes { return .kernel }
        if needsCard, !system.nodes.contains(where: \.canOpen) { return .permission }
        switch error.code {
        case .noSuchDevice, .invalidConfiguration, .noSuchFile, .unreadableFile: return .device
        case .permissionDenied: return system.route.isServer ? .server : .permission
        case .busy: return .busy
        case .unsupportedFormat: return .format
        default: return system.route.isServer ? .server : .sound
        }
    }

    /// Why a check could not be made; `nil` where the device opened.
    var obstacle: String? {
        switch cause {
        case nil: nil
        case .kernel: "there is no sound card to capture from"
        case .permission: "the sound card may not be opened"
        case .device: "there is no such device"
        case .busy: "the device is busy"
        case .server: "the sound server does not answer"
        default: "nothing could be captured"
        }
    }

    var capturingCards: [SoundCard] { system.cards.filter { !$0.capturingPCMs.isEmpty } }

    /// Whether the device is one of a sound card, or is to be.
    var needsCard: Bool {
        switch system.route {
        case .card, .missingCard: true
        // A misspelt name of something that needs none?
        case .nothing: nearNames.isEmpty
        case .plugin, .simulated: false
        }
    }

    /// A check that is only to say that it could not be made, for a cause that was found earlier.
    func skipped(_ check: Finding.Check) -> [Finding] { [Finding(check, .skipped, obstacle ?? "nothing was captured")] }
}

/// `text` as one word of a shell's.
func shellWord(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ":=,._/+@%-".utf8.contains(byte)
        }
    }
    return isPlain && !text.isEmpty ? text : quoted(text)
}

/// `text` between single quotes.
func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
}
