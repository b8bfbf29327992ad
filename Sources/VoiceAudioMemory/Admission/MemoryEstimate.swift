import VoiceAudioCore

/// What audio of some duration takes, in memory and on disk, while it is worked on in segments.
///
/// A frame is one sample of each channel. With `frames` = duration × rate, rounded up:
///
/// | what | bytes |
/// |---|---|
/// | `audioBytes` | `frames` × channels × bytes of a sample |
/// | `floatBytes` | `frames` × channels × 4 |
/// | `wavBytes` | 44 + `audioBytes`, 58 + `audioBytes` for `f32`, made even |
/// | `segmentBytes` | ⌈`frames` ÷ segments⌉ × channels × (bytes of a sample + 4) |
/// | `peakBytes` | `audioBytes` + `segmentBytes` |
///
/// The peak is that of a program that has all of the audio, and copies one segment after the other out of it, as samples
/// and as floats. The WAV is on disk and not in it, unless temporary files lie in memory (tmpfs).
public struct MemoryEstimate: Sendable, Hashable, Codable {
    /// Frames of all of the audio.
    public var frames: Int
    /// The audio as it was captured.
    public var audioBytes: Int
    /// All of the audio as 32-bit floats.
    public var floatBytes: Int
    /// The audio as a temporary WAV file, on disk.
    public var wavBytes: Int
    /// The largest segment, as samples and as floats.
    public var segmentBytes: Int
    /// The most that is in memory at once.
    public var peakBytes: Int

    init(duration: Duration, format: AudioFormat, segments: Int) throws(AudioError) {
        try Self.check(duration.components.seconds, "s of audio", in: 0...Self.longestSeconds)
        try Self.check(duration.clampedNanoseconds, "ns of audio", in: 0...Self.longestSeconds * 1_000_000_000)
        try Self.check(Int64(format.sampleRateHz), "Hz", in: 1...768_000)
        try Self.check(Int64(format.channelCount), "channels", in: 1...64)
        try Self.check(Int64(segments), "segments", in: 1...Int64.max)
        let whole = format.frameCount(in: duration)
        frames = format.duration(ofFrames: whole) < duration ? whole + 1 : whole
        audioBytes = frames * format.bytesPerFrame
        floatBytes = frames * format.channelCount * 4
        let header = format.sampleFormat == .f32 ? 58 : 44
        wavBytes = header + audioBytes + audioBytes % 2
        let (longest, rest) = frames.quotientAndRemainder(dividingBy: segments)
        segmentBytes = (longest + (rest > 0 ? 1 : 0)) * (format.bytesPerFrame + format.channelCount * 4)
        peakBytes = audioBytes + segmentBytes
    }

    /// A year: no sum of bytes overflows up to there.
    private static let longestSeconds: Int64 = 366 * 86_400

    private static func check(_ value: Int64, _ what: String, in range: ClosedRange<Int64>) throws(AudioError) {
        guard !range.contains(value) else { return }
        throw AudioError(
            .invalidConfiguration,
            "no estimate for \(value) \(what): accepted are \(range.lowerBound) to \(range.upperBound)")
    }

    enum CodingKeys: String, CodingKey {
        case frames
        case audioBytes = "audio_bytes"
        case floatBytes = "float_bytes"
        case wavBytes = "wav_bytes"
        case segmentBytes = "segment_bytes"
        case peakBytes = "peak_bytes"
    }
}
