/// The shape of an audio stream: interleaved, little-endian frames.
public struct AudioFormat: Sendable, Hashable, Codable {
    /// Frames per second.
    public var sampleRateHz: Int
    /// Samples in a frame.
    public var channelCount: Int
    /// How one sample is stored.
    public var sampleFormat: SampleFormat

    /// A shape of the values given, which whoever uses it checks.
    public init(sampleRateHz: Int, channelCount: Int, sampleFormat: SampleFormat) {
        self.sampleRateHz = sampleRateHz
        self.channelCount = channelCount
        self.sampleFormat = sampleFormat
    }

    /// 16 kHz, mono, `s16`: what speech recognition takes, and this library's default.
    public static let speech = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s16)

    /// Bytes of one frame: channels × bytes per sample.
    public var bytesPerFrame: Int { channelCount * sampleFormat.bytesPerSample }

    /// Bytes of one second.
    public var bytesPerSecond: Int { sampleRateHz * bytesPerFrame }

    /// The time that `frameCount` frames last, rounded down to the nanosecond.
    public func duration(ofFrames frameCount: Int) -> Duration {
        let (seconds, rest) = frameCount.quotientAndRemainder(dividingBy: sampleRateHz)
        return .seconds(seconds) + .nanoseconds(rest * 1_000_000_000 / sampleRateHz)
    }

    /// The same in nanoseconds, for 292 years at most: without a `Duration`, whose arithmetic of 128 bits takes longer than the
    /// rest of what a capture thread reckons.
    ///
    /// > Real-time: Safe.
    package func nanoseconds(ofFrames frameCount: Int) -> Int64 {
        let (seconds, rest) = frameCount.quotientAndRemainder(dividingBy: sampleRateHz)
        let (whole, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let fraction = Int64(rest) * 1_000_000_000 / Int64(sampleRateHz)
        let (sum, tooLarge) = whole.addingReportingOverflow(fraction)
        return overflow || tooLarge ? (frameCount < 0 ? .min : .max) : sum
    }

    /// The whole frames in `duration`, rounded down; 0 for a negative one.
    ///
    /// Saturates at `Int.max / 4`, some nine thousand years at 8 MHz.
    public func frameCount(in duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let fraction = attoseconds / 1_000_000_000 * Int64(sampleRateHz) / 1_000_000_000
        let (whole, overflow) = Int(seconds).multipliedReportingOverflow(by: sampleRateHz)
        return overflow || whole > Int.max / 4 ? Int.max / 4 : whole + Int(fraction)
    }

    /// So many frames, or a position, of another rate, in frames of this one: rounded to the nearest.
    package func frames(_ count: Int, of other: AudioFormat) -> Int {
        Int((Double(count) * Double(sampleRateHz) / Double(other.sampleRateHz)).rounded())
    }

    enum CodingKeys: String, CodingKey {
        case sampleRateHz = "sample_rate_hz"
        case channelCount = "channels"
        case sampleFormat = "sample_format"
    }
}

extension AudioFormat: CustomStringConvertible {
    /// `16000 Hz, 1 ch, s16`.
    public var description: String { "\(sampleRateHz) Hz, \(channelCount) ch, \(sampleFormat.rawValue)" }
}
