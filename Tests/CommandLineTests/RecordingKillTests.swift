import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioIO

/// `voice-audio record`, killed at any moment: the file holds all but the last second, and nothing else is left.
///
/// `VOICEAUDIO_KILLS=200` kills that many that write WAV, and a quarter as many with each of the other types.
@Suite(.timeLimit(.minutes(15)), .serialized) struct RecordingKillTests {
    /// Where recordings go, and what stands in for `/tmp`.
    private final class Place {
        private let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let recordings: URL
        let temporary: URL
        let logs: URL

        init() throws {
            recordings = scratch.appendingPathComponent("recordings")
            temporary = scratch.appendingPathComponent("tmp")
            logs = scratch.appendingPathComponent("logs")
            for directory in [recordings, temporary, logs] {
                try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            }
        }

        deinit { try? FileManager.default.removeItem(at: scratch) }

        /// Names of what is in both.
        func names() throws -> Set<String> {
            try Set([recordings, temporary].flatMap { try FileManager.default.contentsOfDirectory(atPath: $0.path) })
        }
    }

    /// A recorder, and what is known of its time.
    private final class Victim {
        let file: URL
        private let process = Process()
        private let log: URL
        private let startTime: MonotonicInstant
        private var captureTime: MonotonicInstant?
        private var killTime: MonotonicInstant?

        init(_ name: String, in place: Place) throws {
            file = place.recordings.appendingPathComponent(name)
            process.executableURL = Tool.url
            process.arguments = ["record", "--device", "sim:tone=440", "--output", file.path]
            process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("VOICE_AUDIO_") }
                .merging([
                    "VOICE_AUDIO_MIN_FREE_DISK_MB": "0", "VOICE_AUDIO_LOG_LEVEL": "info",
                    "TMPDIR": place.temporary.path,
                ]) { $1 }
            process.standardInput = FileHandle.nullDevice
            log = place.logs.appendingPathComponent(name)
            try Data().write(to: log)
            process.standardError = try FileHandle(forWritingTo: log)
            startTime = SystemClock().now
            try process.run()
        }

        /// Whether frames are coming, as its log tells; the file is made next.
        func isCapturing() -> Bool {
            if captureTime == nil, let log = try? Data(contentsOf: log), log.contains(UInt8(ascii: "\n")) {
                captureTime = SystemClock().now
            }
            return captureTime != nil
        }

        var hasFile: Bool { FileManager.default.fileExists(atPath: file.path) }

        func kill() {
            killTime = SystemClock().now
            #expect(Foundation.kill(process.processIdentifier, SIGKILL) == 0)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal)
        }

        /// How much it had captured when it was killed, at least and at most.
        var captured: ClosedRange<Double> {
            guard let killTime else { return 0...0 }
            func seconds(since instant: MonotonicInstant) -> Double { instant.duration(to: killTime) / .seconds(1) }
            return seconds(since: captureTime ?? killTime)...seconds(since: startTime)
        }

        /// How much the file holds: what our reader finds to its end, and what another program says.
        func heldSeconds() throws -> Double {
            guard hasFile else { return 0 }
            let reader = try SoundFileReader(path: file.path)
            var frames = 0
            var buffer = [UInt8](repeating: 0, count: 2 * 65_536)
            var count: Int
            repeat {
                var span = buffer.mutableSpan
                // SAFETY: any byte is a valid element.
                var bytes = unsafe span.mutableBytes
                count = try reader.read(into: &bytes, as: .s16)
                frames += count
            } while count > 0
            // 0 in FLAC means unknown.
            #expect(reader.frameCount == frames || (file.pathExtension == "flac" && frames == 0))
            if let told = try RecordingKillTests.frames(toldOf: file) { #expect(told == frames, "\(file.path)") }
            return Double(frames) / Double(reader.sampleRateHz)
        }
    }

    /// What `soxi` says; `nil` where it is not installed, or does not know the type.
    private static func frames(toldOf file: URL) throws -> Int? {
        guard file.pathExtension != "opus" else { return nil }
        guard ["/usr/bin/soxi", "/usr/local/bin/soxi"].contains(where: FileManager.default.isExecutableFile) else {
            print("skipped: sox is not installed")
            return nil
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["soxi", "-s", file.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return Int(text.trimmingCharacters(in: .newlines)) ?? -1
    }

    private static func count(_ suffix: String) -> Int {
        let count = ProcessInfo.processInfo.environment["VOICEAUDIO_KILLS"].flatMap { Int($0) } ?? 24
        return suffix == "wav" ? count : max(1, count / 4)
    }

    private func wait(until instant: MonotonicInstant) {
        while SystemClock().now < instant { _ = SystemClock().wait(for: DescriptorSet(count: 0), until: instant) }
    }

    @Test(arguments: ["wav", "flac", "opus"]) func whoIsKilledLosesTheLastSecondAtMost(suffix: String) throws {
        let place = try Place()
        var generator = SeededGenerator(seed: SeededGenerator.freshSeed())
        let names = (0..<Self.count(suffix)).map { "\($0).\(suffix)" }
        var missing: [Double] = []
        var attempts = 0
        while missing.count < names.count {
            // They idle most of the time, but not while they start.
            let victims = try names[missing.count...].prefix(12).map { try Victim($0, in: place) }
            let areCapturing = eventually { victims.filter { !$0.isCapturing() }.isEmpty }
            try #require(areCapturing)
            let start = SystemClock().now
            let moments = victims.map { _ in Duration.milliseconds(generator.below(3000)) }.sorted()
            for (victim, moment) in zip(victims, moments) {
                wait(until: start.advanced(by: moment))
                victim.kill()
            }
            let held = try victims.map { try $0.heldSeconds() }
            attempts += 1
            // Once more where this machine stood still: who does so just before the end has written nothing meanwhile.
            let isLate = zip(victims, held).contains { $1 < $0.captured.lowerBound - 1 }
            if isLate, attempts < 5 {
                for victim in victims { try? FileManager.default.removeItem(at: victim.file) }
                continue
            }
            attempts = 0
            for (victim, held) in zip(victims, held) {
                #expect(held <= victim.captured.upperBound, "seed \(generator.seed)")
                #expect(held >= victim.captured.lowerBound - 1, "seed \(generator.seed)")
                missing.append(victim.captured.lowerBound - held)
            }
        }
        // Who was killed at once may have no file yet: Opus has its first page after 0.4 s.
        let left = try place.names()
        #expect(left.isSubset(of: names) && !left.isEmpty)
        let told = [missing.max() ?? 0, missing.reduce(0, +) / Double(missing.count)].map { Int($0 * 1000) }
        print("\(names.count) killed while they wrote \(suffix): at most \(told[0]) ms lost, \(told[1]) ms on average")
    }

    @Test(arguments: ["wav", "flac", "opus"]) func whoIsKilledWhileItStartsLeavesAFileOrNone(suffix: String) throws {
        let place = try Place()
        var generator = SeededGenerator(seed: SeededGenerator.freshSeed())
        let names = (0..<Self.count(suffix)).map { "\($0).\(suffix)" }
        for first in stride(from: 0, to: names.count, by: 4) {
            let victims = try names[first...].prefix(4).map { try Victim($0, in: place) }
            // The first to have its file dies about then, and the others wherever they are.
            let oneHasAFile = eventually { victims.contains(where: \.hasFile) }
            #expect(oneHasAFile)
            wait(until: SystemClock().now.advanced(by: .microseconds(generator.below(20_000))))
            for victim in victims { victim.kill() }
        }
        let left = try place.names()
        #expect(left.isSubset(of: names))
        #expect(!left.isEmpty)
        for name in left {
            #expect(
                try SoundFileReader(path: place.recordings.appendingPathComponent(name).path).sampleRateHz == 16_000)
        }
    }
}
