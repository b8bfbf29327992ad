import Foundation
package import VoiceAudioCore

/// A format of the numbered PCM's, and what its samples should be: written from the documentation, not from the C.
package enum NumberedFormat: String, CaseIterable, Sendable {
    case s16 = "S16_LE"
    case packed24 = "S24_3LE"
    case padded24 = "S24_LE"
    case s32 = "S32_LE"
    case float = "FLOAT_LE"

    /// What our capture delivers it as: 24 bits without the padding.
    package var delivered: SampleFormat {
        switch self {
        case .s16: .s16
        case .packed24, .padded24: .s24
        case .s32: .s32
        case .float: .f32
        }
    }

    /// Bits that carry the number.
    private var bits: UInt64 {
        switch self {
        case .s16: 16
        case .packed24, .padded24, .float: 24
        case .s32: 32
        }
    }

    private var frameFactor: UInt64 { 0x9E37_79B1 >> (32 - bits) }
    private var channelFactor: UInt64 { 0xA54F_F53B >> (32 - bits) }
    private var mask: UInt64 { 1 << bits - 1 }

    /// The bits of one sample.
    package func sample(number: Int, channel: Int) -> UInt64 {
        let number = UInt64(number)
        let sample = number &* (frameFactor &+ 2 &* (number >> bits)) &+ UInt64(channel) &* channelFactor
        return sample & mask
    }

    /// The number, modulo 2 to the 2 × bits − 1, of the first of two successive frames, by their samples on channel 0.
    package func number(from first: UInt64, _ second: UInt64) -> Int {
        let factor = (second &- first) & mask
        let upper = ((factor &- frameFactor) & mask) >> 1
        // Newton's way to the inverse of an odd number: each step doubles the bits that are right.
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        return Int(upper << bits | first &* inverse & mask)
    }

    /// The frames of these numbers as our capture delivers them.
    package func bytes(of numbers: Range<Int>, channels: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * channels * 4)
        for number in numbers {
            for channel in 0..<channels {
                var word = sample(number: number, channel: channel)
                if self == .float {
                    let value = Int32(truncatingIfNeeded: word << 8) >> 8
                    word = UInt64((Float(value) / 8_388_608).bitPattern)
                }
                for index in 0..<UInt64(delivered.bytesPerSample) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> (8 * index)))
                }
            }
        }
        return bytes
    }
}

/// The plugin, which SwiftPM builds with the tests.
private var pluginPath: String { programBesideTests("libasound_module_pcm_numbered.so").path }

/// The ALSA configuration of a numbered PCM with these fields.
package func numberedConfiguration(_ fields: String, name: String = "voiceaudio_numbered") -> String {
    """
    pcm_type.numbered { lib "\(pluginPath)" }
    pcm.\(name) { type numbered \(fields) }
    """
}
