import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct RecordingWriterTests {
    let scratch = Scratch()

    /// A clock that stands still until it is told.
    private final class Clock: AudioClock {
        private let time = Lock(MonotonicInstant(nanoseconds: 0))
        var now: MonotonicInstant { time.withLock { $0 } }
        func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
        func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int { 0 }
    }

    private func writer(_ path: String, _ clock: any AudioClock = SystemClock()) throws -> RecordingWriter {
        try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0, clock: clock)
    }

    /// Frames that a reader finds now.
    private func visibleFrames(_ path: String) throws -> Int { try SoundFileReader(path: path).frameCount }

    @Test func theHeaderFollowsTheAudioAndTheClock() throws {
        let path = scratch.file("a.wav")
        let clock = Clock()
        let writer = try writer(path, clock)
        #expect(try visibleFrames(path) == 0)
        let tenth = sampleBytes(1600, of: .speech)
        // A second of audio, with the clock standing still.
        for count in 1...10 {
            try withRawSpan(of: tenth) { try writer.append($0) }
            #expect(try visibleFrames(path) == (count < 10 ? 0 : 16_000))
        }
        // A second of time.
        try withRawSpan(of: tenth) { try writer.append($0) }
        #expect(try visibleFrames(path) == 16_000)
        clock.advance(.seconds(1))
        try withRawSpan(of: tenth) { try writer.append($0) }
        #expect(try visibleFrames(path) == 19_200)
        // At once, when asked.
        try withRawSpan(of: tenth) { try writer.append($0) }
        try writer.updateHeader()
        #expect(try visibleFrames(path) == 20_800)
        #expect(writer.frameCount == 20_800)
        #expect(writer.byteCount == 44 + 41_600)
        #expect(writer.duration == .milliseconds(1300))
        try writer.finish()
        try writer.finish()
        expectError(.invalidState) { try withRawSpan(of: tenth) { try writer.append($0) } }
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == (0..<13).flatMap { _ in tenth })
    }

    @Test func theLastReferenceFinishes() throws {
        let path = scratch.file("a.wav")
        let bytes = sampleBytes(100, of: .speech)
        do {
            let writer = try writer(path, Clock())
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
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 44)
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

    @Test func aDiskThatFillsUpEndsItValid() throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let path = disk.path + "/a.wav"
        let writer = try writer(path, Clock())
        let block = sampleBytes(777, of: .speech)
        let error = expectError(.diskFull) {
            while true { try withRawSpan(of: block) { try writer.append($0) } }
        }
        let frames = writer.frameCount
        #expect(frames > 100_000)
        #expect(try visibleFrames(path) == frames)
        // No half frame, no second try, even when there is room again.
        #expect(expectError(.diskFull) { try withRawSpan(of: block) { try writer.append($0) } } == error)
        #expect(expectError(.diskFull) { try writer.finish() } == error)
        let reader = try SoundFileReader(path: path)
        let expected = (0...frames / 777).flatMap { _ in block }[..<(frames * 2)]
        #expect(try reader.readAll(as: .s16) == Array(expected))
    }

    @Test func spaceIsKeptFree() throws {
        guard let disk = SmallDisk(kilobytes: 512) else { return }
        let path = disk.path + "/a.wav"
        let clock = Clock()
        let writer = try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 256 << 10, clock: clock)
        let second = sampleBytes(16_000, of: .speech)
        var seconds = 0
        let error = expectError(.diskFull) {
            while true {
                try withRawSpan(of: second) { try writer.append($0) }
                seconds += 1
                clock.advance(.seconds(1))
            }
        }
        #expect(error?.message.contains("\(256 << 10)") == true)
        #expect((7...9).contains(seconds))
        #expect(try visibleFrames(path) == seconds * 16_000)
        expectError(.diskFull) { try writer.finish() }
    }
}
