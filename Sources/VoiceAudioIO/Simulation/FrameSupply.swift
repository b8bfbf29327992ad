import VoiceAudioCore

/// The frames of a sound, by their position.
///
/// > Concurrency: One thread at a time.
protocol FrameSupply: AnyObject {
    /// Frames there are; `nil` where there is no end.
    var frameCount: Int? { get }

    /// What the frames are made from, where that differs from what is delivered.
    var origin: String? { get }

    /// Writes the frames from `position` on to the start of `buffer`.
    ///
    /// - Parameters:
    ///   - buffer: Room for these frames; what lies behind them may be overwritten too.
    ///   - frameCount: Frames wanted.
    ///   - position: Never before the end of the last call's frames.
    /// - Returns: Frames written: fewer than wanted only where the sound ends, 0 after that.
    /// - Throws: `unreadableFile`.
    ///
    /// > Real-time: Allocates nothing and takes no lock; a file's reads from the disk.
    func fill(_ buffer: inout MutableRawSpan, frameCount: Int, from position: Int) throws(AudioError) -> Int
}

extension MutableRawSpan {
    /// Writes one sample, −1.0…1.0, to every channel of frame `index`: rounded to nearest, clipped.
    mutating func storeFrame(_ sample: Double, at index: Int, format: AudioFormat) {
        let first = index * format.channelCount
        for place in first..<first + format.channelCount {
            switch format.sampleFormat {
            case .s16:
                storeBytes(of: Int16(Self.scaled(sample, by: 0x8000)), toByteOffset: place * 2, as: Int16.self)
            case .s24:
                let value = Self.scaled(sample, by: 0x80_0000)
                storeBytes(of: UInt16(truncatingIfNeeded: value), toByteOffset: place * 3, as: UInt16.self)
                storeBytes(of: UInt8(truncatingIfNeeded: value >> 16), toByteOffset: place * 3 + 2, as: UInt8.self)
            case .s32:
                storeBytes(of: Self.scaled(sample, by: 0x8000_0000), toByteOffset: place * 4, as: Int32.self)
            case .f32:
                storeBytes(of: Float(sample), toByteOffset: place * 4, as: Float.self)
            }
        }
    }

    private static func scaled(_ sample: Double, by scale: Double) -> Int32 {
        Int32(min(max((sample * scale).rounded(), -scale), scale - 1))
    }
}
