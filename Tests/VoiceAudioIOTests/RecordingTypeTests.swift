import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// What is the same, or differs on purpose, in every type of recording.
struct RecordingTypeTests {
    let scratch = Scratch()

    @discardableResult
    private func record(
        _ bytes: [UInt8], _ format: AudioFormat, _ type: RecordingFileType, _ name: String = "a"
    ) throws -> String {
        let path = scratch.file(name + "." + type.suffix)
        let writer = try RecordingWriter(path: path, format: format, type: type, minimumFreeBytes: 0)
        try withRawSpan(of: bytes) { bytes in
            var rest = bytes
            while rest.byteCount > 0 {
                let part = rest.extracting(first: 777 * format.bytesPerFrame)
                try writer.append(part)
                rest = rest.extracting(droppingFirst: part.byteCount)
            }
        }
        #expect(writer.frameCount * format.bytesPerFrame == bytes.count)
        try writer.finish()
        return path
    }

    @Test(arguments: [RecordingFileType.wav, .flac(), .flac(compression: 0), .flac(compression: 8)], shapes)
    func withoutLossEveryFrameComesBackBitForBit(type: RecordingFileType, format: AudioFormat) throws {
        guard type == .wav || [.s16, .s24].contains(format.sampleFormat) else { return }
        let bytes = sampleBytes(10_007, of: format)
        let reader = try SoundFileReader(path: try record(bytes, format, type))
        #expect(reader.sampleRateHz == format.sampleRateHz)
        #expect(reader.channelCount == format.channelCount)
        #expect(try reader.readAll(as: format.sampleFormat) == bytes)
    }

    @Test(arguments: SampleFormat.allCases, [8000, 16_000, 48_000])
    func opusSoundsTheSame(sampleFormat: SampleFormat, rate: Int) throws {
        let format = AudioFormat(sampleRateHz: rate, channelCount: 2, sampleFormat: sampleFormat)
        // A tone on the left, silence on the right, for half a second.
        let samples = (0..<rate / 2).flatMap { [Float(0.5 * sin(Double($0) * 2 * .pi * 440 / Double(rate))), 0] }
        let bytes: [UInt8] =
            switch sampleFormat {
            case .s16: rawBytes(of: samples.map { Int16($0 * 32_767) })
            case .s24: samples.flatMap { rawBytes(of: [Int32($0 * 8_388_607)])[..<3] }
            case .s32: rawBytes(of: samples.map { Int32(Double($0) * 2_147_483_647) })
            case .f32: rawBytes(of: samples)
            }
        let reader = try SoundFileReader(path: try record(bytes, format, .opus(kilobitsPerSecond: 96)))
        #expect(reader.sampleRateHz == rate)
        #expect(reader.channelCount == 2)
        #expect(reader.frameCount == rate / 2)
        let decoded = typed(Float.self, of: try reader.readAll(as: .f32))
        // libsndfile repeats the last packet behind the end, where silence belongs: the end is less exact.
        let loudest = zip(decoded, samples).dropLast(rate / 50).map { abs($0 - $1) }.max() ?? 1
        #expect(loudest < 0.1, "\(loudest)")
    }

    @Test func moreQualityTakesMoreBytes() throws {
        let bytes = sampleBytes(48_000, of: .speech)
        func size(_ type: RecordingFileType) throws -> Int {
            try Data(contentsOf: URL(fileURLWithPath: try record(bytes, .speech, type))).count
        }
        let opus = try [8, 32, 64].map { try size(.opus(kilobitsPerSecond: $0)) }
        for (size, kilobits) in zip(opus, [8, 32, 64]) {
            // Three seconds, with what pages and headers take.
            let expected = kilobits * 125 * 3
            #expect((expected / 2...expected * 3 / 2 + 2000).contains(size), "\(size) at \(kilobits) kbit/s")
        }
        let tone = rawBytes(of: (0..<48_000).map { Int16(10_000 * sin(Double($0) / 7) + 3000 * sin(Double($0) / 3)) })
        let flac = try [0, 5, 8].map { level in
            try Data(contentsOf: URL(fileURLWithPath: try record(tone, .speech, .flac(compression: level)))).count
        }
        #expect(flac[0] > flac[1] && flac[1] >= flac[2], "\(flac)")
        #expect(flac[0] < tone.count)
    }

    /// What SIGKILL would leave, after each append: all but what an encoder holds back, and all of that can be read.
    @Test(arguments: [RecordingFileType.flac(), .flac(compression: 0), .opus(), .wav])
    func itCanBeReadAtEveryMoment(type: RecordingFileType) throws {
        let path = scratch.file("a." + type.suffix)
        let writer = try RecordingWriter(
            path: path, format: .speech, type: type, minimumFreeBytes: 0, clock: StandingClock())
        var generator = SeededGenerator(seed: SeededGenerator.freshSeed())
        var all: [UInt8] = []
        // A header's interval, and a block or page.
        let allowance =
            switch type {
            case .wav: 0
            case .flac(let compression): compression < 3 ? 1152 + 1 : 4096 + 1
            case .opus: 16_000 * 230 / 1000
            }
        for step in 0..<40 {
            let bytes = sampleBytes(1600 + generator.below(800), of: .speech, seed: UInt64(step))
            let limit = writer.byteCountLimit(afterAppending: bytes.count / 2)
            try withRawSpan(of: bytes) { try writer.append($0) }
            all += bytes
            #expect(writer.byteCount <= limit)
            guard exists(path) else {
                #expect(type == .opus() && all.count / 2 <= allowance)
                continue
            }
            let snapshot = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let reader = try SoundFileReader(bytes: snapshot, name: "snapshot")
            // A FLAC file without a block cannot tell of 0 frames: that means unknown.
            let frames = reader.frameCount == .max ? 0 : reader.frameCount
            #expect(frames <= all.count / 2, "seed \(generator.seed)")
            #expect(frames >= all.count / 2 - allowance, "seed \(generator.seed)")
            let decoded = try reader.readAll(as: .s16)
            #expect(decoded.count == frames * 2, "a frame that the header tells of is not there")
            if type.isLossless { #expect(decoded.elementsEqual(all.prefix(frames * 2))) }
            if type != .opus() && step % 10 == 0 { try expectSoxi(path, frames) }
        }
        let limit = writer.byteCountLimit(afterAppending: 0)
        try writer.finish()
        #expect(writer.byteCount <= limit)
        #expect(try SoundFileReader(path: path).frameCount == all.count / 2)
    }

    @Test func anEmptyRecordingIsAFileOfItsType() throws {
        for type in recordingTypes {
            let path = scratch.file("a." + type.suffix)
            let writer = try RecordingWriter(path: path, format: .speech, type: type, minimumFreeBytes: 0)
            // From the first moment on; an Opus file appears with its first page, or at the end.
            #expect(exists(path) == type.isLossless)
            for _ in 0...1 {
                if type.isLossless { #expect(try SoundFileReader(path: path).readAll(as: .s16) == []) }
                if type.isLossless { try expectSoxi(path, 0) }
                try writer.finish()
                #expect(exists(path))
            }
        }
    }

    @Test func theSuffixTellsTheType() throws {
        let types: [(String, RecordingFileType)] = [
            ("a.wav", .wav), ("a.WAV", .wav), ("/x.y/a.b.flac", .flac(compression: 5)),
            ("a.opus", .opus(kilobitsPerSecond: 32)), ("a.ogg", .opus(kilobitsPerSecond: 32)), (".x.wav", .wav),
        ]
        for (path, type) in types { #expect(try RecordingFileType(suffixOf: path) == type) }
        #expect(try RecordingFileType(suffixOf: "a.flac", flacCompression: 2) == .flac(compression: 2))
        #expect(try RecordingFileType(suffixOf: "a.ogg", opusKilobitsPerSecond: 9) == .opus(kilobitsPerSecond: 9))
        for (path, told) in [
            ("a.mp3", "the suffix \".mp3\""), ("a", "no suffix"), ("x.wav/a", "no suffix"), (".wav", "no suffix"),
            ("", "no suffix"), ("a.", "the suffix \".\""),
        ] {
            let error = expectError(.invalidConfiguration) { _ = try RecordingFileType(suffixOf: path) }
            #expect(error?.message.contains("\"\(path)\" has \(told)") == true)
            #expect(error?.message.contains("accepted are .wav, .flac, .opus and .ogg") == true)
        }
        expectError(.invalidConfiguration) {
            _ = try RecordingWriter(path: scratch.file("a.mp3"), format: .speech, minimumFreeBytes: 0)
        }
        #expect(scratch.names == [])
    }

    @Test func whatATypeCannotHoldIsToldWithWhatItCan() throws {
        let refused: [(RecordingFileType, Int, Int, SampleFormat, String)] = [
            (.wav, 0, 1, .s16, "1 to 1048575 Hz and 1 to 1024 channels"),
            (.wav, 16_000, 1025, .s16, "1 to 1024 channels"),
            (.flac(), 16_000, 1, .f32, "s16 and s24"), (.flac(), 16_000, 1, .s32, "s16 and s24"),
            (.flac(), 16_000, 9, .s16, "1 to 8 channels"), (.flac(), 700_000, 1, .s16, "1 to 655350 Hz"),
            (.opus(), 44_100, 1, .s16, "8000, 12000, 16000, 24000 and 48000 Hz"),
            (.opus(), 48_000, 3, .s16, "1 or 2 channels"),
        ]
        for (type, rate, channels, sampleFormat, told) in refused {
            let format = AudioFormat(sampleRateHz: rate, channelCount: channels, sampleFormat: sampleFormat)
            let error = expectError(.unsupportedFormat) {
                _ = try RecordingWriter(path: scratch.file("a"), format: format, type: type, minimumFreeBytes: 0)
            }
            #expect(error?.message.contains("cannot hold \(format)") == true)
            #expect(error?.message.contains(told) == true, "\(error?.message ?? "")")
        }
        for (type, told) in [
            (RecordingFileType.flac(compression: 9), "9: accepted are 0 to 8"), (.flac(compression: -1), "-1"),
            (.opus(kilobitsPerSecond: 5), "5 kbit/s: accepted are 6 to 256"), (.opus(kilobitsPerSecond: 257), "257"),
        ] {
            let error = expectError(.invalidConfiguration) {
                _ = try RecordingWriter(path: scratch.file("a"), format: .speech, type: type, minimumFreeBytes: 0)
            }
            #expect(error?.message.contains(told) == true)
        }
        #expect(scratch.names == [])
    }
}
