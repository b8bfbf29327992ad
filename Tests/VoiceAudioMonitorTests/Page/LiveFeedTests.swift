import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

@testable import VoiceAudioMonitor

/// What one block of server-sent events holds.
private struct Block {
    var events: [(name: String, id: Int, data: [String: Any])] = []

    init(_ bytes: [UInt8]) throws {
        let text = try #require(String(bytes: bytes, encoding: .utf8))
        #expect(text.hasSuffix("\n\n"))
        for part in text.components(separatedBy: "\n\n").dropLast() {
            let lines = part.components(separatedBy: "\n")
            try #require(lines.count == 3, "an event has three lines")
            let name = try #require(lines[0].wholeMatch(of: /event: (levels|states)/)?.1)
            let id = try #require(Int(lines[1].wholeMatch(of: /id: (\d+)/)?.1 ?? ""))
            try #require(lines[2].hasPrefix("data: {") && !lines[2].contains("\r"))
            let data = lines[2].dropFirst("data: ".count)
            let json = try JSONSerialization.jsonObject(with: Data(data.utf8))
            events.append((String(name), id, try #require(json as? [String: Any])))
        }
    }

    func data(_ name: String) -> [String: Any]? { events.first { $0.name == name }?.data }

    var names: [String] { events.map(\.name) }
    var rows: [[Int]] { data("levels")?["rows"] as? [[Int]] ?? [] }
}

@Suite(.timeLimit(.minutes(5))) struct LiveFeedTests {
    private static let format = AudioFormat(sampleRateHz: 1000, channelCount: 1, sampleFormat: .s32)
    private let clock = ManualClock()
    private let reporter: SystemReporter
    private let source = PushSource(format: StreamFormat(Self.format), name: "kitchen")
    private let processor: AudioProcessor
    private let feed: LiveFeed

    init() {
        reporter = SystemReporter(clock: clock)
        processor = AudioProcessor(
            source: source, configuration: .scripted(chunkFrames: 50, maxChunks: 4), clock: clock)
        reporter.add(processor, named: "kitchen")
        feed = LiveFeed(reporter, clock: clock)
    }

    /// Without what threads of other tests bring: a report is about all of the process.
    private func ownProblems(_ block: Block) -> [[String: String]]? {
        (block.data("states")?["problems"] as? [[String: String]])?.filter {
            !["left to itself", "left to themselves"].contains(where: ($0["text"] ?? "").hasSuffix)
        }
    }

    /// A chunk of half of full scale.
    private func pushChunk() { #expect(source.push([Int32](repeating: 1 << 30, count: 50)) == .taken) }

    @Test func theFirstBlockTellsWhoThereIsAndHowLoud() throws {
        try processor.start()
        pushChunk()
        let block = try Block(feed.nextEvents())
        #expect(block.names == ["states", "levels"] && block.events.allSatisfy { $0.id == 1 })
        let processors = try #require(block.data("states")?["processors"] as? [[String: Any]])
        #expect(processors.count == 1 && processors[0]["name"] as? String == "kitchen")
        #expect(processors[0]["state"] as? String == "recording" && processors[0]["health"] as? String == "flowing")
        #expect(ownProblems(block)?.isEmpty == true)
        #expect(block.data("states")?["states"] as? Int == block.data("levels")?["states"] as? Int)
        // One chunk of four, at half of full scale.
        #expect(block.rows.map { Array($0.prefix(3)) } == [[5000, 5000, 2500]])
    }

    @Test func statesComeAtAChangeAndOnceASecond() throws {
        try processor.arm()
        pushChunk()
        #expect(try Block(feed.nextEvents()).names == ["states", "levels"])
        for _ in 0..<4 {
            clock.advance(by: .milliseconds(100))
            pushChunk()
            #expect(try Block(feed.nextEvents()).names == ["levels"])
        }
        try processor.start()
        let changed = try Block(feed.nextEvents())
        #expect(changed.names == ["states", "levels"] && changed.data("states")?["states"] as? Int == 2)
        for _ in 0..<9 {
            clock.advance(by: .milliseconds(100))
            pushChunk()
            #expect(try Block(feed.nextEvents()).names == ["levels"])
        }
        clock.advance(by: .milliseconds(100))
        pushChunk()
        let repeated = try Block(feed.nextEvents())
        #expect(repeated.names == ["states", "levels"] && repeated.data("states")?["states"] as? Int == 2)
    }

    @Test func aStallIsAProblemAndLossesAreCountedByCause() throws {
        try processor.start(preRoll: .zero)
        pushChunk()
        #expect(source.noteLoss(frameCount: 30) == .taken)
        for _ in 0..<9 { pushChunk() }
        let block = try Block(feed.nextEvents())
        let row = try #require(block.rows.first)
        #expect(row[4] == 30 && row[5] > 0 && row[6...] == [0, 0, 0])
        #expect(row[2] == 10_000)
        clock.advance(by: .seconds(60))
        let stalled = try Block(feed.nextEvents())
        let problems = try #require(ownProblems(stalled))
        #expect(problems.count == 1 && problems[0]["severity"] == "failure")
        #expect(problems[0]["text"]?.hasPrefix("\"kitchen\" gets no sound") == true)
    }

    @Test func sessionsFollowTheProcessorsAndNamesOfAllKindsAreOneLine() throws {
        let name = "call \"17\"\r\n\u{2028}data: x\u{0}"
        let registry = SessionRegistry(limits: .init(sessions: 2), configuration: .scripted(), clock: clock)
        reporter.add(registry)
        let other = PushSource(format: StreamFormat(Self.format))
        reporter.add(AudioProcessor(source: other), named: "gone")
        let named = AudioProcessor(source: other, configuration: .scripted(), clock: clock)
        reporter.add(named, named: name)
        let session = try registry.begin("call-1", source: PushSource(format: StreamFormat(Self.format)))
        let block = try Block(feed.nextEvents())
        let processors = try #require(block.data("states")?["processors"] as? [[String: Any]])
        #expect(processors.map { $0["name"] as? String } == ["kitchen", name, "call-1"])
        #expect(processors.map { $0["registry"] as? String } == [nil, nil, "sessions"] && block.rows.count == 3)
        let registries = try #require(block.data("levels")?["registries"] as? [[String: Any]])
        #expect(registries.map { $0["session_count"] as? Int } == [1])
        try session.end()
        #expect(try Block(feed.nextEvents()).rows.count == 2)
        withExtendedLifetime(named) {}
    }

    @Test func aFailureComesBeforeWarningsAndThresholdsAreThoseOfTheMonitor() throws {
        let limit = 1 << 30
        let monitor = MemoryPressureMonitor(
            source: FixedMemory(usedBytes: limit * 85 / 100, limitBytes: limit), clock: clock)
        let reporter = SystemReporter(monitor: monitor, clock: clock)
        let failing = ScriptedSource()
        let processor = AudioProcessor(source: failing, configuration: .scripted(), clock: clock)
        reporter.add(processor, named: "door")
        failing.failToOpen(with: AudioError(.permissionDenied, "no access"))
        #expect(throws: AudioError.self) { try processor.arm() }
        let report = reporter.liveReport()
        #expect(report.problems.map(\.severity).sorted { $0.rawValue < $1.rawValue } == report.problems.map(\.severity))
        #expect(report.problems.contains { $0.text == "The memory pressure is high" } && !report.isWell)
        let pressure = try #require(report.pressure)
        #expect(pressure.limitBytes == limit && pressure.level == .high)
        let percents = [70, 80, 90].map { (limit * $0 + 99) / 100 }
        #expect([pressure.moderateBytes, pressure.highBytes, pressure.criticalBytes] == percents)
        let data = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(LiveReport.self, from: data) == report)
        for match in String(decoding: data, as: UTF8.self).matches(of: /"([A-Za-z_0-9]+)":/) {
            #expect(match.1 == match.1.lowercased())
        }
    }
}

/// A memory that stays as it is.
private struct FixedMemory: MemorySource {
    let usedBytes: Int
    let limitBytes: Int

    func sample() throws(AudioError) -> MemorySample {
        MemorySample(
            limits: [MemoryLimit(origin: .machine, limitBytes: limitBytes, usedBytes: usedBytes)],
            processRSSBytes: usedBytes)
    }
}
