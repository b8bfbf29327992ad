import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioIO

/// Sound from standard input.
@Suite(.timeLimit(.minutes(5))) struct StreamInputTests {
    private final class Directory {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false) }
        deinit { try? FileManager.default.removeItem(at: url) }
        func path(_ name: String) -> String { url.appendingPathComponent(name).path }
    }

    private let directory: Directory

    init() throws { directory = try Directory() }

    /// Runs a line of the shell in which `$VA` is the tool. Answers its status, and what it says on standard error.
    private func shell(_ line: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", line]
        process.currentDirectoryURL = directory.url
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("VOICE_AUDIO_") }
            .merging(["VA": Tool.url.path, "VOICE_AUDIO_MIN_FREE_DISK_MB": "0"]) { $1 }
        let errors = directory.url.appendingPathComponent("errors")
        try Data().write(to: errors)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: errors, encoding: .utf8))
    }

    private func samples(_ count: Int) -> [UInt8] {
        var random = SeededGenerator(seed: 11)
        return (0..<count * 2).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    private func recorded(_ name: String) throws -> [UInt8] {
        let reader = try SoundFileReader(path: directory.path(name))
        var bytes = [UInt8](repeating: 0, count: reader.frameCount * reader.channelCount * 2)
        var span = bytes.mutableSpan
        // SAFETY: any bytes are valid elements.
        var room = unsafe span.mutableBytes
        _ = try reader.read(into: &room, as: .s16)
        return bytes
    }

    /// More at once than the listener's ring has room for, which is half a minute: the pipe holds the sender back.
    @Test(arguments: ["flac", "wav"]) func everyFrameOfAFastSenderIsRecorded(suffix: String) throws {
        let bytes = samples(720_000)
        try Data(bytes).write(to: URL(fileURLWithPath: directory.path("in.raw")))
        let result = try shell("cat in.raw | \"$VA\" record --device - --output out.\(suffix)")
        #expect(result.status == 0, "\(result.errors)")
        #expect(try recorded("out.\(suffix)") == bytes)
    }

    @Test func aWAVFileIsReadFromAFileAndFromADescriptor() throws {
        let bytes = samples(20_000)
        try Data(bytes).write(to: URL(fileURLWithPath: directory.path("in.raw")))
        #expect(try shell("\"$VA\" record --device - --output a.wav < in.raw").status == 0)
        #expect(try shell("\"$VA\" record --device - --output b.wav < a.wav").status == 0)
        #expect(try shell("\"$VA\" record --device fd:7 --seconds 0.5 --output c.wav 7< b.wav").status == 0)
        #expect(try recorded("a.wav") == bytes)
        #expect(try recorded("b.wav") == bytes)
        #expect(try recorded("c.wav") == Array(bytes[..<16_000]))
    }

    @Test func whatCannotBeReadIsSaid() throws {
        let missing = try shell("\"$VA\" record --device fd:900 --output a.wav")
        #expect(missing.status == 66)
        #expect(missing.errors == "voice-audio: \"fd:900\" is not open in this process\n")
        try Data(samples(100)).write(to: URL(fileURLWithPath: directory.path("in.raw")))
        #expect(try shell("\"$VA\" record --device - --rate 8000 --output a.wav < in.raw").status == 0)
        let other = try shell("\"$VA\" record --device - --output b.wav < a.wav")
        #expect(other.status == 78)
        #expect(other.errors.contains("\"-\" is 8000 Hz, 1 ch, s16, and 16000 Hz, 1 ch, s16 was asked for"))
        #expect(!FileManager.default.fileExists(atPath: directory.path("b.wav")))
    }

    @Test func theDoctorListensToAStream() throws {
        try Data(samples(32_000)).write(to: URL(fileURLWithPath: directory.path("in.raw")))
        let result = try shell("\"$VA\" doctor --device - --seconds 1 < in.raw >&2")
        #expect(result.errors.contains("\"-\" is what another program sends, and needs no sound card"))
        let missing = try shell("\"$VA\" doctor --device fd:900 --seconds 1 >&2")
        #expect(missing.status == 66)
        #expect(missing.errors.contains("\"fd:900\" is not open in this process"))
    }
}
