public import VoiceAudioCore

/// What was asked of a source, and what it really gives.
public struct CaptureReport: Sendable, Hashable, Codable {
    /// The source's name.
    public var source: String
    /// The shape of the frames that it delivers.
    public var format: AudioFormat
    /// What the hardware itself runs at, where that is known and differs from `format` (ALSA's plug layer converts).
    public var hardware: String?
    /// Frames in a period, as asked for.
    public var requestedPeriodFrames: Int
    /// Frames in a period, as given: how often frames arrive.
    public var periodFrames: Int
    /// Frames that the device buffers before it runs over; 0 where there is no such buffer.
    public var bufferFrames: Int

    /// A report, for sources of your own.
    public init(
        source: String, format: AudioFormat, hardware: String? = nil, requestedPeriodFrames: Int, periodFrames: Int,
        bufferFrames: Int
    ) {
        self.source = source
        self.format = format
        self.hardware = hardware
        self.requestedPeriodFrames = requestedPeriodFrames
        self.periodFrames = periodFrames
        self.bufferFrames = bufferFrames
    }
}

extension CaptureReport: CustomStringConvertible {
    /// `16000 Hz, 1 ch, s16, periods of 1600 frames, buffer of 8000`, and what the hardware runs at.
    public var description: String {
        let buffer = bufferFrames > 0 ? ", buffer of \(bufferFrames)" : ""
        let hardware = hardware.map { ", hardware at \($0)" } ?? ""
        return "\(format), periods of \(periodFrames) frames\(buffer)\(hardware)"
    }
}
