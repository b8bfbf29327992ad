import Glibc
import VoiceAudioCore

/// Measures what is captured, channel by channel.
struct SignalMeter: Sendable {
    /// One channel.
    struct Channel: Sendable {
        var sum = 0.0
        var squares = 0.0
        var peak = 0.0
        /// Samples at full scale right after another: a wave cut off, where a single one may just touch it.
        var clippedCount = 0
        fileprivate var wasAtFullScale = false
    }

    private(set) var channels: [Channel]
    private(set) var frameCount = 0
    private let layout: SampleLayout

    init(_ format: AudioFormat) {
        channels = Array(repeating: Channel(), count: format.channelCount)
        layout = SampleLayout(format.sampleFormat)
    }

    /// Adds interleaved samples; a rest that does not fill a frame is left out.
    mutating func add(_ bytes: RawSpan) {
        let count = bytes.byteCount / (layout.bytesPerSample * channels.count)
        // SAFETY: loads stay below `count` frames, which the bytes hold.
        unsafe bytes.withUnsafeBytes { bytes in
            for frame in 0..<count {
                for channel in channels.indices {
                    let value = unsafe layout.load(from: bytes, at: frame * channels.count + channel)
                    // What is not a number counts as silence.
                    channels[channel].add(value.isFinite ? value : 0)
                }
            }
        }
        frameCount += count
    }

    /// Of all channels; `nil` where there was no frame.
    var level: AudioLevel? {
        guard frameCount > 0 else { return nil }
        let squares = channels.reduce(0) { $0 + $1.squares } / Double(frameCount * channels.count)
        return AudioLevel(rms: Float(squares.squareRoot()), peak: Float(channels.map(\.peak).max() ?? 0))
    }

    /// The mean of a channel: what stays where the sound is taken away, −1…1.
    func offset(ofChannel channel: Int) -> Double { channels[channel].sum / Double(max(1, frameCount)) }
}

extension SignalMeter.Channel {
    fileprivate mutating func add(_ value: Double) {
        sum += value
        squares += value * value
        peak = max(peak, abs(value))
        // The highest of 16 bits.
        let isAtFullScale = abs(value) >= 32_767.0 / 32_768
        if isAtFullScale && wasAtFullScale { clippedCount += 1 }
        wasAtFullScale = isAtFullScale
    }
}
