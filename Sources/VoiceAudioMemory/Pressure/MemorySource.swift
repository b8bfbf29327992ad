public import VoiceAudioCore

/// Where a ``MemoryPressureMonitor`` learns how much memory there is: ``SystemMemorySource``, or one that plays a recorded
/// curve in a test.
///
/// > Concurrency: Called from the monitor's threads, and from whoever asks a monitor that is not running.
public protocol MemorySource: Sendable {
    /// How the memory is now.
    ///
    /// - Throws: ``AudioError`` where it cannot be told: the monitor keeps its level, and says so in its status.
    func sample() throws(AudioError) -> MemorySample

    /// Something that says "sample now"; `nil` where there is nothing of the kind. Asked for once, when the monitor starts.
    var events: MemoryEvents? { get }
}

extension MemorySource {
    /// None.
    public var events: MemoryEvents? { nil }
}

/// A descriptor by which the system says that it is short of memory.
///
/// An event means "sample now" and nothing else: the first may be false, and there is none for the end of the shortage.
public struct MemoryEvents: Sendable, Hashable {
    /// How an event shows in `poll(2)`.
    public enum Sign: Sendable, Hashable {
        /// By `POLLIN`; what can be read is read and thrown away.
        case input
        /// By `POLLPRI`, as pressure-stall triggers have it; `POLLERR` says that the trigger is gone.
        case priority
    }

    /// To be watched. It belongs to the source, is non-blocking, and stays open as long as the source lives.
    public let descriptor: Int32
    /// How an event shows.
    public let sign: Sign

    /// Events of the values given.
    public init(descriptor: Int32, sign: Sign) {
        self.descriptor = descriptor
        self.sign = sign
    }
}
