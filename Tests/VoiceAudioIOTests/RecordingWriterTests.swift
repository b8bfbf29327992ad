import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct RecordingWriterTests {
    let scratch = Scratch()

    private func writer(_ path: String, _ clock: any AudioClock = SystemClock()) throws -> RecordingWriter {
        try RecordingWriter(path: path, format: .speech, type: .wav, minimumFreeBytes: 0, clock: clock)
    }

    /// Frames that a reader finds now.
    private func visibleFrames(_ path: String) throws -> Int { try SoundFileReader(path: path).frameCount }

    @Test func theHeaderFollowsTheAudioAndTheClock() throws {
        let path = scratch.file("a.wav")
        let clock = StandingClock()
        let writer = try writer(path, clock)
        #expect(try visibleFrames(path) == 0)
        let hundredth = sampleBytes(160, of: .speech)
        func append() throws { try withRawSpan(of: hundredth) { try writer.append($0) } }
        // A tenth of a second of audio, with the clock standing still.
        for count in 1...10 {
            try append()
            #expect(try visibleFrames(path) == (count < 10 ? 0 : 1600))
        }
        // A tenth of a second of time.
        try append()
        #expect(try visibleFrames(path) == 1600)
        clock.advance(.milliseconds(100))
        try append()
        #expect(try visibleFrames(path) == 1920)
        // At once, when asked.
        try append()
        try writer.updateHeader()
        #expect(try visibleFrames(path) == 2080)
        #expect(writer.frameCount == 2080)
        #expect(writer.byteCount == 80 + 4160)
        #expect(writer.duration == .milliseconds(130))
        try writer.finish()
        try writer.finish()
        expectError(.invalidState) { try append() }
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == (0..<13).flatMap { _ in hundredth })
    }

    /// Once it is finished, as by a shutdown hook meanwhile, the descriptor's number may be another file's.
    @Test(arguments: ["a.wav", "a.flac"]) func aHeaderIsNotWrittenToWhatCameAfterIt(name: String) throws {
        let writer = try RecordingWriter(path: scratch.file(name), format: .speech, minimumFreeBytes: 0)
        let bytes = sampleBytes(100, of: .speech)
        try withRawSpan(of: bytes) { try writer.append($0) }
        try writer.finish()
        let others = try (0..<64).map { number in
            let path = scratch.file("other\(number)")
            try Data().write(to: URL(fileURLWithPath: path))
            return try #require(FileHandle(forUpdatingAtPath: path))
        }
        try writer.updateHeader()
        for other in others { #expect(try other.seekToEnd() == 0) }
    }

    @Test func theLastReferenceFinishes() throws {
        let path = scratch.file("a.wav")
        let bytes = sampleBytes(100, of: .speech)
        do {
            let writer = try writer(path, StandingClock())
            let header = AudioChunkHeader(
                sequenceNumber: 0, framePosition: 0, frameCount: 100, captureTime: MonotonicInstant(nanoseconds: 0))
            try writer.append(AudioChunk(header: header, bytes: bytes))
            #expect(try visibleFrames(path) == 0)
        }
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes)
    }

    @Test func anOldFileIsReplacedAndAPlaceThatIsNoneIsTold() throws {
        let path = scratch.file("a.wav")
        try Data(repeating: 9, count: 100_000).write(to: URL(fileURLWithPath: path))
        try writer(path).finish()
        #expect(try visibleFrames(path) == 0)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 80)
        let link = scratch.file("link.wav")
        // SAFETY: the strings live through the call.
        #expect(unsafe symlink("a.wav", link) == 0)
        try writer(link).finish()
        #expect(try mode(of: link) == "777", "the link was replaced")

        let fifo = scratch.file("fifo")
        // SAFETY: the path lives through the call.
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        let directories = ["", scratch.path, scratch.path + "/", scratch.file("none/a.wav")]
        for bad in directories + ["/dev/null", "/proc/a.wav", fifo] {
            let error = expectError(.notWritable) { _ = try writer(bad) }
            #expect(error?.message.contains("\"\(bad)\"") == true)
        }
        let before = scratch.names
        expectError(.unsupportedFormat) {
            let format = AudioFormat(sampleRateHz: 0, channelCount: 1, sampleFormat: .s16)
            _ = try RecordingWriter(path: scratch.file("b.wav"), format: format, minimumFreeBytes: 0)
        }
        expectError(.diskFull) {
            _ = try RecordingWriter(path: scratch.file("b.wav"), format: .speech, minimumFreeBytes: 1 << 60)
        }
        #expect(scratch.names == before, "a file that could not be written was left")
    }
}
