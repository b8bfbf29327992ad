import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioIO

/// Types, qualities and rotation at the command line.
@Suite(.timeLimit(.minutes(5))) struct RecordingOptionTests {
    private final class Directory {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false) }
        deinit { try? FileManager.default.removeItem(at: url) }
        func path(_ name: String) -> String { url.appendingPathComponent(name).path }
        var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
        func start(of name: String) -> String {
            String(decoding: (FileManager.default.contents(atPath: path(name)) ?? Data()).prefix(4), as: UTF8.self)
        }
    }

    private let directory: Directory

    init() throws { directory = try Directory() }

    private func record(_ arguments: String..., environment: [String: String] = [:]) throws -> Tool.Result {
        try Tool.run(
            ["record", "--device", "sim:"] + arguments,
            environment: Tool.patient.merging(environment) { $1 })
    }

    @Test func theTypeIsWhatTheSuffixOrTheOptionSays() throws {
        for (name, arguments, start) in [
            ("a.wav", [], "RIFF"), ("a.flac", [], "fLaC"), ("a.opus", [], "OggS"), ("a.ogg", [], "OggS"),
            ("a", ["--type", "flac"], "fLaC"), ("b.wav", ["--type", "opus"], "OggS"),
        ] {
            let result = try Tool.run(
                ["record", "--device", "sim:", "--seconds", "0.3", "--output", directory.path(name)] + arguments,
                environment: Tool.patient)
            #expect(result.status == 0)
            #expect(directory.start(of: name) == start)
            #expect(try SoundFileReader(path: directory.path(name)).frameCount == 4800)
        }
    }

    @Test func theQualityIsASetting() throws {
        func size(_ name: String, _ environment: [String: String]) throws -> Int {
            let result = try record("--seconds", "1", "--output", directory.path(name), environment: environment)
            #expect(result.status == 0)
            return FileManager.default.contents(atPath: directory.path(name))?.count ?? 0
        }
        #expect(
            try size("a.opus", ["VOICE_AUDIO_OPUS_KBPS": "8"]) * 2 < size("b.opus", ["VOICE_AUDIO_OPUS_KBPS": "64"]))
        #expect(
            try size("a.flac", ["VOICE_AUDIO_FLAC_COMPRESSION": "8"])
                < size("b.flac", ["VOICE_AUDIO_FLAC_COMPRESSION": "0"]))
        let refused = try record("--opus-kbps", "5", "--output", directory.path("c.opus"))
        #expect(refused.status == 78)
        #expect(refused.errors == "voice-audio: --opus-kbps is \"5\": accepted are 6 to 256 (kbit/s)\n")
    }

    @Test func aRotationGoesOnWithoutLosingAFrame() throws {
        let result = try record(
            "--seconds", "3.5", "--rotate-seconds", "1.25", "--output", directory.path("a.wav"), "--json")
        #expect(result.status == 0)
        #expect(directory.names == ["a-000001.wav", "a-000002.wav", "a-000003.wav"])
        let frames = try directory.names.map { try SoundFileReader(path: directory.path($0)).frameCount }
        #expect(frames == [20_000, 20_000, 16_000])
        let report = try #require(try result.json() as? [String: Any])
        #expect(report["files"] as? Int == 3)
        #expect(report["frames"] as? Int == 56_000)
        #expect(report["output"] as? String == directory.path("a-000003.wav"))
        let kept = try record(
            "--seconds", "3.5", "--rotate-seconds", "1.25", "--keep-files", "2", "--output", directory.path("a.wav"))
        #expect(kept.status == 0)
        #expect(directory.names == ["a-000005.wav", "a-000006.wav"])
        #expect(kept.errors.contains("a-000006.wav, the last of 3 files: 3.5 s"))
    }

    @Test(arguments: [
        (["--output", "a.mp3"], 78, "\"a.mp3\" has the suffix \".mp3\", which names no type of recording"),
        (["--output", "a"], 78, "\"a\" has no suffix, which names no type of recording"),
        (["--type", "mp3"], 64, "--type is \"mp3\": accepted are wav, flac and opus"),
        (["--type", "wav", "--output", "-"], 64, "with --output - there is no file"),
        (["--rotate-seconds", "1", "--output", "-"], 64, "with --output - there is no file"),
        (["--rotate-seconds", "0"], 64, "--rotate-seconds is \"0\": accepted are numbers above 0"),
        (
            ["--rotate-megabytes", "0.5"], 64,
            "--rotate-megabytes is \"0.5\": accepted are whole numbers from 1 to 1048576"
        ),
        (
            ["--keep-files", "0", "--rotate-seconds", "1"], 64,
            "--keep-files is \"0\": accepted are whole numbers from 1"
        ),
        (["--keep-files", "2"], 64, "--keep-files needs --rotate-seconds or --rotate-megabytes"),
        (
            ["--rate", "44100", "--output", "/tmp/a.opus"], 78,
            "an Ogg Opus file cannot hold 44100 Hz, 1 ch, s16: it holds"
        ),
        (
            ["--format", "f32", "--output", "/tmp/a.flac"], 78,
            "a FLAC file cannot hold 16000 Hz, 1 ch, f32: it holds s16"
        ),
    ])
    func whatIsNotAcceptedIsSaid(arguments: [String], status: Int32, message: String) throws {
        let result = try Tool.run(["record", "--device", "sim:"] + arguments)
        #expect(result.status == status)
        #expect(result.errors.hasPrefix("voice-audio: \(message)"), "\(result.errors)")
    }
}
