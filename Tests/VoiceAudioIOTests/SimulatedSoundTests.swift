import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// The first frames of a source.
private func first(_ count: Int, of source: SimulatedSource, _ format: AudioFormat, from: Int = 0) throws -> [UInt8] {
    let clock = ManualClock()
    let stream = try source.open(CaptureRequest(format: format, chunkFrameCount: count), in: .init(clock: clock))
    defer { stream.close() }
    try stream.start()
    if from > 0 {
        clock.advance(by: format.duration(ofFrames: from))
        var none = [UInt8](repeating: 0, count: format.bytesPerFrame)
        var span = none.mutableSpan
        // SAFETY: any byte is a valid element.
        var raw = unsafe span.mutableBytes
        guard case .lost = try stream.read(into: &raw) else {
            Issue.record("nothing was lost")
            return []
        }
    }
    var bytes = [UInt8](repeating: 0, count: count * format.bytesPerFrame)
    var span = bytes.mutableSpan
    // SAFETY: any byte is a valid element.
    var raw = unsafe span.mutableBytes
    guard case .frames(count, _) = try stream.read(into: &raw) else {
        Issue.record("no frames")
        return []
    }
    return bytes
}

@Suite struct SimulatedSoundTests {
    private let speech = SimulatedSource.speech(pace: .asFastAsPossible)

    @Test func theBuiltInSpeechIsTheClipBitForBitOverAndOver() throws {
        let reader = try SoundFileReader(bytes: PackageResources.speech_flac, name: "clip")
        let clip = try reader.readAll(as: .s16)
        #expect(reader.sampleRateHz == 16_000)
        #expect(try first(200_000, of: speech, .speech) == Array((clip + clip + clip)[..<400_000]))
        let once = SimulatedSource.speech(pace: .asFastAsPossible, loops: false)
        let stream = try once.open(CaptureRequest(format: .speech, chunkFrameCount: 160), in: .init())
        var bytes = [UInt8](repeating: 0, count: 400_000)
        var span = bytes.mutableSpan
        // SAFETY: any byte is a valid element.
        var raw = unsafe span.mutableBytes
        guard case .frames(reader.frameCount, _) = try stream.read(into: &raw) else {
            Issue.record("not the clip")
            return
        }
        #expect(try stream.read(into: &raw) == .ended)
    }

    /// Every format holds the same sound.
    @Test func speechComesInEveryFormat() throws {
        func format(_ sampleFormat: SampleFormat) -> AudioFormat {
            AudioFormat(sampleRateHz: 16_000, channelCount: 2, sampleFormat: sampleFormat)
        }
        let wanted = typed(Int16.self, of: try first(30_000, of: speech, format(.s16))).map(Int.init)
        #expect(wanted.contains { abs($0) > 3000 })
        #expect(stride(from: 0, to: 60_000, by: 2).allSatisfy { wanted[$0] == wanted[$0 + 1] })
        #expect(typed(Int32.self, of: try first(30_000, of: speech, format(.s32))).map { Int($0) >> 16 } == wanted)
        #expect(typed(Float.self, of: try first(30_000, of: speech, format(.f32))).map { Int($0 * 32_768) } == wanted)
        let packed = try first(30_000, of: speech, format(.s24))
        let upper = (0..<60_000).map {
            Int(Int16(bitPattern: UInt16(packed[$0 * 3 + 1]) | UInt16(packed[$0 * 3 + 2]) << 8))
        }
        #expect(upper == wanted)
        #expect((0..<60_000).allSatisfy { packed[$0 * 3] == 0 })
    }

    private func resampled(_ samples: [Float], from rate: Int, to newRate: Int) throws -> [Float] {
        var resampler = try Resampler(from: rate, to: newRate, channelCount: 1)
        return try resampler.convert(samples, isEnd: true)
    }

    @Test(arguments: [8000, 22_050, 44_100, 48_000])
    func speechAtAnotherRateSoundsTheSame(rate: Int) throws {
        let format = AudioFormat(sampleRateHz: rate, channelCount: 1, sampleFormat: .f32)
        let there = typed(Float.self, of: try first(rate * 2, of: speech, format))
        let back = try resampled(there, from: rate, to: 16_000)
        let reference = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .f32)
        var wanted = typed(Float.self, of: try first(32_000, of: speech, reference))
        // What 8 kHz cannot hold is not wanted back.
        if rate < 16_000 {
            wanted = try resampled(try resampled(wanted, from: 16_000, to: rate), from: rate, to: 16_000)
        }
        let span = 1000..<31_000
        let signal = span.reduce(0.0) { $0 + Double(wanted[$1]) * Double(wanted[$1]) }
        let noise = span.reduce(0.0) { $0 + pow(Double(wanted[$1]) - Double(back[$1]), 2) }
        #expect(signal > 10)
        #expect(noise < signal / 1000, "\(10 * log10(noise / signal)) dB")
    }

    @Test func resamplingKeepsATonesHeightAndRemovesWhatWouldAlias() throws {
        func tone(_ hertz: Double, _ rate: Int) -> [Float] {
            (0..<rate).map { Float(sin(2 * .pi * hertz * Double($0) / Double(rate))) }
        }
        for (from, to) in [(16_000, 48_000), (16_000, 44_100), (48_000, 16_000)] {
            let made = try resampled(tone(440, from), from: from, to: to)
            let wanted = tone(440, to)
            #expect(made.count == to)
            #expect((100..<to - 100).allSatisfy { abs(made[$0] - wanted[$0]) < 0.003 })
        }
        let high = try resampled(tone(6000, 16_000), from: 16_000, to: 8000)
        #expect(high[100..<7900].allSatisfy { abs($0) < 0.01 })
    }

    /// The sine is right to the sample, at once and after a year.
    @Test(arguments: [(440.0, 16_000), (997.25, 44_100), (0.1, 8000), (23_999, 48_000)])
    func tonesDoNotDrift(hertz: Double, rate: Int) throws {
        let format = AudioFormat(sampleRateHz: rate, channelCount: 2, sampleFormat: .f32)
        for seconds in [0, 365 * 86_400] {
            let source = SimulatedSource(
                toneHz: hertz, amplitude: 0.25, pace: seconds == 0 ? .asFastAsPossible : .realTime)
            let made = typed(Float.self, of: try first(1000, of: source, format, from: seconds * rate))
            // In 80-bit arithmetic, from the position that the buffer of a late reader begins at.
            let start = seconds == 0 ? 0 : seconds * rate / 1000 * 1000 - max(4000, rate / 2)
            for frame in 0..<1000 {
                let cycles = (Float80(start + frame) * Float80(hertz) / Float80(rate)).truncatingRemainder(
                    dividingBy: 1)
                let wanted = Float(0.25 * sin(2 * .pi * Double(cycles)))
                #expect(abs(made[frame * 2] - wanted) < 1e-6)
                #expect(made[frame * 2] == made[frame * 2 + 1])
            }
        }
    }

    @Test func loudSamplesAreClippedNotWrapped() throws {
        let format = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s16)
        let made = typed(
            Int16.self,
            of: try first(16, of: SimulatedSource(toneHz: 4000, amplitude: 1, pace: .asFastAsPossible), format))
        #expect(made == (0..<16).map { [0, 32_767, 0, -32_768][$0 % 4] })
    }

    @Test func tonesKeepTheirLimits() {
        let request = CaptureRequest(format: .speech, chunkFrameCount: 160)
        for hertz in [0, -1, 8000, .nan, .infinity] {
            expectError(.unsupportedFormat) { _ = try SimulatedSource(toneHz: hertz).open(request, in: .init()) }
        }
        for amplitude in [-0.1, 1.1, .nan] {
            expectError(.invalidConfiguration) {
                _ = try SimulatedSource(toneHz: 440, amplitude: amplitude).open(request, in: .init())
            }
        }
    }

    @Test func deviceNames() throws {
        #expect(try SimulatedSource(device: "sim:").name == "sim:")
        #expect(try SimulatedSource(device: "sim:tone=440").name == "sim:tone=440.0")
        #expect(try SimulatedSource(device: "sim:tone=0.5").name == "sim:tone=0.5")
        #expect(try SimulatedSource(device: "sim:/a b/c.flac").name == "sim:/a b/c.flac")
        #expect(try SimulatedSource(device: "sim:./tone=440").name == "sim:./tone=440")
        for bad in [
            "", "sim", "hw:0", "sim:tone=", "sim:tone=0", "sim:tone=-1", "sim:tone=nan", "sim:tone=1e3", "sim:tone=0x9",
        ] {
            expectError(.invalidConfiguration) { _ = try SimulatedSource(device: bad) }
        }
    }
}
