import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioMonitor

/// A real Prometheus, configured as the documentation has it, reads a real server.
@Suite(.timeLimit(.minutes(5))) final class PrometheusScrapeTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("prometheus-\(UUID())")

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Writes the configuration, for a server at `address` and a test that has little time.
    private func configure(address: String, token: String) throws {
        let documents = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Docs").standardized
        try FileManager.default.copyItem(at: documents.appendingPathComponent("Deployment"), to: folder)
        let file = folder.appendingPathComponent("prometheus.yml")
        var text = try String(contentsOf: file, encoding: .utf8)
        for (old, new) in [("127.0.0.1:8080", address), ("15s", "1s")] {
            #expect(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        try text.write(to: file, atomically: true, encoding: .utf8)
        try token.write(to: folder.appendingPathComponent("voice-audio.token"), atomically: true, encoding: .utf8)
    }

    @Test func itReadsAllThatIsServed() throws {
        guard let prometheus = InstalledTool("prometheus", package: "prometheus"),
            let promtool = InstalledTool("promtool", package: "prometheus")
        else { return }
        let program = try MonitoredProgram()
        // Names that a page could trip over, and two that are the same.
        let others = (0..<3).map { _ in AudioProcessor(source: SimulatedSource(toneHz: 440)) }
        for (name, processor) in zip(["a \"b\" \\ c\nd\0e 🎙", "kitchen", "{x=\"y\"} 1"], others) {
            program.reporter.add(processor, named: name)
        }
        let token = "0123456789abcdef"
        let server = MonitorServer(program.reporter, configuration: MonitorConfiguration(token: token))
        try server.start()
        let address = try #require(server.url?.wholeMatch(of: /http:\/\/([0-9.:]+)/)).1
        try configure(address: String(address), token: token)

        let log = folder.appendingPathComponent("log")
        let arguments = [
            "--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0",
        ]
        try prometheus.run(arguments, in: folder, output: log) {
            try watch(program, server, through: promtool, log)
        }
    }

    private func watch(
        _ program: MonitoredProgram, _ server: MonitorServer, through promtool: InstalledTool, _ log: URL
    ) throws {
        func said() -> String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
        var port: Substring?
        #expect(
            eventually(within: .seconds(100)) {
                port = said().firstMatch(of: /"Listening on" address=127\.0\.0\.1:(\d+)/)?.1
                return port != nil
            }, "\(said())")
        let url = "http://127.0.0.1:\(try #require(port))"
        /// The values of an expression.
        func values(_ expression: String) -> [Double] {
            let answer = try? promtool.run("query", "instant", url, expression)
            return answer?.output.matches(of: /=> ([^ ]+) @/).compactMap { Double($0.1) } ?? []
        }

        /// The newest values of series: of a scrape that came too late on a busy machine nothing is there.
        func newest(_ series: String) -> [Double] { values("last_over_time(\(series)[5m])") }

        #expect(eventually(within: .seconds(100)) { values("up{job=\"voice-audio\"}") == [1] }, "\(said())")
        let page = try ParsedPage(metricsPage(program.reporter.report()))
        let count = newest("scrape_samples_scraped").first ?? 0
        // Threads may come and go, and sizes be told or not.
        #expect(abs(count - Double(page.sampleCount)) < 20, "\(count), \(page.sampleCount)")
        #expect(newest("voice_audio_registry_session_limit{registry=\"calls\"}") == [4])
        #expect(newest("voice_audio_capture_state{session=\"17\",state=\"recording\"}") == [1])
        #expect(newest("voice_audio_capture_channels{processor=~\"kitchen( #2)?\"}") == [1, 1])
        #expect(newest("voice_audio_capture_channels").count == 6)
        #expect(newest("voice_audio_capture_channels{processor=\"a \\\"b\\\" \\\\ c\\nd\u{2400}e 🎙\"}") == [1])
        // It is one that counts: frames come.
        let delivered = "voice_audio_session_delivered_frames_total{session=\"17\"}"
        let before = newest(delivered).first ?? 0
        #expect(eventually(within: .seconds(100)) { (newest(delivered).first ?? 0) > before })

        #expect(server.stop(deadline: .seconds(60)))
        #expect(eventually(within: .seconds(100)) { values("up{job=\"voice-audio\"}") == [0] })
        // The rule fires when it has been so for a minute.
        let alert = "ALERTS{alertname=\"VoiceAudioNotScraped\",alertstate=~\"pending|firing\"}"
        #expect(eventually(within: .seconds(100)) { values(alert) == [1] })
        #expect(!said().contains("level=error"), "\(said())")
    }
}
