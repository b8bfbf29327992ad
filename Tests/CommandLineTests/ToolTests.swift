import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioMonitor

@testable import voice_audio

@Suite(.timeLimit(.minutes(5))) struct ToolTests {
    @Test func helpAndVersion() throws {
        for argument in ["--help", "-h"] {
            let help = try Tool.run(argument)
            #expect(help.status == 0)
            #expect(help.errors == "")
            for command in ["config", "devices"] { #expect(help.output.contains("\n  \(command) ")) }
            for code in [0, 64, 66, 69, 73, 74, 77, 78] { #expect(help.output.contains("\n  \(code) ")) }
        }
        for command in ["config", "devices"] {
            let help = try Tool.run(command, "--help")
            #expect(help.status == 0)
            #expect(help.output.hasPrefix("Usage: voice-audio \(command) "))
            #expect(help.output.contains("--json"))
            #expect(try Tool.run(command, "-h").output == help.output)
        }
        let version = try Tool.run("--version")
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: /voice-audio \d+\.\d+\.\d+\n/) != nil)
    }

    @Test(arguments: [
        ([], "no command is given; see voice-audio --help"),
        (["frobnicate"], "there is no command \"frobnicate\"; see voice-audio --help"),
        (["config", "--frob"], "\"--frob\" is unknown or ambiguous; see voice-audio config --help"),
        (["config", "-x"], "\"-x\" is unknown or ambiguous; see voice-audio config --help"),
        (["config", "--rate"], "--rate needs an argument, HZ; see voice-audio config --help"),
        (["config", "--json=1"], "--json takes no argument; see voice-audio config --help"),
        (["config", "--json", "extra"], "\"extra\" is not an option; see voice-audio config --help"),
        (["devices", "--", "--json"], "\"--json\" is not an option; see voice-audio devices --help"),
    ])
    func wrongUseIsSaid(arguments: [String], message: String) throws {
        let result = try Tool.run(arguments)
        #expect(result.status == 64)
        #expect(result.output == "")
        #expect(result.errors == "voice-audio: \(message)\n")
    }

    @Test func configListsEverySettingAndItsOrigin() throws {
        let result = try Tool.run(
            "config", "--rate", "48000", "--chan=2", environment: ["VOICE_AUDIO_MAX_MEMORY_MB": "5"])
        #expect(result.status == 0)
        #expect(result.errors == "")
        let rows = result.output.split(separator: "\n")
        #expect(rows.count == AudioConfiguration.Setting.allCases.count + MonitorSetting.allCases.count + 1)
        func row(_ name: String) -> [Substring] {
            rows.first { $0.hasPrefix(name + " ") }?.split(separator: " ", omittingEmptySubsequences: true) ?? []
        }
        #expect(row("VOICE_AUDIO_MAX_MEMORY_MB") == ["VOICE_AUDIO_MAX_MEMORY_MB", "5", "MiB", "environment"])
        #expect(row("VOICE_AUDIO_SAMPLE_RATE") == ["VOICE_AUDIO_SAMPLE_RATE", "48000", "Hz", "option"])
        #expect(row("VOICE_AUDIO_CHANNELS") == ["VOICE_AUDIO_CHANNELS", "2", "option"])
        #expect(row("VOICE_AUDIO_CHUNK_FRAMES") == ["VOICE_AUDIO_CHUNK_FRAMES", "4800", "frames", "default"])
        // Aligned: all origins begin in one column.
        let columns = Set(rows.map { $0.distance(from: $0.startIndex, to: $0.lastIndex(of: " ") ?? $0.startIndex) })
        #expect(columns.count == 1)
    }

    @Test func configSpeaksJSON() throws {
        let result = try Tool.run(
            "config", "--json", environment: ["VOICE_AUDIO_STOP_TIMEOUT_MS": "250", "VOICE_AUDIO_TEMPDIR": "/x"])
        #expect(result.status == 0)
        let document = try #require(try result.json() as? [String: Any])
        let settings = try #require(document["settings"] as? [[String: Any]])
        let names = AudioConfiguration.Setting.allCases.map(\.rawValue) + MonitorSetting.allCases.map(\.rawValue)
        #expect(settings.map { $0["setting"] as? String } == names)
        let timeout = try #require(settings.first { $0["setting"] as? String == "stopTimeout" })
        #expect(timeout["value"] as? Int == 250)
        #expect(timeout["unit"] as? String == "ms")
        #expect(timeout["from"] as? String == "environment")
        #expect(timeout["variable"] as? String == "VOICE_AUDIO_STOP_TIMEOUT_MS")
        let directory = try #require(settings.first { $0["setting"] as? String == "temporaryDirectory" })
        #expect(directory["value"] is NSNull)
        let warning =
            "VOICE_AUDIO_TEMPDIR is not a known variable and has no effect; the nearest known one is VOICE_AUDIO_TEMP_DIR"
        #expect(document["warnings"] as? [String] == [warning])
        #expect(result.errors == "voice-audio: warning: \(warning)\n")
    }

    @Test func configTellsOfAMonitorAndNeverItsToken() throws {
        let environment = [
            "VOICE_AUDIO_MONITOR_PORT": "0", "VOICE_AUDIO_MONITOR_TOKEN": "open-sesame-and-more",
            "VOICE_AUDIO_LOG_LEVEL": "trace",
        ]
        for arguments in [["config"], ["config", "--json"]] {
            let result = try Tool.run(arguments, environment: environment)
            #expect(result.status == 0)
            #expect(result.errors == "")
            #expect(!result.output.contains("sesame"))
        }
        let rows = try Tool.run("config", environment: environment).output.split(separator: "\n").map { row in
            row.split(separator: " ", omittingEmptySubsequences: true)
        }
        #expect(rows.contains(["VOICE_AUDIO_MONITOR_ADDRESS", "127.0.0.1", "default"]))
        #expect(rows.contains(["VOICE_AUDIO_MONITOR_PORT", "0", "environment"]))
        #expect(rows.contains(["VOICE_AUDIO_MONITOR_TOKEN", "set", "environment"]))
        #expect(rows.contains(["VOICE_AUDIO_MONITOR_TOKEN_FILE", "not", "set", "default"]))
        let refused = try Tool.run("config", environment: ["VOICE_AUDIO_MONITOR_TOKEN": "open sesame and more"])
        #expect(refused.status == 78)
        #expect(!refused.errors.contains("sesame"))
        let off = try Tool.run("config", environment: ["VOICE_AUDIO_MONITOR_TOKEN": "open-sesame-and-more"])
        #expect(off.status == 0)
        #expect(
            off.errors.hasPrefix("voice-audio: warning: VOICE_AUDIO_MONITOR_TOKEN has no effect: there is no monitor"))
    }

    @Test func badSettingsAreErrors() throws {
        let fromEnvironment = try Tool.run("config", environment: ["VOICE_AUDIO_MAX_MEMORY_MB": "0"])
        #expect(fromEnvironment.status == 78)
        #expect(fromEnvironment.output == "")
        #expect(
            fromEnvironment.errors
                == "voice-audio: VOICE_AUDIO_MAX_MEMORY_MB is \"0\": accepted are 1 to 1048576 (MiB)\n")
        let fromOption = try Tool.run("config", "--format", "s17")
        #expect(fromOption.status == 78)
        #expect(fromOption.errors == "voice-audio: --format is \"s17\": accepted are s16, s24, s32, f32\n")
    }

    /// Processes inherit it: this test runs in a thread of a pool, which blocks all signals.
    @Test func signalsEndARecordingAlsoWhereTheParentBlocksThem() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let process = Process()
        process.executableURL = Tool.url
        process.arguments = ["record", "--device", "sim:", "--output", file.path]
        process.standardError = FileHandle.nullDevice
        try process.run()
        let hasBegun = eventually { FileManager.default.fileExists(atPath: file.path) }
        #expect(hasBegun)
        process.terminate()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
    }

    @Test func theLogIsShownWhereItIsAskedFor() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let arguments = ["record", "--device", "sim:", "--seconds", "0.1", "--output", file.path]
        let silent = try Tool.run(arguments)
        #expect(silent.status == 0)
        #expect(!silent.errors.contains("info:"))
        let told = try Tool.run(arguments, environment: ["VOICE_AUDIO_LOG_LEVEL": "info"])
        #expect(told.errors.contains("voice-audio: info: capturing from \"sim:\""))
        #expect(told.errors.contains("[given: 16000 Hz, 1 ch, s16, periods of 1600 frames"))
    }

    @Test func anErrorOfTheDeviceIsNotBuriedInWhatALSASays() throws {
        let arguments = ["record", "--device", "hw:CARD=Nowhere", "--seconds", "0.1", "--output", "-"]
        let result = try Tool.run(arguments)
        #expect(result.status == 66)
        #expect(result.errors.hasPrefix("voice-audio: no capture device \"hw:CARD=Nowhere\""))
        #expect(result.errors.split(separator: "\n").count == 1)
        let told = try Tool.run(arguments, environment: ["VOICE_AUDIO_LOG_LEVEL": "warning"])
        #expect(told.errors.split(separator: "\n").count > 1)
    }

    @Test func devicesAreListed() throws {
        var (names, table, json) = try listing()
        // Another test may have pointed ALSA at a server of its own, or back, meanwhile.
        for _ in 0..<3 where try CaptureDevices.list().map(\.name) != names { (names, table, json) = try listing() }
        #expect(table.status == 0)
        // Behind a blank line the sound cards follow, where there are any.
        let rows = table.output.split(separator: "\n", omittingEmptySubsequences: false).prefix { !$0.isEmpty }
        #expect(rows.dropFirst().map { String($0.prefix { $0 != " " }) } == names)
        let told = try #require(try json.json() as? [String: [[String: Any]]])
        #expect(told["devices"]?.map { $0["name"] as? String } == names)
        #expect(told["cards"]?.map { $0["index"] as? Int } == CaptureDevices.cards().map(\.index))
    }

    private func listing() throws -> (names: [String], table: Tool.Result, json: Tool.Result) {
        try (CaptureDevices.list().map(\.name), Tool.run("devices"), Tool.run("devices", "--json"))
    }

    @Test func watchingDevicesEndsWithCtrlC() throws {
        let process = Process()
        process.executableURL = Tool.url
        process.arguments = ["devices", "--watch"]
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let told = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
        #expect(told == "voice-audio: watching \(CaptureDevices.cards().count) sound cards; Ctrl-C ends it\n")
        process.interrupt()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        #expect(process.terminationStatus == 0)
    }

    @Test func aFullDiskIsAnError() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec '\(Tool.url.path)' config --help > /dev/full"]
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 74)
        #expect(text == "voice-audio: standard output: No space left on device\n")
    }

    @Test func everyErrorHasItsStatus() {
        let expected: [(AudioError.Code, Int32)] = [
            (.invalidConfiguration, 78), (.unsupportedFormat, 78), (.noSuchDevice, 66), (.noSuchFile, 66),
            (.unreadableFile, 66), (.busy, 69), (.deviceLost, 69), (.permissionDenied, 77), (.deviceFailed, 74),
            (.diskFull, 74), (.notWritable, 73), (.outOfResources, 71), (.limitReached, 71), (.invalidState, 70),
            (.init(rawValue: "something new"), 70),
        ]
        for (code, status) in expected { #expect(ExitCode(code).rawValue == status) }
    }

    @Test func columnsAreAligned() {
        #expect(aligned([["a", "bb", "c"], ["aaa", "b", "c"], ["x"]]) == "a    bb  c\naaa  b   c\nx")
        #expect(aligned([]) == "")
    }
}
