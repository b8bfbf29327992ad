import Foundation
import Testing
import VoiceAudio

@testable import VoiceAudioMonitor

/// What the environment says of a monitor.
struct MonitorSettingsTests {
    private let token = "a-secret+token/="

    private func configuration(_ variables: [String: String]) throws -> MonitorConfiguration? {
        try MonitorConfiguration(environment: .init(Self.named(variables)))
    }

    private static func named(_ variables: [String: String]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: variables.map { ("VOICE_AUDIO_MONITOR_" + $0.key, $0.value) })
    }

    /// What `body` throws.
    private func error(_ body: () throws -> Void) -> AudioError? {
        do { try body() } catch { return error as? AudioError }
        return nil
    }

    @Test func itIsOffUnlessItIsAskedFor() throws {
        #expect(try configuration([:]) == nil)
        #expect(try configuration(["TOKEN": token, "ADDRESS": "::1"]) == nil)
        let warnings = try MonitorSettings(environment: .init(Self.named(["TOKEN": token, "ADDRESS": "::1"]))).warnings
        #expect(warnings.count == 2)
        #expect(warnings.first?.hasPrefix("VOICE_AUDIO_MONITOR_ADDRESS has no effect: there is no monitor") == true)
    }

    @Test func whatIsSetIsTaken() throws {
        #expect(
            try configuration(["PORT": "8080"])
                == MonitorConfiguration(endpoint: .tcp(address: "127.0.0.1", port: 8080)))
        #expect(
            try configuration(["PORT": " 0 ", "ADDRESS": " ::1 ", "TOKEN": " \(token) \n"])
                == MonitorConfiguration(endpoint: .tcp(address: "::1", port: 0), token: token))
        #expect(
            try configuration(["PORT": "1", "HOSTS": "recorder.lan, my-host"])?.allowedHosts == [
                "recorder.lan", "my-host",
            ])
        let path = "/run/" + String(repeating: "x", count: 102)
        #expect(
            try configuration(["ADDRESS": "unix:\(path)"]) == MonitorConfiguration(endpoint: .unixSocket(path: path)))
        let settings = try MonitorSettings(environment: .init(Self.named(["ADDRESS": "unix:/run/a", "PORT": "1"])))
        #expect(
            settings.warnings == ["VOICE_AUDIO_MONITOR_PORT has no effect: the monitor's address is unix:/run/a"])
    }

    @Test(arguments: [
        ("PORT", ""), ("PORT", "-1"), ("PORT", "+1"), ("PORT", "65536"), ("PORT", "80 80"), ("PORT", "http"),
        ("ADDRESS", ""), ("ADDRESS", "localhost"), ("ADDRESS", "127.0.0"), ("ADDRESS", "127.0.0.1:80"),
        ("ADDRESS", "[::1]"), ("ADDRESS", "unix:"), ("ADDRESS", "unix:run/a"), ("ADDRESS", "unix:/a\nb"),
        ("ADDRESS", "unix:/run/" + String(repeating: "x", count: 103)), ("TOKEN_FILE", ""), ("HOSTS", ""),
        ("HOSTS", "a,,b"), ("HOSTS", "http://a"), ("HOSTS", "a:80"), ("TOKEN_FILE", "/a\u{1B}"),
    ])
    func whatIsNotAcceptedIsNamed(name: String, value: String) throws {
        let error = error { _ = try configuration([name: value]) }
        #expect(error?.code == .invalidConfiguration)
        let setting = try #require(MonitorSetting.allCases.first { $0.variable == "VOICE_AUDIO_MONITOR_" + name })
        #expect(error?.message == "\(setting.variable) is \"\(value)\": accepted are \(setting.accepted)")
    }

    @Test func allProblemsAreToldAtOnceAndNoToken() throws {
        let error = error { _ = try configuration(["PORT": "x", "TOKEN": "open sesame", "ADDRESS": "y"]) }
        #expect(
            error?.message.components(separatedBy: "; ").map { $0.prefix { $0 != " " } } == [
                "VOICE_AUDIO_MONITOR_ADDRESS", "VOICE_AUDIO_MONITOR_PORT", "VOICE_AUDIO_MONITOR_TOKEN",
            ])
        #expect(error?.message.contains("sesame") == false)
    }

    @Test(arguments: [
        "", " ", "fifteen-letters", "sixteen letters and more", "sixteen-umläuts-", "sixteen-letters\u{7F}",
        String(repeating: "x", count: 257),
    ])
    func noToken(_ token: String) {
        #expect(error { _ = try configuration(["PORT": "1", "TOKEN": token]) }?.code == .invalidConfiguration)
    }

    @Test func theTokenMayStandInAFile() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let variables = ["PORT": "1", "TOKEN_FILE": file.path]
        #expect(error { _ = try configuration(variables) }?.code == .noSuchFile)
        for text in [token, token + "\n", " \(token) \r\nanother\n"] {
            try Data(text.utf8).write(to: file)
            #expect(try configuration(variables)?.token == token)
        }
        for text in ["", "\n\(token)", "an open secret\n", String(repeating: "s", count: 5000)] {
            try Data(text.utf8).write(to: file)
            let error = error { _ = try configuration(variables) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.hasPrefix("the first line of \"\(file.path)\" is no token") == true)
            #expect(error?.message.contains("secret") == false)
        }
        #expect(
            error { _ = try configuration(variables.merging(["TOKEN": token]) { $1 }) }?.code == .invalidConfiguration)
        #expect(error { _ = try configuration(["PORT": "1", "TOKEN_FILE": "/tmp"]) }?.code == .unreadableFile)
    }

    @Test func optionsComeBeforeTheEnvironment() throws {
        var settings = try MonitorSettings(environment: .init(Self.named(["TOKEN": token, "ADDRESS": "0.0.0.0"])))
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("another-secret-token".utf8).write(to: file)
        try settings.set(.tokenFile, to: file.path, as: "--token-file")
        try settings.set(.address, to: "127.0.0.2", as: "--address")
        settings.turnOn(port: 8080)
        #expect(
            try settings.configuration()
                == MonitorConfiguration(endpoint: .tcp(address: "127.0.0.2", port: 8080), token: "another-secret-token")
        )
        #expect(
            error { try settings.set(.port, to: "x", as: "--port") }?.message
                == "--port is \"x\": accepted are \(MonitorSetting.port.accepted)")
        // What was asked for stays.
        try settings.set(.port, to: "1", as: "--port")
        settings.turnOn(port: 8080)
        #expect(try settings.configuration()?.endpoint == .tcp(address: "127.0.0.2", port: 1))
    }

    @Test func theConfigurationDocumentHasTheTable() throws {
        let document = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Docs/Configuration.md").standardized
        let rows = try String(contentsOf: document, encoding: .utf8).split(separator: "\n")
            .filter { $0.hasPrefix("| `VOICE_AUDIO_MONITOR_") }.map(String.init)
        #expect(
            rows == MonitorSetting.allCases.map { "| `\($0.variable)` | \($0.defaultText) | \($0.accepted) |" })
        // Elsewhere these names are known, too.
        let variables = Dictionary(uniqueKeysWithValues: MonitorSetting.allCases.map { ($0.variable, "x") })
        #expect(try AudioConfiguration(environment: .init(variables)).warnings == [])
    }
}
