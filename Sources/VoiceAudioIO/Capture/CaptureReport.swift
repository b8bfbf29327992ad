public import VoiceAudioCore

/// What was asked of a source, and what it really gives.
public struct CaptureReport: Sendable, Hashable, Codable {
    /// The source's name.
    public var source: String
    /// The shape of the frames that it delivers.
    public var format: AudioFormat
    /// What the hardware itself runs at, where that is known and differs from `format`.
    public var hardware: String?
    /// What is done to the device's frames on the way, in words; empty where they come as they are.
    public var conversions: [String]
    /// Frames in a period, as asked for.
    public var requestedPeriodFrames: Int
    /// Frames in a period, as given: how often frames arrive.
    public var periodFrames: Int
    /// Frames of buffer, as asked for.
    public var requestedBufferFrames: Int
    /// Frames that the device buffers before it runs over, as given; 0 where there is no such buffer.
    public var bufferFrames: Int
    /// Whether what the device loses in overruns is counted to the frame, or estimated as clock × rate.
    public var countsLossExactly: Bool

    /// A report, for sources of your own.
    public init(
        source: String, format: AudioFormat, hardware: String? = nil, conversions: [String] = [],
        requestedPeriodFrames: Int, periodFrames: Int, requestedBufferFrames: Int = 0, bufferFrames: Int = 0,
        countsLossExactly: Bool = true
    ) {
        self.source = source
        self.format = format
        self.hardware = hardware
        self.conversions = conversions
        self.requestedPeriodFrames = requestedPeriodFrames
        self.periodFrames = periodFrames
        self.requestedBufferFrames = requestedBufferFrames
        self.bufferFrames = bufferFrames
        self.countsLossExactly = countsLossExactly
    }

    enum CodingKeys: String, CodingKey {
        case source
        case format
        case hardware
        case conversions
        case requestedPeriodFrames = "requested_period_frames"
        case periodFrames = "period_frames"
        case requestedBufferFrames = "requested_buffer_frames"
        case bufferFrames = "buffer_frames"
        case countsLossExactly = "counts_loss_exactly"
    }
}

extension CaptureReport: CustomStringConvertible {
    /// `16000 Hz, 1 ch, s16, periods of 1600 frames, buffer of 8000`, and what the hardware runs at and what is
    /// converted.
    public var description: String {
        let buffer = bufferFrames > 0 ? ", buffer of \(bufferFrames)" : ""
        let hardware = hardware.map { ", hardware at \($0)" } ?? ""
        let conversions = conversions.isEmpty ? "" : ", converted: \(conversions.joined(separator: ", "))"
        return "\(format), periods of \(periodFrames) frames\(buffer)\(hardware)\(conversions)"
    }
}
