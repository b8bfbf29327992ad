import Foundation
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

extension FuzzTarget {
    /// Sound files, in memory, as temporary files, as a microphone, and through a pipe.
    static let soundFiles = FuzzTarget(
        name: "sound files", share: 35, corpus: wavCorpus,
        words: [
            "RIFF", "RIFX", "RF64", "WAVE", "fmt ", "data", "fact", "LIST", "INFO", "PEAK", "bext", "cart", "smpl",
            "ds64",
            "JUNK", "cue ", "inst", "fLaC", "OggS", "FORM", "AIFC", "COMM", "SSND", "caff", "desc", ".snd", "ID3",
        ], limit: 16_384
    ) { bytes in
        do throws(AudioError) {
            let reader = try SoundFileReader(bytes: bytes, name: "fuzz")
            guard reader.sampleRateHz > 0, reader.channelCount > 0, reader.frameCount >= 0 else {
                throw AudioError(.invalidState, "\(reader.sampleRateHz) Hz, \(reader.channelCount) channels")
            }
            for format in SampleFormat.allCases {
                try reader.rewind()
                try read(reader, as: format)
            }
        } catch {
            guard [.unreadableFile, .outOfResources].contains(error.code) else { throw error }
        }
        do {
            try withTemporaryWAV(wavBytes: bytes, minimumFreeBytes: 0) { wav in
                guard wav.byteCount == bytes.count else { throw Finding("\(wav.byteCount) of \(bytes.count) bytes") }
                try capture(path: wav.path)
            }
        } catch let error as AudioError {
            guard [.unreadableFile, .unsupportedFormat].contains(error.code) else { throw error }
        }
        for rate in [8000, 16_000] { try capture(fromPipe: bytes, rate: rate) }
    }

    /// As much as a file of this size can hold, and a little more.
    private static func read(_ reader: SoundFileReader, as format: SampleFormat) throws(AudioError) {
        let frameBytes = reader.channelCount * format.bytesPerSample
        var buffer = [UInt8](repeating: 0, count: max(frameBytes, 8192 / frameBytes * frameBytes))
        for _ in 0..<64 {
            var span = buffer.mutableSpan
            // SAFETY: any bytes are valid.
            var bytes = unsafe span.mutableBytes
            guard try reader.read(into: &bytes, as: format) > 0 else { return }
        }
    }

    private static func capture(path: String) throws(AudioError) {
        let reader = try SoundFileReader(path: path)
        let format = AudioFormat(
            sampleRateHz: reader.sampleRateHz, channelCount: reader.channelCount, sampleFormat: .s16)
        let stream = try SimulatedSource(file: path, pace: .asFastAsPossible).open(
            CaptureRequest(format: format, chunkFrameCount: 100), in: CaptureEnvironment())
        defer { stream.close() }
        try stream.start()
        var buffer = [UInt8](repeating: 0, count: 100 * format.bytesPerFrame)
        for _ in 0..<64 {
            var span = buffer.mutableSpan
            // SAFETY: any bytes are valid.
            var bytes = unsafe span.mutableBytes
            if case .ended = try stream.read(into: &bytes) { return }
        }
    }

    /// What fits into a pipe, which nobody writes to any more.
    private static func capture(fromPipe bytes: [UInt8], rate: Int) throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data(bytes))
        try pipe.fileHandleForWriting.close()
        let format = AudioFormat(sampleRateHz: rate, channelCount: 1, sampleFormat: .s16)
        do throws(AudioError) {
            let source = DescriptorSource(descriptor: dup(pipe.fileHandleForReading.fileDescriptor))
            let stream = try source.open(CaptureRequest(format: format, chunkFrameCount: 100), in: CaptureEnvironment())
            defer { stream.close() }
            try stream.start()
            var buffer = [UInt8](repeating: 0, count: 100 * format.bytesPerFrame)
            var frameCount = 0
            while true {
                var span = buffer.mutableSpan
                // SAFETY: any bytes are valid.
                var room = unsafe span.mutableBytes
                guard case .frames(let count, _) = try stream.read(into: &room) else { break }
                frameCount += count
            }
            // Each byte makes a frame at most, and a closed pipe has nothing to wait for.
            guard frameCount <= bytes.count, case .ended = try read(stream) else {
                throw AudioError(.invalidState, "\(frameCount) frames of \(bytes.count) bytes, and no end")
            }
        } catch {
            guard [.unreadableFile, .unsupportedFormat].contains(error.code) else { throw error }
        }
    }

    private static func read(_ stream: any CaptureStream) throws(AudioError) -> CaptureRead {
        var frame: [UInt8] = [0, 0]
        var span = frame.mutableSpan
        // SAFETY: any bytes are valid.
        var room = unsafe span.mutableBytes
        return try stream.read(into: &room)
    }

    /// Small files of the kinds that people have, and the formats that libsndfile reads besides.
    private static var wavCorpus: [[UInt8]] {
        let samples = (0..<300).map { Int16(truncatingIfNeeded: $0 * 9973) }
        var corpus: [[UInt8]] = SampleFormat.allCases.compactMap { format in
            let shape = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: format)
            let bytes = [UInt8](repeating: 0x3D, count: 100 * shape.bytesPerFrame)
            return try? withTemporaryWAV(samples: bytes, format: shape, minimumFreeBytes: 0) { wav in
                [UInt8](try Data(contentsOf: URL(fileURLWithPath: wav.path)))
            }
        }
        func header(_ code: UInt16, channels: UInt16, bits: UInt16, extra: [UInt8] = []) -> [UInt8] {
            func little<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
                (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
            }
            let align = channels * max(1, bits / 8)
            let format =
                little(code) + little(channels) + little(UInt32(8000)) + little(8000 * UInt32(align)) + little(align)
                + little(bits) + extra
            let data = samples.flatMap { little($0) }
            let chunks =
                Array("WAVEfmt ".utf8) + little(UInt32(format.count)) + format + Array("fact".utf8)
                + little(UInt32(4)) + little(UInt32(300)) + Array("data".utf8) + little(UInt32(data.count)) + data
            return Array("RIFF".utf8) + little(UInt32(chunks.count)) + chunks
        }
        // PCM, µ-law, A-law, IMA and Microsoft ADPCM, GSM 6.10.
        corpus += [
            header(1, channels: 2, bits: 8), header(7, channels: 1, bits: 8), header(6, channels: 1, bits: 8),
            header(0x11, channels: 1, bits: 4, extra: [2, 0, 0xF9, 1]),
            header(2, channels: 1, bits: 4, extra: [4, 0, 0xF4, 1, 7, 0]), header(0x31, channels: 1, bits: 0),
        ]
        corpus.append(
            Array(".snd".utf8) + [0, 0, 0, 24, 0, 0, 0, 100, 0, 0, 0, 3, 0, 0, 0x1F, 0x40, 0, 0, 0, 1] + corpus[0])
        corpus.append(Array("caff".utf8) + [0, 1, 0, 0] + Array("desc".utf8) + corpus[0])
        corpus.append(Array("FORM".utf8) + [0, 0, 1, 0] + Array("AIFFCOMM".utf8) + corpus[0])
        return corpus
    }
}
