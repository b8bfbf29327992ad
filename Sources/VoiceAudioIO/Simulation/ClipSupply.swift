import VoiceAudioCore

/// A short mono sound in memory, on every channel.
final class ClipSupply: FrameSupply {
    let frameCount: Int?
    let origin: String?

    private let samples: [Float]
    private let format: AudioFormat

    /// The built-in speech at the rate of `format`.
    ///
    /// - Throws: `unreadableFile` or `unsupportedFormat`.
    init(speechFor format: AudioFormat, loops: Bool) throws(AudioError) {
        let reader = try SoundFileReader(bytes: PackageResources.speech_flac, name: "the built-in speech")
        let clip = try Self.samples(of: reader)
        let rate = reader.sampleRateHz
        var resampler = try Resampler(from: rate, to: format.sampleRateHz, channelCount: 1)
        samples = try resampler.convert(clip, isEnd: true)
        origin = rate == format.sampleRateHz ? nil : "\(rate) Hz"
        frameCount = loops ? nil : samples.count
        self.format = format
    }

    func fill(_ buffer: inout MutableRawSpan, frameCount: Int, from position: Int) -> Int {
        let count = self.frameCount.map { min(frameCount, $0 - position) } ?? frameCount
        for index in 0..<count {
            buffer.storeFrame(Double(samples[(position + index) % samples.count]), at: index, format: format)
        }
        return count
    }

    private static func samples(of reader: SoundFileReader) throws(AudioError) -> [Float] {
        var samples = [Float](repeating: 0, count: reader.frameCount)
        var span = samples.mutableSpan
        // SAFETY: any bytes are valid elements.
        var bytes = unsafe span.mutableBytes
        _ = try reader.read(into: &bytes, as: .f32)
        return samples
    }
}
