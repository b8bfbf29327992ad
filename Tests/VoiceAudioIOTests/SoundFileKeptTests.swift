import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Files that are written beside and put in place.
struct SoundFileKeptTests {
    let scratch = Scratch()
    private let bytes = sampleBytes(1000, of: .speech)

    private func write(_ path: String, byteCount: Int = 0, minimumFreeBytes: Int = 0, fails: Bool = false) throws {
        try WAVFile.write(
            to: path, format: .speech, byteCount: byteCount, minimumFreeBytes: minimumFreeBytes
        ) { writer throws(AudioError) in
            // SAFETY: plain bytes.
            try writer.write(unsafe bytes.span.bytes)
            if fails { throw AudioError(.cancelled, "enough") }
        }
    }

    @Test func itIsThereWholeAndNothingElseIs() throws {
        let path = scratch.file("a.wav")
        try write(path)
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes)
        #expect(scratch.names == ["a.wav"])
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        try write(path)
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes)
        #expect(scratch.names == ["a.wav"])
        let mask = umask(0)
        umask(mask)
        #expect(try mode(of: path) == String(0o666 & ~mask, radix: 8))
    }

    @Test func aLinkIsFollowed() throws {
        // SAFETY: the strings live through the call.
        #expect(unsafe symlink("a.wav", scratch.file("link.wav")) == 0)
        try Data("old".utf8).write(to: URL(fileURLWithPath: scratch.file("a.wav")))
        try write(scratch.file("link.wav"))
        #expect(try mode(of: scratch.file("link.wav")) == "777")
        #expect(try SoundFileReader(path: scratch.file("a.wav")).frameCount == 1000)
    }

    @Test func aFailureLeavesTheOldFile() throws {
        let path = scratch.file("a.wav")
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        expectError(.cancelled) { try write(path, fails: true) }
        expectError(.diskFull) { try write(path, minimumFreeBytes: 1 << 60) }
        expectError(.diskFull) { try write(path, byteCount: 1 << 60) }
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
        #expect(scratch.names == ["a.wav"])
        expectError(.cancelled) { try write(scratch.file("new.wav"), fails: true) }
        #expect(scratch.names == ["a.wav"])
    }

    @Test func aNameThatIsTakenMeanwhileIsTold() throws {
        let path = scratch.file("a.wav")
        let error = expectError(.notWritable) {
            try WAVFile.write(to: path, format: .speech, byteCount: 0, minimumFreeBytes: 0) { _ in
                // SAFETY: the path lives through the call.
                _ = unsafe mkdir(path, 0o700)
            }
        }
        #expect(error?.status == EISDIR)
        #expect(scratch.names == ["a.wav"], "the file beside it was left")
    }

    @Test func aFullDiskLeavesTheOldFile() throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let path = disk.path + "/a.wav"
        try Data("old".utf8).write(to: URL(fileURLWithPath: path))
        let much = [UInt8](repeating: 1, count: 400_000)
        let error = expectError(.diskFull) {
            try WAVFile.write(to: path, format: .speech, byteCount: 0, minimumFreeBytes: 0) {
                writer throws(AudioError) in
                // SAFETY: plain bytes.
                try writer.write(unsafe much.span.bytes)
            }
        }
        #expect(error?.message.contains(path) == true)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data("old".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == ["a.wav"])
    }

    @Test func aPlaceThatCannotTakeItIsTold() throws {
        // SAFETY: the path lives through the call.
        #expect(unsafe mkfifo(scratch.file("fifo"), 0o600) == 0)
        for bad in ["", scratch.path, scratch.file("none/a.wav"), "/dev/null", "/proc/a.wav", scratch.file("fifo")] {
            let error = expectError(.notWritable) { try write(bad) }
            #expect(error?.message.contains("\"\(bad)\"") == true)
        }
        #expect(scratch.names == ["fifo"])
        #expect(exists("/dev/null"))
        try write("relative-\(getpid()).wav")
        #expect(exists("relative-\(getpid()).wav"))
        try FileManager.default.removeItem(atPath: "relative-\(getpid()).wav")
    }
}
