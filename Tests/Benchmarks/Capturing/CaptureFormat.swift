/// What all contestants capture alike: 16 bits, in periods and with a buffer of one size.
public struct CaptureFormat: Sendable, CustomStringConvertible {
    public let rate: Int
    public let channels: Int
    public let periodMilliseconds: Int

    public init(rate: Int, channels: Int, periodMilliseconds: Int) {
        (self.rate, self.channels, self.periodMilliseconds) = (rate, channels, periodMilliseconds)
    }

    var periodFrames: Int { rate * periodMilliseconds / 1000 }
    /// As much as the library asks for.
    var bufferFrames: Int { max(4 * periodFrames, rate / 5) }
    var byteRate: Int { rate * channels * 2 }

    public var description: String {
        "\(periodMilliseconds) ms, \(rate / 1000) kHz \(channels == 1 ? "mono" : "stereo")"
    }
}
