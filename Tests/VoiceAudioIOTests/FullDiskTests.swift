import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Recordings on a file system that is full, or about to be.
struct FullDiskTests {
    /// What a disk has no room for ends the file, not what is in it.
    @Test(arguments: recordingTypes) func aDiskThatFillsUpEndsItValid(type: RecordingFileType) throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let path = disk.path + "/a." + type.suffix
        let writer = try RecordingWriter(
            path: path, format: .speech, type: type, minimumFreeBytes: 0, clock: StandingClock())
        let block = sampleBytes(777, of: .speech)
        var appended = 0
        let error = expectError(.diskFull) {
            while true {
                try withRawSpan(of: block) { try writer.append($0) }
                appended += 777
            }
        }
        #expect(error?.status == ENOSPC)
        let message = error?.message ?? ""
        #expect(message.contains("\"\(path)\""))
        let numbers = message.matches(of: /(\d+) (?:bytes are free|are to be written)/).compactMap { Int($0.1) }
        #expect(numbers.count == 2 && numbers[0] < numbers[1], "\(message)")
        let frames = writer.frameCount
        #expect(frames > 100_000)
        // With the encoder's delay nothing else is missing.
        #expect(frames > appended - (type == .wav ? 0 : 4800))
        // No second try, even when there is room again.
        #expect(expectError(.diskFull) { try withRawSpan(of: block) { try writer.append($0) } } == error)
        #expect(expectError(.diskFull) { try writer.finish() } == error)
        let reader = try SoundFileReader(path: path)
        #expect(reader.frameCount == frames)
        let bytes = try reader.readAll(as: .s16)
        #expect(bytes.count == frames * 2)
        if type.isLossless {
            #expect(bytes == Array((0...frames / 777).flatMap { _ in block }[..<(frames * 2)]))
        }
        if type != .opus() { try expectSoxi(path, frames) }
    }

    /// The last block is what does not fit: nothing but `finish()` tells.
    @Test(arguments: [RecordingFileType.flac(), .opus(kilobitsPerSecond: 256)]) func finishingOnAFullDiskSaysSo(
        type: RecordingFileType
    ) throws {
        guard let disk = SmallDisk(kilobytes: 64) else { return }
        let path = disk.path + "/a." + type.suffix
        let writer = try RecordingWriter(
            path: path, format: .speech, type: type, minimumFreeBytes: 0, clock: StandingClock())
        // A block or page is written, and as much again waits.
        let block = sampleBytes(type.isLossless ? 8000 : 6000, of: .speech)
        try withRawSpan(of: block) { try writer.append($0) }
        #expect(writer.frameCount == block.count / 2)
        disk.fill()
        // A page of memory that the file has already is no room for so much noise.
        let error = expectError(.diskFull) { try writer.finish() }
        #expect(error?.message.contains(path) == true)
        #expect(writer.frameCount < block.count / 2)
        #expect(writer.frameCount > 2500)
        #expect(try SoundFileReader(path: path).frameCount == writer.frameCount)
        if type.isLossless { try expectSoxi(path, writer.frameCount) }
    }

    @Test(arguments: recordingTypes) func spaceIsKeptFree(type: RecordingFileType) throws {
        guard let disk = SmallDisk(kilobytes: 512) else { return }
        let path = disk.path + "/a." + type.suffix
        let clock = StandingClock()
        let writer = try RecordingWriter(
            path: path, format: .speech, type: type, minimumFreeBytes: 256 << 10, clock: clock)
        let second = sampleBytes(16_000, of: .speech)
        var seconds = 0
        let error = expectError(.diskFull) {
            while true {
                try withRawSpan(of: second) { try writer.append($0) }
                seconds += 1
                clock.advance(.seconds(1))
            }
        }
        #expect(error?.message.contains("and \(256 << 10) must stay free") == true)
        if type == .wav { #expect((7...9).contains(seconds)) }
        #expect(writer.frameCount == seconds * 16_000)
        // There is room for what an encoder holds back.
        expectError(.diskFull) { try writer.finish() }
        #expect(try SoundFileReader(path: path).frameCount == seconds * 16_000)
    }

    @Test func aDiskWithoutRoomForAHeaderGetsNoFile() throws {
        guard let disk = SmallDisk(kilobytes: 64) else { return }
        disk.fill()
        let names = try FileManager.default.contentsOfDirectory(atPath: disk.path)
        for type in recordingTypes {
            expectError(.diskFull) {
                _ = try RecordingWriter(
                    path: disk.path + "/a." + type.suffix, format: .speech, minimumFreeBytes: 0)
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: disk.path) == names)
    }

    @Test func aSeriesThatFillsTheDiskKeepsItsFiles() throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let series = try RecordingSeries(
            path: disk.path + "/a.wav", format: .speech, rotation: .init(maximumDuration: .seconds(1)),
            minimumFreeBytes: 0)
        let block = sampleBytes(777, of: .speech)
        let error = expectError(.diskFull) {
            while true { try withRawSpan(of: block) { try series.append($0) } }
        }
        #expect(expectError(.diskFull) { try withRawSpan(of: block) { try series.append($0) } } == error)
        #expect(expectError(.diskFull) { try series.finish() } == error)
        let names = try FileManager.default.contentsOfDirectory(atPath: disk.path).sorted()
        #expect(names.count == series.fileCount)
        #expect(names.count > 5)
        let frames = try names.map { try SoundFileReader(path: disk.path + "/" + $0).frameCount }
        #expect(frames.dropLast().allSatisfy { $0 == 16_000 })
        #expect(frames.reduce(0, +) == series.frameCount)
    }
}

extension RecordingFileType {
    var isLossless: Bool { if case .opus = self { false } else { true } }
}

/// Checks what another program says of a file's length.
func expectSoxi(_ path: String, _ frameCount: Int, sourceLocation: SourceLocation = #_sourceLocation) throws {
    guard output(of: "soxi", "--version") != nil || output(of: "sox", "--version") != nil else {
        return print("skipped: sox is not installed")
    }
    #expect(output(of: "soxi", "-s", path) == "\(frameCount)\n", sourceLocation: sourceLocation)
}
