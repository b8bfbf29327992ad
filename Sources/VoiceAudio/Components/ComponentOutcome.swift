public import VoiceAudioCore

/// What became of one component when all were started or stopped.
public struct ComponentOutcome: Sendable, Hashable {
    /// What became of it.
    public enum Result: String, Sendable, Hashable, CaseIterable, Codable {
        /// It was started, and proved that it works.
        case started
        /// It ran already.
        case alreadyRunning = "already_running"
        /// It was stopped.
        case stopped
        /// There was nothing to stop.
        case notRunning = "not_running"
        /// `error` says why; after a start none of it runs, after a stop it counts as gone.
        case failed
    }

    /// The component's name.
    public let name: String
    /// What became of it.
    public let result: Result
    /// What it failed with: `timedOut` for a call that did not return in time, which is left to itself.
    public let error: AudioError?
    /// How long it was waited for.
    public let duration: Duration
}

/// How the replacement of a component ended.
public enum ComponentReplacement: Sendable, Hashable {
    /// The new one runs.
    case replaced
    /// The new one failed; the old one runs. An exclusive one that had to be stopped was made anew.
    case rolledBack(AudioError)
    /// The new one failed, and none runs: there was none before (`restart` is `nil`), or an exclusive one that had to be
    /// stopped could not be started again.
    case failed(AudioError, restart: AudioError?)
}
