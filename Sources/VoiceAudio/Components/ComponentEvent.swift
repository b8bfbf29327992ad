import VoiceAudioCore

/// The lines that a registry logs. `Docs/Operations.md` has each of them.
enum ComponentEvent: CaseIterable {
    case started
    case startFailed
    case stopped
    case stopFailed
    case replaced
    case rolledBack
    case restartFailed
    case quarantined
    case returned
    case unhealthy
    case healthy

    var level: AudioLogLevel {
        switch self {
        case .started, .stopped: .info
        case .replaced, .returned, .healthy: .notice
        case .rolledBack, .stopFailed, .unhealthy: .warning
        case .startFailed, .quarantined: .error
        case .restartFailed: .critical
        }
    }

    var message: String {
        switch self {
        case .started: "component started"
        case .startFailed: "component did not start"
        case .stopped: "component stopped"
        case .stopFailed: "component did not stop cleanly"
        case .replaced: "component replaced"
        case .rolledBack: "component kept: its replacement failed"
        case .restartFailed: "component gone: its replacement failed, and it could not be started again"
        case .quarantined: "component does not return and is left to itself"
        case .returned: "component has returned at last"
        case .unhealthy: "component is not healthy"
        case .healthy: "component is healthy again"
        }
    }

    /// The names in its metadata, beside `component`.
    var details: [String] {
        switch self {
        case .started, .stopped, .replaced, .healthy: []
        case .startFailed, .stopFailed, .rolledBack, .unhealthy: ["error"]
        case .restartFailed: ["error", "restart_error"]
        case .quarantined, .returned: ["call"]
        }
    }
}

extension AudioLogSink {
    /// - Parameter values: One for each of the event's details.
    func log(_ event: ComponentEvent, of component: String, _ values: String...) {
        let details = Dictionary(uniqueKeysWithValues: zip(event.details, values))
        log(
            level: event.level, message: event.message,
            metadata: ["component": component].merging(details) { $1 }, source: "VoiceAudio")
    }
}
