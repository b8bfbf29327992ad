/// What one channel is made of where a device has several.
public enum MonoChannel: Sendable, Hashable {
    /// The mean of all channels.
    case mix
    /// One of the channels, counted from 1.
    case channel(Int)
}
