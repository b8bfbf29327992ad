public import VoiceAudioCore

/// What an ``AudioProcessor`` is doing.
public enum ProcessorState: Sendable, Hashable {
    /// Nothing is open.
    case idle
    /// Armed: the device is open and the history rolls.
    case ready
    /// A recording is being made.
    case recording
    /// A recording was interrupted and can go on; what is captured meanwhile reaches nobody.
    case paused
    /// `stop()` is at work.
    case processing
    /// The capture died. `stop()` still hands back what was recorded; `cleanup()` goes back to idle.
    case failed(AudioError)
}

extension ProcessorState: CustomStringConvertible {
    public var description: String {
        switch self {
        case .idle: "idle"
        case .ready: "ready"
        case .recording: "recording"
        case .paused: "paused"
        case .processing: "processing"
        case .failed(let error): "failed (\(error.message))"
        }
    }
}
