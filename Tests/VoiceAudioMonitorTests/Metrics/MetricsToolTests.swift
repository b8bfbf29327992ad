import Foundation
import Testing
import VoiceAudio

@testable import VoiceAudioMonitor

/// What others make of the page, and what the documentation says of it.
@Suite(.timeLimit(.minutes(5))) struct MetricsToolTests {
    @Test func promtoolFindsNothingWrong() throws {
        guard let tool = InstalledTool("promtool", package: "prometheus") else { return }
        var report = try MonitoredProgram().report
        report.processors.append(report.processors[0])
        report.processors[1].name = "a \"name\" of \\ two\nlines 🎙"
        let answer = try tool.run("check", "metrics", input: metricsPage(report))
        #expect(answer.status == 0 && answer.output == "", "\(answer.output)")
        let doubled = try tool.run("check", "metrics", input: metricsPage(report) + metricsPage(report))
        #expect(doubled.status != 0)
    }

    @Test func theTableOfMetricsIsThePages() throws {
        let page = try ParsedPage(metricsPage(MonitoredProgram().report))
        let rows = try page.names.map { name in
            let family = try #require(page.families[name])
            // A processor's labels first, then those that only a session's have.
            var labels: [String] = []
            for sample in family.samples {
                labels += sample.labels.keys.filter { !labels.contains($0) }.sorted()
            }
            let order = ["processor", "registry", "session"]
            labels = order.filter(labels.contains) + labels.filter { !order.contains($0) }
            return
                "| `\(name)` | \(family.type) | \(labels.map { "`\($0)`" }.joined(separator: ", ")) | \(family.help) |"
        }
        let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../Docs/Metrics.md").standardized
        let documented = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("| `") }
        #expect(rows.filter { !documented.contains($0) } == [], "Docs/Metrics.md lacks them")
        #expect(documented.filter { !rows.contains($0) } == [], "Docs/Metrics.md invents them")
        #expect(documented.count == rows.count)
    }
}
