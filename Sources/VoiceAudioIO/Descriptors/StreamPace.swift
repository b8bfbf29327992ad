import VoiceAudioCore

/// How fast a stream is read whose sender is faster than sound: some seconds at once, and then a few times a microphone's
/// pace. What is not read yet holds its sender back, and listeners that take chunks as they come lose none.
///
/// A pace above a microphone's lets what was held up on the way catch up, and a sender's clock be any.
///
/// > Real-time: Safe.
struct StreamPace {
    /// How much may be read at once.
    static let burst = Duration.seconds(10)
    /// How many times a microphone's pace comes after that.
    static let speed = 4

    private let format: AudioFormat
    /// When what was read would have come at that pace.
    private var readUntil = MonotonicInstant(nanoseconds: .min)

    init(_ format: AudioFormat) { self.format = format }

    /// When reading may go on.
    var due: MonotonicInstant { readUntil.advanced(by: .zero - Self.burst / Self.speed) }

    /// Frames were read.
    mutating func note(_ frameCount: Int, at now: MonotonicInstant) {
        readUntil = max(readUntil, now).advanced(by: format.duration(ofFrames: frameCount) / Self.speed)
    }
}
