/// What one channel is made of where a device has several.
public enum MonoChannel: Sendable, Hashable {
    /// The mean of all channels.
    case mix
    /// One of the channels, counted from 1.
    case channel(Int)
}

extension MonoChannel {
    /// What it does to the frames of `channelCount` channels, in words.
    package func conversion(from channelCount: Int) -> String {
        switch self {
        case .mix: "mean of \(channelCount) channels"
        case .channel(let number): "channel \(number) of \(channelCount)"
        }
    }

    /// What is asked for with `format`, in words: a number of channels, or a channel by number.
    package func described(for format: AudioFormat) -> String {
        if format.channelCount == 1, case .channel(let number) = self {
            "a channel \(number)"
        } else {
            "\(format.channelCount)"
        }
    }
}
