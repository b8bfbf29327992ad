import Foundation
import TestSupport
import Testing
import VoiceAudio

/// A transcriber that runs a shell script, which finds the file in `$1`.
func script(
    _ text: String, arguments: [String] = [], _ change: (inout CommandTranscriber.Options) -> Void = { _ in }
) throws -> CommandTranscriber {
    var options = CommandTranscriber.Options()
    options.deadline = .seconds(60)
    options.terminationGrace = .milliseconds(50)
    change(&options)
    return try CommandTranscriber("/bin/sh", arguments: ["-c", text, "script", "{wav}"] + arguments, options: options)
}

extension Transcriber {
    /// Transcribes a hundred samples.
    func transcribeAnything(language: String? = nil) async throws -> Transcript {
        try await transcribe(
            samples: [Int16](repeating: 1, count: 100), format: .speech, language: language, minimumFreeBytes: 0)
    }

    /// The error that this ends with.
    func failure(language: String? = nil) async -> AudioError? {
        do {
            let transcript = try await transcribeAnything(language: language)
            Issue.record("it answered \"\(transcript.text.prefix(100))\"")
            return nil
        } catch {
            guard let error = error as? AudioError else {
                Issue.record("\(error)")
                return nil
            }
            return error
        }
    }
}

/// Whether a process is there that has not exited: one that is not reaped yet is gone.
func isAlive(_ process: pid_t) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let name = stat.lastIndex(of: ")")
    else { return false }
    return stat[name...].dropFirst(2).first != "Z"
}

func isGone(_ process: pid_t) -> Bool { eventually { !isAlive(process) } }
