import Glibc
import VoiceAudioCore

/// A sine without end.
final class ToneSupply: FrameSupply {
    let frameCount: Int? = nil
    let origin: String? = nil

    private let hertz: Double
    private let amplitude: Double
    private let format: AudioFormat

    /// - Throws: `unsupportedFormat`, `invalidConfiguration`.
    init(hertz: Double, amplitude: Double, format: AudioFormat) throws(AudioError) {
        guard hertz > 0, hertz < Double(format.sampleRateHz) / 2 else {
            throw AudioError(
                .unsupportedFormat,
                "a tone of \(hertz) Hz at \(format.sampleRateHz) Hz: it is above 0 and below half of the rate")
        }
        guard amplitude >= 0, amplitude <= 1 else {
            throw AudioError(.invalidConfiguration, "the tone's amplitude is \(amplitude): accepted are 0 to 1")
        }
        self.hertz = hertz
        self.amplitude = amplitude
        self.format = format
    }

    func fill(_ buffer: inout MutableRawSpan, frameCount: Int, from position: Int) -> Int {
        for index in 0..<frameCount {
            let sample = amplitude * sin(2 * .pi * cycles(at: position + index))
            buffer.storeFrame(sample, at: index, format: format)
        }
        return frameCount
    }

    /// Cycles, without most of the whole ones: seconds and the rest of a second apart, so that no error grows.
    private func cycles(at position: Int) -> Double {
        let (seconds, rest) = position.quotientAndRemainder(dividingBy: format.sampleRateHz)
        let atSecond = (Double(seconds) * hertz.truncatingRemainder(dividingBy: 1)).truncatingRemainder(dividingBy: 1)
        return atSecond + Double(rest) * hertz / Double(format.sampleRateHz)
    }
}
