import Foundation
import TestSupport
import Testing
import VoiceAudio

/// JSON has keys of one style, whoever wrote it.
@Suite(.timeLimit(.minutes(5))) struct ReportKeyTests {
    /// The keys of all objects within.
    private func keys(_ value: Any) -> Set<String> {
        switch value {
        case let object as [String: Any]: object.values.reduce(into: Set(object.keys)) { $0.formUnion(keys($1)) }
        case let list as [Any]: list.reduce(into: []) { $0.formUnion(keys($1)) }
        default: []
        }
    }

    private func keys(of value: some Encodable) throws -> Set<String> {
        keys(try JSONSerialization.jsonObject(with: JSONEncoder().encode(value)))
    }

    private func isOfOneStyle(_ key: String) -> Bool {
        key.utf8.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "_") }
    }

    @Test func theToolsReports() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let arguments = ["record", "--device", "sim:", "--seconds", "0.1", "--output", file.path, "--json"]
        let record = keys(try Tool.run(arguments).json())
        #expect(record.isSuperset(of: ["buffer_frames", "frames_delivered", "sample_format", "peak_buffer_size"]))
        for key in record.union(keys(try Tool.run("devices", "--json").json())) { #expect(isOfOneStyle(key), "\(key)") }
        let settings = keys(try Tool.run("config", "--json").json())
        #expect(settings == ["settings", "warnings", "setting", "variable", "value", "unit", "from"])
    }

    @Test func theLibrarysValues() throws {
        let format = AudioFormat.speech
        let report = CaptureReport(
            source: "hw:0", format: format, hardware: "x", conversions: ["y"], requestedPeriodFrames: 1,
            periodFrames: 2, requestedBufferFrames: 3, bufferFrames: 4)
        #expect(
            try keys(of: report) == [
                "source", "format", "sample_rate_hz", "channels", "sample_format", "hardware", "conversions",
                "requested_period_frames", "period_frames", "requested_buffer_frames", "buffer_frames",
                "counts_loss_exactly",
            ])
        let statistics = CaptureStatistics(driftPPM: 1)
        #expect(
            try keys(of: statistics) == [
                "frames_delivered", "frames_discarded_in_pause", "overruns", "frames_lost_exactly",
                "frames_lost_estimated", "reopenings", "clock", "drift_ppm",
            ])
        let loss = AudioLoss(frames: 1, cause: .deviceOverrun)
        #expect(try keys(of: loss) == ["frames", "cause", "exact"])
        let decoder = JSONDecoder()
        #expect(try decoder.decode(CaptureReport.self, from: JSONEncoder().encode(report)) == report)
        #expect(try decoder.decode(CaptureStatistics.self, from: JSONEncoder().encode(statistics)) == statistics)
        #expect(try decoder.decode(AudioLoss.self, from: JSONEncoder().encode(loss)) == loss)
    }

    @Test func aWarningIsToldOnce() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try Tool.run(
            "record", "--device", "sim:", "--channels", "2", "--mono-from", "2", "--seconds", "0.1", "--output",
            file.path)
        let warnings = result.errors.split(separator: "\n").filter { $0.contains("warning: ") }
        #expect(warnings == ["voice-audio: warning: monoChannel has no effect: 2 channels are asked for"])
    }
}
