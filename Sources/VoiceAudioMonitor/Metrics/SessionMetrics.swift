import VoiceAudio

let registryFamilies: [MetricFamily<SessionRegistryReport>] = [
    .gauge("voice_audio_registry_sessions", "Sessions that there are.") { $0.sessions.count },
    .gauge("voice_audio_registry_session_limit", "The most sessions at a time.") { $0.sessionLimit },
    .gauge("voice_audio_registry_used_bytes", "Memory taken: by sessions, kept recordings and captures that hang.") {
        $0.usedBytes
    },
    .gauge("voice_audio_registry_shared_out_bytes", "Memory set apart for the sessions that there are.") {
        $0.sharedOutBytes
    },
    .gauge("voice_audio_registry_memory_limit_bytes", "The most memory that its sessions have together.") {
        $0.memoryLimitBytes
    },
    .counter("voice_audio_registry_begun_sessions", "Sessions that began.") { $0.begunCount },
    .counter("voice_audio_registry_ended_sessions", "Sessions that ended, however.") { $0.endedCount },
    .counter("voice_audio_registry_expired_sessions", "Those of them that expired.") { $0.expiredCount },
    .counter("voice_audio_registry_refused_sessions", "Sessions that were refused, or failed to begin.") {
        $0.refusedCount
    },
    .gauge(
        "voice_audio_registry_quarantined_threads", "Capture threads left to themselves by sessions that are no more."
    ) {
        $0.quarantinedThreads
    },
]

/// What a session has besides its capture.
let sessionFamilies: [MetricFamily<SessionReport>] = [
    .states("voice_audio_session_phase", "phase", "What the session is about.") { $0.phase },
    .gauge("voice_audio_session_age_seconds", "How long ago it began.") { $0.ageSeconds },
    .gauge("voice_audio_session_idle_seconds", "How long ago there were frames, or a touch.") { $0.idleSeconds },
    .gauge("voice_audio_session_expires_in_seconds", "How long until it ends by itself; absent where it does not.") {
        $0.expiresInSeconds
    },
    .gauge("voice_audio_session_used_bytes", "Memory that it has.") { $0.usedBytes },
    .gauge("voice_audio_session_limit_bytes", "The most memory that it may have.") { $0.limitBytes },
    .gauge("voice_audio_session_parts_bytes", "Bytes of values and attachments.") { $0.partBytes },
    .counter("voice_audio_session_delivered_frames", "Frames that its source delivered.") { $0.framesDelivered },
]

/// The sessions of all registries.
func labelledSessions(_ registries: [SessionRegistryReport]) -> [Labelled<SessionReport>] {
    zip(uniqueNames(registries.map(\.name)), registries).flatMap { registry, report in
        zip(uniqueNames(report.sessions.map(\.name)), report.sessions).map { session, report in
            Labelled(
                labels: labels((name: "registry", value: registry), (name: "session", value: session)), part: report)
        }
    }
}

/// The components of all registries, which have no names of their own.
let componentFamilies: [MetricFamily<ComponentReport.Component>] = [
    .states("voice_audio_component_state", "state", "What the component is doing.") { $0.state },
    .states("voice_audio_component_health", "health", "How it answered last; all 0 where none runs.") { $0.health },
    .gauge("voice_audio_component_state_seconds", "How long it has been in its state.") { $0.stateSeconds },
    .counter("voice_audio_component_starts", "How often one of it began to run.") { $0.startCount },
    .gauge(
        "voice_audio_component_quarantined_threads", "Threads that wait for a call of it that did not return in time."
    ) {
        $0.quarantinedThreadCount
    },
]
