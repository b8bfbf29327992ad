import Foundation
import VoiceAudio

/// `voice-audio record` at work on the microphone, in periods of 10 ms: what it says is kept, with the time when it did.
final class RunningRecorder {
    struct Line {
        let text: String
        let time: ContinuousClock.Instant
    }

    static let rate = 48_000
    let process: Process
    /// All lines so far.
    private(set) var lines: [Line] = []
    /// When the machine came back from its latest sleep.
    private(set) var awakeSince: ContinuousClock.Instant?

    private let output = Pipe()
    private let recording = "/tmp/recorded.wav"
    private let report = "/tmp/recorded.json"
    private var unfinished: [UInt8] = []

    init() throws {
        process = try KernelGuest.start(
            "env VOICE_AUDIO_CHUNK_FRAMES=480 voice-audio record --device hw:CARD=Mic --rate \(Self.rate) --channels 2"
                + " --json --output \(recording) 2>&1 >\(report)",
            output: output)
        try? output.fileHandleForWriting.close()
    }

    /// Takes what it says until that is enough, or the time is over.
    func listen(for time: Duration, until isEnough: (Line) -> Bool = { _ in false }) {
        let deadline = ContinuousClock.now + time
        var source = pollfd(fd: output.fileHandleForReading.fileDescriptor, events: Int16(POLLIN), revents: 0)
        var before = ContinuousClock.now
        while before < deadline {
            // SAFETY: one structure, a local.
            let readyCount = unsafe poll(&source, 1, 5)
            let now = ContinuousClock.now
            if before.duration(to: now) > .milliseconds(500) { awakeSince = now }
            before = now
            guard readyCount > 0 else { continue }
            let known = lines.count
            guard takeOutput(at: now) else { return }
            if lines[known...].contains(where: isEnough) { return }
        }
    }

    /// Ends it, and answers with its report and what it recorded.
    func finish() throws -> (report: RecordedReport, numbers: FrameNumbers) {
        process.terminate()
        listen(for: .seconds(10))
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw KernelGuest.Failure(description: "status \(process.terminationStatus): \(lines.map(\.text))")
        }
        let told = try RecordedReport(json: Data(contentsOf: URL(fileURLWithPath: report)))
        return (told, FrameNumbers(try samples(ofWAV: recording)))
    }

    /// Processor time of all its threads.
    var processorTime: Duration {
        let tasks = "/proc/\(process.processIdentifier)/task"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return names.reduce(.zero) { sum, name in
            let text = try? String(contentsOfFile: "\(tasks)/\(name)/schedstat", encoding: .utf8)
            return sum + .nanoseconds(text.flatMap { Int64($0.prefix { $0 != " " }) } ?? 0)
        }
    }

    /// - Returns: `false` at the end.
    private func takeOutput(at now: ContinuousClock.Instant) -> Bool {
        let data = output.fileHandleForReading.availableData
        unfinished += data
        while let end = unfinished.firstIndex(of: UInt8(ascii: "\n")) {
            lines.append(Line(text: String(decoding: unfinished[..<end], as: UTF8.self), time: now))
            unfinished.removeSubrange(...end)
        }
        return !data.isEmpty
    }
}

/// What `voice-audio record --json` tells.
struct RecordedReport: Decodable {
    struct Loss: Decodable {
        let atFrame: Int
        let frames: Int
        let cause: String
        let exact: Bool
    }
    let frames: Int
    let lostFrames: Int
    let losses: [Loss]

    init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        self = try decoder.decode(Self.self, from: json)
    }
}

/// The bytes behind a WAV file's header.
func samples(ofWAV path: String) throws -> ArraySlice<UInt8> {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    func number(at place: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
    var place = 12
    while place + 8 <= bytes.count {
        let start = place + 8
        let length = number(at: place + 4)
        if bytes[place..<start - 4].elementsEqual("data".utf8) {
            return bytes[start..<min(start + length, bytes.count)]
        }
        place = start + length + length % 2
    }
    throw KernelGuest.Failure(description: "\(path) has no samples")
}
