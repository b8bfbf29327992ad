import Foundation
import TestSupport
import Testing
import VoiceAudio

@testable import voice_audio

@Suite(.timeLimit(.minutes(5))) struct DoctorTests {
    private func visit(
        _ arguments: String..., environment: [String: String] = [:]
    ) throws -> (status: Int32, diagnosis: Diagnosis) {
        let result = try Tool.run(["doctor", "--json"] + arguments, environment: environment)
        #expect(result.errors == "")
        return (result.status, try JSONDecoder().decode(Diagnosis.self, from: Data(result.output.utf8)))
    }

    @Test func whereSoundComesItSaysSoAndExitsWithZero() throws {
        func look() throws -> Tool.Result {
            try Tool.run(
                "doctor", "--device", "sim:tone=440", "--seconds", "0.2",
                environment: ["LC_ALL": "C.UTF-8", "VOICE_AUDIO_MIN_FREE_DISK_MB": "0"])
        }
        var text = try look()
        // The device holds half a second: once more where this machine stood still for longer.
        for _ in 0..<9 where text.output.contains("this machine is too busy") { text = try look() }
        #expect(text.status == 0)
        #expect(text.errors == "")
        let lines = text.output.split(separator: "\n")
        #expect(lines.first == "  ✓ the settings are valid")
        #expect(lines.contains("  ✓ sound comes: peak -6.0 dBFS, mean -9.0 dBFS in 0.2 s"))
        #expect(lines.allSatisfy { $0.hasPrefix("  ✓ ") })
        let ascii = try Tool.run(
            "doctor", "--device", "sim:tone=440", "--seconds", "0.2", environment: ["LC_ALL": "C"])
        #expect(ascii.output.utf8.allSatisfy { $0 < 128 })
        #expect(ascii.output.hasPrefix("  + the settings are valid\n"))
    }

    @Test func itExitsAsRecordWould() throws {
        #expect(try visit("--rate", "7").status == 78)
        let missing = try visit("--device", "sim:/nowhere.wav")
        #expect(missing.status == 66)
        #expect(missing.diagnosis.firstFailure?.check == .device)
        #expect(try visit("--device", "null", "--seconds", "0.2").status == 74)
        for arguments in [["--rate", "7"], ["--device", "sim:/nowhere.wav"]] {
            let record = try Tool.run(["record", "--output", "-"] + arguments)
            #expect(try Tool.run(["doctor"] + arguments).status == record.status)
        }
    }

    @Test func aBadSettingOfTheEnvironmentIsAFinding() throws {
        let visit = try visit(environment: ["VOICE_AUDIO_CHANNELS": "none"])
        #expect(visit.status == 78)
        #expect(visit.diagnosis.device == nil)
        #expect(visit.diagnosis.firstFailure?.message == "VOICE_AUDIO_CHANNELS is \"none\": accepted are 1 to 64")
        #expect(visit.diagnosis.findings.map(\.check) == Finding.Check.allCases)
        #expect(visit.diagnosis.findings.dropFirst().allSatisfy { $0.outcome == .skipped })
        let misspelt = try self.visit(
            "--device", "sim:", "--seconds", "0.1", environment: ["VOICE_AUDIO_CHANELS": "1"])
        #expect(misspelt.status == 0)
        #expect(misspelt.diagnosis.findings.first?.outcome == .warning)
        #expect(misspelt.diagnosis.findings.first?.message.contains("VOICE_AUDIO_CHANNELS") == true)
    }

    @Test func aFullDiskAndAMissingDirectoryAreWarnings() throws {
        let visit = try visit(
            "--device", "sim:tone=440", "--seconds", "0.1",
            environment: ["VOICE_AUDIO_MIN_FREE_DISK_MB": "1048576", "VOICE_AUDIO_TEMP_DIR": "/nowhere"])
        #expect(visit.status == 0)
        let disk = visit.diagnosis.findings.filter { $0.check == .disk }
        #expect(disk.map(\.outcome) == [.warning, .warning])
        #expect(disk.first?.message.contains("/nowhere") == true)
        #expect(disk.last?.message.contains("too little space") == true)
    }

    @Test func itsJSONHasTheseKeys() throws {
        let output = try Tool.run(
            "doctor", "--json", "--device", "null", "--seconds", "0.1",
            environment: ["VOICE_AUDIO_TEMP_DIR": "/nowhere"]
        ).output
        let keys = Set(output.matches(of: #/"([^"\\]+)" : /#).map { String($0.1) })
        let own: Set = [
            "device", "findings", "check", "outcome", "message", "remedies", "command", "note", "error_code",
        ]
        #expect(keys.isSuperset(of: own.union(["capture", "level", "rms", "peak"])))
        #expect(keys.subtracting(own).allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
    }

    @Test func itsTextIsInGroups() {
        let diagnosis = Diagnosis(
            device: "default",
            findings: [
                Finding(.settings, .fine, "one"),
                Finding(
                    .kernel, .failure, "two",
                    remedies: [.init("do", note: "this"), .init("that"), .init(note: "think")]),
                Finding(.disk, .warning, "three"), Finding(.format, .skipped, "for that"),
                Finding(.sound, .skipped, "for that"), Finding(.losses, .skipped, "for this"),
            ])
        let expected = """
              x two
                  do    this
                  that
                  think
              ! three
              - not looked at: format, sound: for that
              - not looked at: losses: for this
            """
        #expect(DoctorText(marks: false).text(of: diagnosis) == "  + one\n" + expected)
    }

    @Test func theLocaleSaysWhetherMarksMayBeMoreThanASCII() {
        func isUTF8Locale(_ variables: [String: String]) -> Bool { isUTF8 { variables[$0] } }
        #expect(isUTF8Locale(["LANG": "en_GB.UTF-8"]))
        #expect(isUTF8Locale(["LC_ALL": "", "LC_CTYPE": "C.utf8", "LANG": "C"]))
        #expect(isUTF8Locale(["LANG": "de_DE.UTF-8@euro"]))
        #expect(!isUTF8Locale(["LC_ALL": "C", "LANG": "en_GB.UTF-8"]))
        #expect(!isUTF8Locale(["LANG": "de_DE.ISO-8859-1"]))
        #expect(!isUTF8Locale([:]))
    }

    @Test func wrongUseIsSaid() throws {
        let result = try Tool.run("doctor", "--seconds", "0")
        #expect(result.status == 64)
        #expect(
            result.errors
                == "voice-audio: --seconds is \"0\": accepted are numbers above 0, up to 1000000000; see voice-audio "
                + "doctor --help\n")
        #expect(try Tool.run("doctor", "--help").output.hasPrefix("Usage: voice-audio doctor "))
    }

    // MARK: A sound server

    /// Muted, silent, playing and gone, each as the server's clients see it.
    @Test func aSoundServersStateIsTold() throws {
        let server = try PulseServer()
        defer { server.stop() }
        let environment = server.environment
        func visitServer(seconds: String = "0.3") throws -> (status: Int32, diagnosis: Diagnosis) {
            func look() throws -> (status: Int32, diagnosis: Diagnosis) {
                try visit("--device", server.device, "--seconds", seconds, environment: environment)
            }
            var seen = try look()
            // Once more where the server came too late.
            for _ in 0..<9 where seen.diagnosis.findings.contains(where: { $0.message.hasSuffix("it is stalled") }) {
                seen = try look()
            }
            return seen
        }
        func finding(_ check: Finding.Check, _ diagnosis: Diagnosis) throws -> Finding {
            try #require(diagnosis.findings.first { $0.check == check }, "\(diagnosis.findings)")
        }

        let silent = try visitServer()
        #expect(silent.status == 74)
        #expect(try finding(.server, silent.diagnosis).outcome == .fine)
        #expect(try finding(.mixer, silent.diagnosis).message == "the mixer lets sound in: 'Capture' at 100 %")
        let silence = try finding(.sound, silent.diagnosis)
        #expect(silence.message.contains("exact zeros"))
        #expect(silence.remedies.contains { $0.command?.contains("pactl get-default-source") == true })

        try shell("pactl set-source-mute @DEFAULT_SOURCE@ 1", environment)
        let muted = try finding(.mixer, try visitServer().diagnosis)
        #expect(muted.outcome == .failure)
        let command = try #require(muted.remedies.first?.command)
        #expect(command == "amixer -D pulse sset 'Capture' cap")
        try shell(command, environment)
        #expect(try finding(.mixer, try visitServer().diagnosis).outcome == .fine)

        let player = try server.play(file: try buzz(in: server.directory))
        var playing = try visitServer(seconds: "1")
        // The player takes its time to begin.
        for _ in 0..<20 where playing.status != 0 && player.isRunning { playing = try visitServer(seconds: "1") }
        // A test's thread blocks all other signals, and hands that down.
        _ = kill(player.processIdentifier, SIGKILL)
        player.waitUntilExit()
        #expect(playing.status == 0)
        #expect(playing.diagnosis.firstFailure == nil, "\(playing.diagnosis.findings)")

        server.kill()
        let gone = try visitServer()
        #expect(gone.status == 74)
        let refused = try finding(.server, gone.diagnosis)
        #expect(refused.outcome == .failure)
        #expect(refused.message.hasPrefix("the sound server does not answer (Connection refused): "))
        #expect(refused.remedies.first?.command == "unset PULSE_SERVER")
        #expect(try finding(.mixer, gone.diagnosis).outcome == .skipped)
    }

    private func shell(_ command: String, _ environment: [String: String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command)")
    }

    /// A minute of a buzz, in a sound file.
    private func buzz(in directory: String) throws -> String {
        let path = directory + "/buzz.wav"
        let writer = try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0)
        let samples = (0..<960_000).map { Int16($0 % 997 * 8) - 4000 }
        // SAFETY: whole numbers are plain bytes.
        try writer.append(unsafe samples.span.bytes)
        try writer.finish()
        return path
    }
}
