import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct WAVWriterTests {
    let scratch = Scratch()

    @Test func theHeaderIsValidFromTheStartAndAtEachUpdate() throws {
        let path = scratch.file("a.wav")
        let bytes = sampleBytes(100, of: .speech)
        try withNewFile(path) { descriptor in
            let writer = try WAVWriter(descriptor: descriptor, name: path, format: .speech)
            #expect(try SoundFileReader(path: path).frameCount == 0)
            try withRawSpan(of: bytes) { try writer.write($0) }
            try writer.updateHeader()
            #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes)
            try withRawSpan(of: bytes) { try writer.write($0) }
            try writer.finish()
            try writer.finish()
            #expect(writer.frameCount == 200)
            #expect(writer.byteCount == 444)
            expectError(.invalidState) { try withRawSpan(of: bytes) { try writer.write($0) } }
            #expect(fcntl(descriptor, F_GETFD) >= 0, "the caller's descriptor was closed")
        }
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes + bytes)
    }

    @Test(arguments: [0, 2, 200, 198, 1000, 1 << 40])
    func theFinishedHeaderIsRightWhateverWasExpected(expectedByteCount: Int) throws {
        let path = scratch.file("a.wav")
        let bytes = sampleBytes(100, of: .speech)
        try withNewFile(path) { descriptor in
            let writer = try WAVWriter(
                descriptor: descriptor, name: path, format: .speech, expectedByteCount: expectedByteCount)
            try withRawSpan(of: bytes) { try writer.write($0) }
            try writer.finish()
            #expect(writer.byteCount == 244)
        }
        let file = [UInt8](try Data(contentsOf: URL(filePath: path)))
        #expect(file[4..<8] == [236, 0, 0, 0] && file[40..<44] == [200, 0, 0, 0])
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == bytes)
    }

    @Test func aPartOfAFrameIsRefused() throws {
        try withNewFile(scratch.file("a.wav")) { descriptor in
            let writer = try WAVWriter(descriptor: descriptor, name: "a", format: .speech)
            expectError(.invalidConfiguration) { try withRawSpan(of: [1, 2, 3]) { try writer.write($0) } }
            try withRawSpan(of: [1, 2]) { try writer.write($0) }
            #expect(writer.frameCount == 1)
        }
    }

    @Test func aFormatThatNoFileHoldsIsRefusedAndTheDescriptorStaysOpen() throws {
        try withNewFile(scratch.file("a.wav")) { descriptor in
            for (rate, channels) in [(0, 1), (-1, 1), (16_000, 0), (16_000, 5000), (1 << 40, 1)] {
                let format = AudioFormat(sampleRateHz: rate, channelCount: channels, sampleFormat: .s16)
                expectError(.unsupportedFormat) {
                    _ = try WAVWriter(descriptor: descriptor, name: "a", format: format)
                }
            }
            #expect(fcntl(descriptor, F_GETFD) >= 0)
        }
    }

    @Test func aFullFileSaysSoAndIsValid() throws {
        let path = scratch.file("a.wav")
        let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s24)
        let bytes = sampleBytes(100, of: format)
        try withNewFile(path) { descriptor in
            // Room for 50 frames and two bytes, the pad byte not counted.
            let writer = try WAVWriter(descriptor: descriptor, name: path, format: format, plainByteLimit: 44 + 153)
            let error = expectError(.fileTooLarge) { try withRawSpan(of: bytes) { try writer.write($0) } }
            #expect(error?.message.contains("4 GiB") == true)
            expectError(.fileTooLarge) { try withRawSpan(of: [1, 2, 3]) { try writer.write($0) } }
            #expect(writer.frameCount == 50)
            #expect(try SoundFileReader(path: path).readAll(as: .s24) == Array(bytes[..<150]))
            expectError(.fileTooLarge) { try writer.finish() }
        }
        #expect(try SoundFileReader(path: path).readAll(as: .s24) == Array(bytes[..<150]))
    }

    @Test func fourGibibytesAreTheLimit() throws {
        // Nothing is stored: what counts is that no size in the header wraps around.
        let descriptor = try OwnedDescriptor(opening: "/dev/null", O_RDWR)
        let writer = try WAVWriter(descriptor: descriptor.number, name: "null", format: .speech)
        let block = [UInt8](repeating: 0, count: 1 << 26)
        for _ in 0..<63 { try withRawSpan(of: block) { try writer.write($0) } }
        expectError(.fileTooLarge) { try withRawSpan(of: block) { try writer.write($0) } }
        #expect(writer.byteCount <= Int(UInt32.max))
        #expect(writer.byteCount > Int(UInt32.max) - 8)
    }

    @Test func aFullDiskSaysSoAndTheFileIsValid() throws {
        guard let disk = SmallDisk(kilobytes: 256) else { return }
        let path = disk.path + "/a.wav"
        let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s24)
        let bytes = sampleBytes(100_000, of: format)
        try withNewFile(path) { descriptor in
            let writer = try WAVWriter(descriptor: descriptor, name: path, format: format)
            let error = expectError(.diskFull) { try withRawSpan(of: bytes) { try writer.write($0) } }
            #expect(error?.status == ENOSPC)
            #expect(error?.message.contains(path) == true)
            let kept = Array(bytes[..<(writer.frameCount * 3)])
            #expect(kept.count > 200_000)
            #expect(try SoundFileReader(path: path).readAll(as: .s24) == kept)
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            #expect(size == 44 + kept.count, "a part of a frame was left")
            expectError(.diskFull) { try writer.finish() }
            #expect(try SoundFileReader(path: path).readAll(as: .s24) == kept)
        }
    }

    @Test(arguments: shapes) func beyondTheLimitItIsRF64WithEveryFrame(format: AudioFormat) throws {
        let path = scratch.file("a.wav")
        let bytes = sampleBytes(100, of: format)
        var all: [UInt8] = []
        try withNewFile(path) { descriptor in
            let limit = 100 + bytes.count * 7 / 2
            let writer = try WAVWriter(
                descriptor: descriptor, name: path, format: format, growth: .toRF64, plainByteLimit: limit)
            for count in 0...8 {
                if count > 0 { try withRawSpan(of: bytes) { try writer.write($0) } }
                all += count > 0 ? bytes : []
                try writer.updateHeader()
                let file = try Data(contentsOf: URL(fileURLWithPath: path))
                #expect(file.prefix(4) == Data((file.count + 1 <= limit ? "RIFF" : "RF64").utf8))
                let reader = try SoundFileReader(path: path)
                #expect(reader.frameCount == count * 100)
                #expect(try reader.readAll(as: format.sampleFormat) == all)
                if count % 3 == 0 { try expectSoxi(path, count * 100) }
            }
            #expect(writer.byteCountLimit(afterWriting: 0) >= writer.byteCount)
            try writer.finish()
        }
        #expect(try SoundFileReader(path: path).readAll(as: format.sampleFormat) == all)
    }

    /// Sparse: five GiB of frames that take no space.
    @Test(arguments: [(4 << 30) - 200, 5 << 30]) func sizesOfMoreThanFourGibibytesAreRead(byteCount: Int) throws {
        let path = scratch.file("a.wav")
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: 2, sampleFormat: .s16)
        var header = WAVHeader(format, hasRoomToGrow: true, plainByteLimit: WAVWriter.plainByteLimit)
        header.setDataByteCount(byteCount)
        try Data(header.bytes).write(to: URL(fileURLWithPath: path))
        // SAFETY: the path lives through the call.
        #expect(unsafe truncate(path, header.bytes.count + byteCount) == 0)
        #expect(header.bytes.starts(with: (byteCount < 4 << 30 ? "RIFF" : "RF64").utf8))
        #expect(try SoundFileReader(path: path).frameCount == byteCount / 4)
        try expectSoxi(path, byteCount / 4)
    }

    @Test func aReadOnlyDescriptorIsNotWritable() throws {
        let path = scratch.file("a.wav")
        try withNewFile(path) { _ in }
        let descriptor = try OwnedDescriptor(opening: path, O_RDONLY)
        expectError(.notWritable) {
            _ = try WAVWriter(descriptor: descriptor.number, name: path, format: .speech)
        }
    }
}
