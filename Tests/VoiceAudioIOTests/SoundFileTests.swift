import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

struct SoundFileTests {
    let scratch = Scratch()

    private func write(_ bytes: [UInt8], _ format: AudioFormat, to name: String, step: Int = 777) throws -> String {
        let path = scratch.file(name)
        try withNewFile(path) { descriptor in
            let writer = try WAVWriter(descriptor: descriptor, name: path, format: format)
            for start in stride(from: 0, to: bytes.count, by: step * format.bytesPerFrame) {
                let end = min(bytes.count, start + step * format.bytesPerFrame)
                try withRawSpan(of: bytes) { try writer.write($0.extracting(start..<end)) }
            }
            try writer.finish()
            #expect(lseek(descriptor, 0, SEEK_CUR) == 0, "the descriptor's offset moved")
        }
        return path
    }

    @Test(arguments: shapes) func everyFormatComesBackBitForBit(format: AudioFormat) throws {
        let bytes = sampleBytes(5001, of: format)
        let path = try write(bytes, format, to: "a.wav")
        let reader = try SoundFileReader(path: path)
        #expect(reader.sampleRateHz == 16_000)
        #expect(reader.channelCount == format.channelCount)
        #expect(reader.frameCount == 5001)
        #expect(try reader.readAll(as: format.sampleFormat) == bytes)
        try reader.rewind()
        #expect(try reader.readAll(as: format.sampleFormat, step: 4999) == bytes)
        let file = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(try SoundFileReader(bytes: [UInt8](file), name: "memory").readAll(as: format.sampleFormat) == bytes)
        // 1 is PCM, 3 is IEEE float; the rest of the header is the plain one.
        #expect(file[20] == (format.sampleFormat == .f32 ? 3 : 1))
        // Floating point has the number of frames besides, and an empty extension.
        let header = format.sampleFormat == .f32 ? 58 : 44
        #expect(file.count == header + bytes.count + bytes.count % 2)
        let sizes = [4, header - 4].map { offset in
            file[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        #expect(sizes == [file.count - 8, bytes.count])
    }

    @Test(arguments: shapes) func anotherProgramReadsIt(format: AudioFormat) throws {
        guard output(of: "soxi", "--version") != nil || output(of: "sox", "--version") != nil else {
            return print("skipped: sox is not installed")
        }
        let path = try write(sampleBytes(16_000, of: format), format, to: "a.wav")
        #expect(output(of: "soxi", "-s", path)?.trimmingCharacters(in: .newlines) == "16000")
        #expect(output(of: "soxi", "-c", path)?.trimmingCharacters(in: .newlines) == "\(format.channelCount)")
        #expect(
            output(of: "soxi", "-b", path)?.trimmingCharacters(in: .newlines)
                == "\(format.sampleFormat.bytesPerSample * 8)")
    }

    @Test func integersWidenExactlyAndNarrowToTheirUpperBits() throws {
        let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s16)
        let samples: [Int16] = [0, 1, -1, 255, 256, .max, .min, 12_345]
        let path = try write(rawBytes(of: samples), format, to: "a.wav")
        let reader = try SoundFileReader(path: path)
        func read<Sample: BitwiseCopyable>(_ sampleFormat: SampleFormat, _ type: Sample.Type) throws -> [Sample] {
            try reader.rewind()
            return typed(type, of: try reader.readAll(as: sampleFormat))
        }
        #expect(try read(.s32, Int32.self) == samples.map { Int32($0) << 16 })
        #expect(try read(.f32, Float.self) == samples.map { Float($0) / 32_768 })
        #expect(
            try read(.s24, UInt8.self)
                == samples.flatMap { [0, UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] })
        let wide = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s24)
        let widePath = try write([0xFF, 0x34, 0x12], wide, to: "b.wav")
        #expect(try SoundFileReader(path: widePath).readAll(as: .s16) == [0x34, 0x12])
    }

    @Test func floatingPointIsScaledRoundedAndClipped() throws {
        let samples: [Float] = [0, 1, -1, 0.5, -0.5, 2, -2, .nan, .infinity, 1.4 / 32_768, 1.6 / 32_768]
        let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .f32)
        let path = try write(rawBytes(of: samples), format, to: "a.wav")
        let reader = try SoundFileReader(path: path)
        let narrow = typed(Int16.self, of: try reader.readAll(as: .s16))
        #expect(narrow == [0, .max, .min, 16_384, -16_384, .max, .min, 0, .max, 1, 2])
        try reader.rewind()
        let wide = typed(Int32.self, of: try reader.readAll(as: .s32))
        #expect(wide[1...6] == [.max, .min, 1 << 30, -1 << 30, .max, .min])
    }

    @Test func aMisalignedBufferIsFilled() throws {
        let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s32)
        let bytes = sampleBytes(100, of: format)
        let reader = try SoundFileReader(path: try write(bytes, format, to: "a.wav"))
        var buffer = [UInt8](repeating: 7, count: 403)
        do {
            var span = buffer.mutableSpan
            // SAFETY: any byte is a valid element.
            var raw = unsafe span.mutableBytes
            var part = raw._mutatingExtracting(1..<403)
            #expect(try reader.read(into: &part, as: .s32) == 100)
        }
        #expect(Array(buffer[1..<401]) == bytes)
        #expect([buffer[0], buffer[401], buffer[402]] == [7, 7, 7])
    }

    @Test func theBuiltInClipIsReadFromMemory() throws {
        let reader = try SoundFileReader(bytes: PackageResources.speech_flac, name: "speech")
        #expect(reader.sampleRateHz == 16_000)
        #expect(reader.channelCount == 1)
        let samples = try reader.readAll(as: .s16)
        #expect(samples.count == reader.frameCount * 2)
        #expect(reader.frameCount > 16_000)
        try reader.rewind()
        #expect(try reader.readAll(as: .s16, step: 160) == samples)
    }

    @Test func compressedFilesAreRead() throws {
        let speech = scratch.file("speech.flac")
        try Data(PackageResources.speech_flac).write(to: URL(fileURLWithPath: speech))
        let samples = try SoundFileReader(path: speech).readAll(as: .s16)
        guard output(of: "sox", "--version") != nil else { return print("skipped: sox is not installed") }
        for name in ["a.wav", "a.aiff", "a.au", "a.flac", "a.caf"] {
            let path = scratch.file(name)
            guard output(of: "sox", speech, path) != nil else {
                print("skipped: sox does not write \(name)")
                continue
            }
            #expect(try SoundFileReader(path: path).readAll(as: .s16) == samples, "\(name)")
        }
        let vorbis = scratch.file("a.ogg")
        guard output(of: "sox", speech, vorbis) != nil else { return print("skipped: sox does not write Ogg Vorbis") }
        let lossy = try SoundFileReader(path: vorbis).readAll(as: .s16)
        let loudest = typed(Int16.self, of: lossy).map { abs(Int($0)) }.max() ?? 0
        #expect(lossy.count == samples.count)
        #expect(loudest > 3000, "the level of a lossy file was lost")
    }

    @Test func whatIsNoSoundFileIsToldApart() throws {
        let missing = expectError(.noSuchFile) { _ = try SoundFileReader(path: scratch.file("none.wav")) }
        #expect(missing?.message.contains("none.wav") == true)
        let directory = expectError(.unreadableFile) { _ = try SoundFileReader(path: scratch.path) }
        #expect(directory?.message.contains("directory") == true)
        let fifo = scratch.file("fifo")
        // SAFETY: the path lives through the call.
        #expect(unsafe mkfifo(fifo, 0o600) == 0)
        expectError(.unreadableFile) { _ = try SoundFileReader(path: fifo) }
        for (name, contents) in [
            ("empty.wav", Data()), ("text.wav", Data("Hello, this is no sound at all.\n".utf8)),
            ("riff.wav", Data("RIFF\u{10}\u{0}\u{0}\u{0}WAVE".utf8)),
        ] {
            let path = scratch.file(name)
            try contents.write(to: URL(fileURLWithPath: path))
            let error = expectError(.unreadableFile) { _ = try SoundFileReader(path: path) }
            #expect(error?.message.contains(name) == true)
            #expect(error?.message.contains("FLAC") == true)
        }
        expectError(.unreadableFile) { _ = try SoundFileReader(bytes: [], name: "nothing") }
    }

    @Test func aFileWithoutPermissionIsToldApart() throws {
        guard geteuid() != 0 else { return print("skipped: root may read everything") }
        let path = try write(sampleBytes(10, of: .speech), .speech, to: "a.wav")
        // SAFETY: the path lives through the call.
        #expect(unsafe chmod(path, 0) == 0)
        expectError(.permissionDenied) { _ = try SoundFileReader(path: path) }
    }

    @Test func damageEndsInAnErrorOrTheFramesThatAreThere() throws {
        // Cut off: the frames before the cut come, and no more.
        let path = try write(sampleBytes(1000, of: .speech), .speech, to: "a.wav")
        // SAFETY: the path lives through the call.
        #expect(unsafe truncate(path, 44 + 500) == 0)
        #expect(try SoundFileReader(path: path).readAll(as: .s16) == Array(sampleBytes(1000, of: .speech)[..<500]))
        // Overwritten in the middle of compressed data.
        var clip = PackageResources.speech_flac
        for index in clip.count / 2..<clip.count / 2 + 2000 { clip[index] = UInt8(truncatingIfNeeded: index &* 31) }
        expectError(.unreadableFile) {
            let reader = try SoundFileReader(bytes: clip, name: "clip")
            _ = try reader.readAll(as: .s16)
        }
        // Cut off in the middle of compressed data: said, not taken for the end.
        expectError(.unreadableFile) {
            let reader = try SoundFileReader(bytes: Array(clip[..<(clip.count / 3)]), name: "clip")
            _ = try reader.readAll(as: .s16)
        }
    }

    @Test func damagedBytesNeverTrap() throws {
        var state: UInt64 = 7
        func random(below limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(limit))
        }
        let path = try write(sampleBytes(500, of: .speech), .speech, to: "a.wav")
        var files = [[UInt8](try Data(contentsOf: URL(fileURLWithPath: path))), PackageResources.speech_flac]
        for name in ["a.aiff", "a.au", "a.caf", "a.w64", "a.ogg"] {
            guard output(of: "sox", path, scratch.file(name)) != nil else { continue }
            files.append([UInt8](try Data(contentsOf: URL(fileURLWithPath: scratch.file(name)))))
        }
        var readable = 0
        for round in 0..<2000 {
            var bytes = files[round % files.count]
            // Mostly the header, where sizes and counts stand.
            for _ in 0...random(below: 4) {
                bytes[random(below: min(bytes.count, 200))] =
                    [0, 1, 0x7F, 0x80, 0xFF, UInt8(random(below: 256))][
                        random(below: 6)]
            }
            if random(below: 4) == 0 { bytes.removeLast(random(below: bytes.count)) }
            do throws(AudioError) {
                let reader = try SoundFileReader(bytes: bytes, name: "damaged")
                #expect(reader.frameCount >= 0 && reader.channelCount > 0 && reader.sampleRateHz > 0)
                var buffer = [UInt8](repeating: 0, count: 1000 * reader.channelCount * 2)
                var span = buffer.mutableSpan
                // SAFETY: any byte is a valid element.
                var raw = unsafe span.mutableBytes
                _ = try reader.read(into: &raw, as: .s16)
                readable += 1
            } catch {
                #expect(error.code == .unreadableFile)
            }
        }
        #expect(readable > 100 && readable < 1900)
    }
}
