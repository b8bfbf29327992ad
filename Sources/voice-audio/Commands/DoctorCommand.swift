import Glibc
import VoiceAudio

let doctorCommand = Command(
    name: "doctor", summary: "Tells why there is no sound, and what mends it.",
    options: configurationOptions + [
        Option("seconds", "TIME", help: "Listen for this long, such as 5 or 0.5; else for 2."),
        Option("json", help: "Print JSON."),
    ],
    details: {
        """
        It looks at the settings, the sound cards and who may use them, the device and who holds it, the sound server, the
        mixer, and the disk; and it listens. It changes nothing. It exits with 0 where sound comes, else with what record
        would exit with for the first thing that is wrong.
        """
    },
    run: { options throws(CommandFailure) in
        let seconds = try options["seconds"].map { text throws(CommandFailure) in
            try duration(text, option: "seconds", of: doctorCommand)
        }
        let doctor = AudioDoctor(configuration: try settings(from: options))
        let length = seconds ?? .seconds(2)
        if isatty(STDERR_FILENO) == 1 { printError("listening for \(length): say something") }
        let diagnosis = doctor.examine(listeningFor: length)
        if options.has("json") {
            try printJSON(diagnosis)
        } else {
            print(DoctorText(marks: isUTF8(localeOf: environmentVariable)).text(of: diagnosis))
        }
        if let failure = diagnosis.firstFailure {
            throw CommandFailure(told: failure.errorCode.map { ExitCode($0) } ?? .software)
        }
    })

/// A diagnosis for people.
struct DoctorText {
    private let marks: (fine: String, warning: String, failure: String)

    /// - Parameter marks: Whether the terminal shows more than ASCII.
    init(marks isUTF8: Bool) { marks = isUTF8 ? ("✓", "!", "✗") : ("+", "!", "x") }

    func text(of diagnosis: Diagnosis) -> String {
        var lines: [String] = []
        for finding in diagnosis.findings {
            guard let mark = mark(finding.outcome) else { continue }
            lines.append("  \(mark) \(finding.message)")
            lines += finding.remedies.map { remedy in
                "      " + [remedy.command, remedy.note].compactMap { $0 }.joined(separator: "    ")
            }
        }
        return (lines + skipped(diagnosis)).joined(separator: "\n")
    }

    private func mark(_ outcome: Finding.Outcome) -> String? {
        switch outcome {
        case .fine: marks.fine
        case .warning: marks.warning
        case .failure: marks.failure
        case .skipped: nil
        }
    }

    /// A line for all that was not looked at for one reason.
    private func skipped(_ diagnosis: Diagnosis) -> [String] {
        let skipped = diagnosis.findings.filter { $0.outcome == .skipped }
        var reasons: [String] = []
        for finding in skipped where !reasons.contains(finding.message) { reasons.append(finding.message) }
        return reasons.map { reason in
            let checks = skipped.filter { $0.message == reason }.map(\.check.rawValue).joined(separator: ", ")
            return "  - not looked at: \(checks): \(reason)"
        }
    }
}
