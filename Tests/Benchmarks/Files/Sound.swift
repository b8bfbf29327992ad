import Glibc
import VoiceAudio

/// What is written: tones with some noise, of which an encoder makes about as much as of speech.
enum Sound {
    static let format = AudioFormat.speech
    /// What comes at a time: 100 ms, as a capture's chunks.
    static let blockFrameCount = 1600

    static func samples(byteCount: Int) -> [Int16] {
        var noise = SystemRandomNumberGenerator()
        return (0..<byteCount / 2).map { index in
            let time = Double(index) / Double(format.sampleRateHz)
            let loudness = 4000 * (1 + sin(2 * .pi * 3 * time))
            let tones = sin(2 * .pi * 220 * time) + 0.5 * sin(2 * .pi * 1370 * time)
            return Int16(loudness * tones) + Int16(truncatingIfNeeded: noise.next() & 127) - 64
        }
    }

    /// The header of a WAV file of `byteCount` bytes of samples.
    static func header(byteCount: Int) -> [UInt8] {
        func bytes(_ number: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(number >> (8 * $0) & 255) } }
        return Array("RIFF".utf8) + bytes(36 + byteCount, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2)
            + bytes(1, 2) + bytes(format.sampleRateHz, 4) + bytes(2 * format.sampleRateHz, 4) + bytes(2, 2)
            + bytes(16, 2) + Array("data".utf8) + bytes(byteCount, 4)
    }
}
