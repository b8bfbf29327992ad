/// How somebody else stores a sample that is sent to us: little endian, interleaved.
public enum SampleEncoding: Sendable, Hashable {
    /// As this library does.
    case pcm(SampleFormat)
    /// Unsigned 8-bit integer, 128 is silence.
    case u8
    /// Telephony.
    case g711(G711Law)

    /// Bytes of one sample: 1 to 4.
    public var bytesPerSample: Int {
        switch self {
        case .pcm(let format): format.bytesPerSample
        case .u8, .g711: 1
        }
    }
}

extension SampleEncoding: CustomStringConvertible {
    /// `s16`, `u8`, `u-law`.
    public var description: String {
        switch self {
        case .pcm(let format): format.rawValue
        case .u8: "u8"
        case .g711(let law): law.rawValue
        }
    }
}

/// The shape of a stream as somebody else sends it: interleaved frames.
public struct StreamFormat: Sendable, Hashable {
    /// Frames per second.
    public var sampleRateHz: Int
    /// Samples in a frame.
    public var channelCount: Int
    /// How one sample is stored.
    public var encoding: SampleEncoding

    /// A shape of the values given, which whoever uses it checks.
    public init(sampleRateHz: Int, channelCount: Int, encoding: SampleEncoding) {
        self.sampleRateHz = sampleRateHz
        self.channelCount = channelCount
        self.encoding = encoding
    }

    /// A shape that this library itself has.
    public init(_ format: AudioFormat) {
        self.init(
            sampleRateHz: format.sampleRateHz, channelCount: format.channelCount, encoding: .pcm(format.sampleFormat))
    }

    /// µ-law at 8 kHz, mono: RTP's `PCMU`.
    public static let g711uLaw8k = StreamFormat(sampleRateHz: 8000, channelCount: 1, encoding: .g711(.uLaw))
    /// A-law at 8 kHz, mono: RTP's `PCMA`.
    public static let g711aLaw8k = StreamFormat(sampleRateHz: 8000, channelCount: 1, encoding: .g711(.aLaw))

    /// The shape that holds the same frames here: samples of a byte become 16-bit ones.
    public var audioFormat: AudioFormat {
        let sampleFormat = if case .pcm(let format) = encoding { format } else { SampleFormat.s16 }
        return AudioFormat(sampleRateHz: sampleRateHz, channelCount: channelCount, sampleFormat: sampleFormat)
    }

    /// Bytes of one frame: channels × bytes per sample.
    public var bytesPerFrame: Int { channelCount * encoding.bytesPerSample }
}

extension StreamFormat: CustomStringConvertible {
    /// `8000 Hz, 1 ch, u-law`.
    public var description: String { "\(sampleRateHz) Hz, \(channelCount) ch, \(encoding)" }
}
