import VoiceAudio
import VoiceAudioMemory

/// Whether a program does what it is there for: every capture is alive, and memory is not critical.
struct Readiness: Encodable {
    let status: String
    /// Why it is not, each in a sentence.
    let reasons: [String]

    init(_ report: SystemReport) {
        var reasons = report.processors.compactMap { processor in
            Self.reason(
                "processor \"\(processor.name)\"", state: processor.state, usage: processor.memoryUsage,
                detail: processor.healthReason)
        }
        for registry in report.registries {
            reasons += registry.sessions.compactMap { session in
                Self.reason(
                    "session \"\(session.name)\" of \"\(registry.name)\"", state: session.state,
                    usage: session.memoryUsage, detail: nil)
            }
        }
        if report.pressure?.level == .critical { reasons.append("memory pressure is critical") }
        status = reasons.isEmpty ? "ready" : "not ready"
        self.reasons = reasons
    }

    var response: MonitorResponse { MonitorResponse(status: reasons.isEmpty ? 200 : 503, json: self) }

    private static func reason(_ name: String, state: String, usage: MemoryUsage, detail: String?) -> String? {
        // A report has states in words, and a failed one's go on with the error.
        if state.hasPrefix("failed") { return "\(name) is \(state)" }
        switch usage.health {
        case .stalled, .reconnecting, .lost:
            return "\(name) is \(usage.health?.rawValue ?? "")" + (detail.map { ": \($0)" } ?? "")
        case .flowing, .silent, nil: return nil
        }
    }
}
