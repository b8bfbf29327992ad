import VoiceAudioCore

/// The frames of a sound, by their position.
///
/// > Concurrency: One thread at a time.
protocol FrameSupply: AnyObject {
    /// Frames there are; `nil` where there is no end.
    var frameCount: Int? { get }

    /// What the frames are made from, where that differs from what is delivered.
    var origin: String? { get }

    /// What is done to them on the way, in words.
    var conversions: [String] { get }

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

extension FrameSupply {
    var conversions: [String] { [] }
}

extension MutableRawSpan {
    /// Writes one sample, −1.0…1.0, to every channel of frame `index`: rounded to the nearest, clipped.
    mutating func storeFrame(_ sample: Double, at index: Int, format: AudioFormat) {
        precondition((index + 1) * format.bytesPerFrame <= byteCount)
        let layout = SampleLayout(format.sampleFormat)
        // SAFETY: the frame lies within the bytes.
        unsafe withUnsafeMutableBytes { bytes in
            for place in index * format.channelCount..<(index + 1) * format.channelCount {
                unsafe layout.store(sample, to: bytes, at: place)
            }
        }
    }
}
