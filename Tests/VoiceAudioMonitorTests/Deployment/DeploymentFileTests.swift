import Foundation
import TestSupport
import Testing
import VoiceAudio

@testable import VoiceAudioMonitor

/// The files for those who run the program are checked by the programs that they are for.
@Suite(.timeLimit(.minutes(5))) final class DeploymentFileTests {
    private static let documents = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Docs")
        .standardized
    /// A copy of the files.
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("deployment-\(UUID())")

    init() throws {
        try FileManager.default.copyItem(at: Self.documents.appendingPathComponent("Deployment"), to: folder)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }

    private func replace(_ old: String, with new: String, in name: String) throws {
        let before = try text(name)
        #expect(before.contains(old))
        try before.replacingOccurrences(of: old, with: new).write(
            to: folder.appendingPathComponent(name), atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: folder.appendingPathComponent(name).path)
    }

    @Test func systemdTakesTheUnit() throws {
        guard let tool = InstalledTool("systemd-analyze", package: "systemd") else { return }
        let unit = folder.appendingPathComponent("voice-audio.service").path
        // It looks whether the program is there.
        try replace("/usr/bin/voice-audio", with: "/bin/true", in: "voice-audio.service")
        let answer = try tool.run("verify", "--man=no", unit)
        #expect(answer.status == 0 && answer.output == "", "\(answer.output)")
        // Of 0 (shut away) to 10 (may do all), in tenths; before version 250 it asks the system's systemd alone.
        let version = try #require(tool.run("--version").output.firstMatch(of: /systemd (\d+)/)).1
        if Int(version) ?? 0 < 250 {
            return print("skipped: systemd \(version) cannot judge a unit that is not installed")
        }
        let exposure = try tool.run("security", "--offline=true", "--threshold=20", "--no-pager", unit)
        #expect(exposure.status == 0, "\(exposure.output)")
    }

    @Test func systemdsCheckFindsWhatIsWrong() throws {
        guard let tool = InstalledTool("systemd-analyze", package: "systemd") else { return }
        try replace("/usr/bin/voice-audio", with: "/bin/true", in: "voice-audio.service")
        try replace("ProtectSystem=strict", with: "ProtektSystem=strict", in: "voice-audio.service")
        let answer = try tool.run("verify", "--man=no", folder.appendingPathComponent("voice-audio.service").path)
        #expect(answer.output.contains("ProtektSystem"))
    }

    @Test func logrotateTakesItsFileAndRotates() throws {
        guard let tool = InstalledTool("logrotate", package: "logrotate") else { return }
        // It takes no logs from a directory that others may write to.
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.path)
        let log = folder.appendingPathComponent("voice-audio.log")
        try replace("/var/log/voice-audio.log", with: log.path, in: "voice-audio.logrotate")
        // SAFETY: the path is NUL-terminated for the call. Opened for appending, as systemd does.
        let descriptor = unsafe open(log.path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        let service = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try service.write(contentsOf: Data("before\n".utf8))
        let arguments = ["--state", folder.appendingPathComponent("state").path]
        let configuration = folder.appendingPathComponent("voice-audio.logrotate").path
        let debug = try tool.run("--debug", arguments[0], arguments[1], configuration)
        #expect(debug.status == 0 && !debug.output.contains("error:"), "\(debug.output)")
        let answer = try tool.run("--force", arguments[0], arguments[1], configuration)
        #expect(answer.status == 0 && answer.output == "", "\(answer.output)")
        // The service holds its file open, and goes on in it.
        try service.write(contentsOf: Data("after\n".utf8))
        #expect(try text("voice-audio.log") == "after\n")
        #expect(try text("voice-audio.log.1") == "before\n")
    }

    @Test func prometheusTakesConfigurationAndRules() throws {
        guard let tool = InstalledTool("promtool", package: "prometheus") else { return }
        try "a token\n".write(
            to: folder.appendingPathComponent("voice-audio.token"), atomically: false, encoding: .utf8)
        let configuration = try tool.run("check", "config", "--lint-fatal", "prometheus.yml", in: folder)
        #expect(configuration.status == 0 && configuration.output.contains("rules found"), "\(configuration.output)")
        let rules = try tool.run("check", "rules", "--lint-fatal", "voice-audio.rules.yml", in: folder)
        #expect(rules.status == 0, "\(rules.output)")
    }

    @Test func eachAlertFiresAndKeepsSilent() throws {
        guard let tool = InstalledTool("promtool", package: "prometheus") else { return }
        let answer = try tool.run("test", "rules", "voice-audio.rules.test.yml", in: folder)
        #expect(answer.status == 0, "\(answer.output)")
        let test = try text("voice-audio.rules.test.yml")
        let alerts = try text("voice-audio.rules.yml").matches(of: /- alert: (\w+)/).map { String($0.1) }
        #expect(alerts.count >= 10)
        for alert in alerts {
            #expect(test.contains("{alertname: \(alert), eval_time: 29m, exp_alerts: []}"), "\(alert)")
            let firing = test.components(separatedBy: "- alertname: \(alert)\n").dropFirst()
            #expect(firing.contains { $0.contains("exp_labels") }, "\(alert)")
        }
        // A rule that never fires is found.
        try replace(
            "voice_audio_memory_used_ratio > 0.85", with: "voice_audio_memory_used_ratio > 85",
            in: "voice-audio.rules.yml")
        #expect(try tool.run("test", "rules", "voice-audio.rules.test.yml", in: folder).status != 0)
    }

    /// Of metrics that the page has: promtool knows nothing of it.
    @Test func rulesAreAboutMetricsThatThereAre() throws {
        let names = Set(try ParsedPage(metricsPage(MonitoredProgram().report)).names)
        for file in ["voice-audio.rules.yml", "voice-audio.rules.test.yml"] {
            let used = try text(file).matches(of: /\b(?:voice_audio|process)_[a-z_]+/).map { String($0.0) }
            #expect(used.count > 20)
            #expect(Set(used).subtracting(names) == [], "\(file)")
        }
    }

    /// One way for the token, so that who follows two documents has not set it twice, which is an error.
    @Test func theUnitTakesTheTokenAsTheDocumentSays() throws {
        let unit = try text("voice-audio.service")
        let document = try String(
            contentsOf: Self.documents.appendingPathComponent("Configuration.md"), encoding: .utf8)
        for setting in ["LoadCredential=", "Environment=VOICE_AUDIO_MONITOR_TOKEN_FILE="] {
            let lines = unit.split(separator: "\n").filter { $0.hasPrefix(setting) }
            let line = try #require(lines.first)
            #expect(lines.count == 1 && document.contains("`\(line)`"), "\(setting)")
        }
        #expect(!unit.contains("--token-file"))
    }

    @Test func eachAlertIsExplained() throws {
        let operations = try String(
            contentsOf: Self.documents.appendingPathComponent("Operations.md"), encoding: .utf8)
        let documented = Set(operations.matches(of: /\| `(VoiceAudio\w+)` \| (\w+) \|/).map { "\($0.1) \($0.2)" })
        let alerts = try text("voice-audio.rules.yml").matches(of: /- alert: (\w+)(?s:.*?)severity: (\w+)/)
        #expect(Set(alerts.map { "\($0.1) \($0.2)" }) == documented)
    }
}
