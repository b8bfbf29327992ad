import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// WAV files as they come through a pipe.
@Suite(.timeLimit(.minutes(5))) struct WAVStreamTests {
    private let format = AudioFormat(sampleRateHz: 8000, channelCount: 1, sampleFormat: .s16)
    private var samples: [UInt8] { sampleBytes(1000, of: format) }

    private func refusal(
        _ code: AudioError.Code, of bytes: [UInt8], _ contents: DescriptorSource.Contents = .wav,
        as format: AudioFormat? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) -> String {
        let error = expectError(code, sourceLocation: sourceLocation) {
            _ = try received(bytes, contents, as: format ?? self.format)
        }
        return error?.message ?? ""
    }

    /// What arecord, sox, ffmpeg and others write where they cannot know.
    @Test(arguments: [0, 0x7FFF_EFFC, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF] as [UInt32])
    func aLengthThatNobodyKnowsIsTheStreams(byteCount: UInt32) throws {
        let bytes = wavBytes(channels: 1, bits: 16, rate: 8000, dataByteCount: byteCount, data: samples)
        let log = KeptLog()
        #expect(try received(bytes, .wav, as: format, log: log) == samples)
        #expect(try received(bytes, .automatic, as: format) == samples)
        #expect(log.messages.isEmpty)
    }

    @Test func whatFollowsTheSamplesIsNone() throws {
        let bytes = wavBytes(
            channels: 1, bits: 16, rate: 8000, dataByteCount: 2000,
            data: samples + Array("LIST".utf8) + [4, 0, 0, 0, 9])
        #expect(try received(bytes, .wav, as: format) == samples)
        // Also where the sender keeps the pipe open: nothing is waited for.
        let pipe = try TestPipe()
        try pipe.write(wavBytes(channels: 1, bits: 16, rate: 8000, data: samples))
        #expect(try received(from: pipe.readEnd, .wav, as: format) == samples)
        #expect(pipe.isReaderGone)
    }

    @Test func aFileThatEndsTooEarlyIsTold() throws {
        let bytes = wavBytes(channels: 1, bits: 16, rate: 8000, dataByteCount: 3001, data: samples + [7])
        let log = KeptLog()
        #expect(try received(bytes, .wav, as: format, log: log) == samples)
        #expect(
            log.messages == [
                "warning: the stream ended 1000 bytes before the length that its header tells",
                "warning: the stream ended within a frame: its last 1 bytes are none",
            ])
    }

    @Test func otherChunksAreSkipped() throws {
        let list = Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0]
        let long = Array("JUNK".utf8) + [0x10, 0x27, 0, 0] + [UInt8](repeating: 0x64, count: 10_000)
        let bytes = wavBytes(channels: 1, bits: 16, rate: 8000, before: list + long, data: samples)
        #expect(try received(bytes, .wav, as: format) == samples)
    }

    /// Chunks that are empty must not keep it, and who opens, for as long as they come.
    @Test func emptyChunksComeToAnEnd() throws {
        let pipe = try TestPipe()
        let writeEnd = pipe.writeEnd
        let sender = try ThreadResult {
            try writeAll(Array("RIFF".utf8) + [0, 0, 0, 0] + Array("WAVE".utf8), to: writeEnd)
            // A reader that is gone is told by an error: worker threads block the signal.
            do { while true { try writeAll([UInt8](repeating: 0, count: 4096), to: writeEnd) } } catch {}
        }
        expectError(.unreadableFile) { _ = try received(from: pipe.readEnd, .wav, as: format) }
        try sender.value()
    }

    /// A header can say anything.
    @Test func theWidestFramesTakeLittleMemory() throws {
        let wide = AudioFormat(sampleRateHz: 8000, channelCount: 65_535, sampleFormat: .f32)
        let intake = try FrameIntake(
            StreamFormat(wide), for: CaptureRequest(format: format, chunkFrameCount: 160), beginning: [],
            byteCount: nil, name: "wide")
        var asked: [Int] = []
        var room = [UInt8](repeating: 0, count: 320)
        var span = room.mutableSpan
        // SAFETY: any bytes are valid elements.
        var bytes = unsafe span.mutableBytes
        _ = try unsafe intake.read(into: &bytes) { place throws(AudioError) in
            asked.append(place.count)
            return nil
        }
        #expect(asked == [wide.bytesPerFrame])
    }

    @Test func aLongFilesSizesAreRead() throws {
        let sizes = rawBytes(of: [UInt64(2068), 2000, 1000]) + [0, 0, 0, 0]
        let start = Array("RF64".utf8) + [255, 255, 255, 255] + Array("WAVEds64".utf8) + [28, 0, 0, 0] + sizes
        let rest = wavBytes(
            channels: 1, bits: 16, rate: 8000, dataByteCount: 0xFFFF_FFFF, data: samples + [1, 2, 3, 4])
        #expect(try received(start + rest[12...], .wav, as: format) == samples)
    }

    /// A header that comes byte by byte, and samples behind it.
    @Test func theHeaderMayComeInPieces() throws {
        let bytes = wavBytes(
            channels: 1, bits: 16, rate: 8000, before: Array("LIST".utf8) + [3, 0, 0, 0, 1, 2, 3, 0], data: samples)
        for contents in [DescriptorSource.Contents.wav, .automatic] {
            var header = WAVStreamHeader(name: "test", mayBeRaw: contents == .automatic)
            var position = 0
            var outcome = WAVStreamHeader.Outcome.unfinished
            while case .unfinished = outcome {
                outcome = try unsafe header.take { room throws(AudioError) in
                    // SAFETY: there is room for one at least, or this traps.
                    unsafe room[0] = bytes[position]
                    position += 1
                    return 1
                }.outcome
            }
            #expect(outcome == .wav(StreamFormat(format), dataByteCount: 2000))
            #expect(Array(bytes[position...]) == samples)
        }
    }

    @Test func extensibleIsWhatItsSubformatIs() throws {
        let rest: [UInt8] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
        let extra = rawBytes(of: [UInt16(22), 24, 3, 0, 1]) + rest
        let stereo = AudioFormat(sampleRateHz: 8000, channelCount: 2, sampleFormat: .s24)
        let samples = sampleBytes(300, of: stereo)
        let bytes = wavBytes(code: 0xFFFE, channels: 2, bits: 24, rate: 8000, extra: extra, data: samples)
        #expect(try received(bytes, .wav, as: stereo) == samples)
        let strange = rawBytes(of: [UInt16(22), 24, 3, 0, 1]) + rest.map { $0 ^ 1 }
        let other = wavBytes(code: 0xFFFE, channels: 2, bits: 24, rate: 8000, extra: strange, data: samples)
        #expect(refusal(.unsupportedFormat, of: other, as: stereo).contains("format 65534, 3 bytes a sample"))
    }

    @Test func anotherShapeIsRefusedByBothNames() {
        let bytes = wavBytes(channels: 2, bits: 24, rate: 44_100, data: [1, 2, 3, 4, 5, 6])
        for contents in [DescriptorSource.Contents.wav, .automatic] {
            let message = refusal(.unsupportedFormat, of: bytes, contents)
            #expect(message.contains("44100 Hz, 2 ch, s24"))
            #expect(message.contains("8000 Hz, 1 ch, s16"))
        }
        let mono = wavBytes(channels: 1, bits: 16, rate: 8000, data: [])
        let stereo = AudioFormat(sampleRateHz: 8000, channelCount: 2, sampleFormat: .s16)
        #expect(refusal(.unsupportedFormat, of: mono, as: stereo).contains("8000 Hz, 2 ch, s16"))
    }

    @Test func whatIsNoWAVFileIsRefused() {
        let wav = wavBytes(channels: 1, bits: 16, rate: 8000, data: samples)
        #expect(refusal(.unreadableFile, of: Array("not a WAV file".utf8)).contains("RIFF"))
        #expect(refusal(.unreadableFile, of: Array("RIFF1234AVI fmt ".utf8)).contains("RIFF"))
        #expect(refusal(.unreadableFile, of: []).contains("after 0 bytes"))
        #expect(refusal(.unreadableFile, of: Array(wav[..<40])).contains("after 40 bytes"))
        #expect(refusal(.unreadableFile, of: Array(wav[..<40]), .automatic).contains("after 40 bytes"))
        // The samples before their format; a format of no channels; one that is too short.
        #expect(refusal(.unreadableFile, of: Array(wav[..<12] + wav[36...])).contains("before their format"))
        #expect(
            refusal(.unreadableFile, of: wavBytes(channels: 0, bits: 16, rate: 8000, data: [])).contains("0 channels"))
        #expect(refusal(.unreadableFile, of: Array(wav[..<16]) + [15, 0, 0, 0]).contains("15 bytes"))
        for name in ["fLaC", "OggS", "RIFX", ".snd", "FORM", "caff"] {
            for contents in [DescriptorSource.Contents.wav, .automatic] {
                _ = refusal(.unsupportedFormat, of: Array(name.utf8) + samples, contents)
            }
        }
        let float64 = wavBytes(code: 3, channels: 1, bits: 64, rate: 8000, data: samples)
        #expect(refusal(.unsupportedFormat, of: float64).contains("format 3, 8 bytes a sample"))
    }

    /// Not one byte of a chunk that is too long is read.
    @Test func theHeaderIsBounded() throws {
        for byteCount: UInt32 in [1 << 20, .max] {
            let before = Array("LIST".utf8) + rawBytes(of: [byteCount])
            let bytes = wavBytes(channels: 1, bits: 16, rate: 8000, before: before, data: [])
            #expect(refusal(.unreadableFile, of: bytes).contains("accepted are 1048576"))
        }
        // Many that are not.
        let pipe = try TestPipe()
        let writer = pipe.writeEnd
        let flood = try WorkerThreadOfJunk(to: writer)
        let error = expectError(.unreadableFile) { _ = try received(from: pipe.readEnd, .wav, as: format) }
        #expect(error?.message.contains("accepted are 1048576") == true)
        try flood.end()
    }

    @Test func whatIsNoWAVFileMayBeRaw() throws {
        for beginning in ["R", "RI", "RIFX"[...].prefix(3), "RIFFabcdWAV", "RIFFabcdWAVy", "fLa", "RF6"] as [Substring]
        {
            let bytes = Array(beginning.utf8)
            #expect(try received(bytes, .automatic, as: format) == Array(bytes[..<(bytes.count / 2 * 2)]))
            let long = bytes + sampleBytes(1000, of: format, seed: 3)[..<(1000 + bytes.count % 2)]
            // "RIF" and samples, say.
            #expect(try received(long, .automatic, as: format) == long)
        }
        #expect(try received([], .automatic, as: format) == [])
        #expect(try received(samples, .automatic, as: format) == samples)
    }
}
