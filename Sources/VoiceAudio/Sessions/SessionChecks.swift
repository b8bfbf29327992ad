import VoiceAudioCore

// What is accepted.
extension SessionRegistry.Limits {
    /// - Throws: `invalidConfiguration`.
    func validate() throws(AudioError) {
        guard (1...100_000).contains(sessions) else {
            throw AudioError(.invalidConfiguration, "a limit of \(sessions) sessions: accepted are 1 to 100000")
        }
        guard (1...1 << 50).contains(memory.byteCount) else {
            throw AudioError(
                .invalidConfiguration,
                "a limit of \(memory.byteCount) bytes for all sessions: accepted are 1 to \(1 << 50)")
        }
    }
}

extension SessionExpiry {
    /// - Throws: `invalidConfiguration`.
    func validate() throws(AudioError) {
        for (what, time) in [("a lifetime", lifetime), ("an idle timeout", idleTimeout ?? .seconds(1))] {
            guard time <= .zero else { continue }
            throw AudioError(.invalidConfiguration, "\(what) of \(time) for sessions: accepted is more than none")
        }
    }
}

/// A session's name stands in reports and log lines, which are to stay readable.
func validateSessionName(_ name: String) throws(AudioError) {
    guard !(1...256).contains(name.utf8.count) else { return }
    throw AudioError(
        .invalidConfiguration,
        "a session's name of \(name.utf8.count) bytes, \"\(name.prefix(40))\": accepted are 1 to 256 bytes")
}
