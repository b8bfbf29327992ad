public import VoiceAudioCore

// As an AudioProcessor's: each call runs on a thread of its own to its own deadlines, whatever becomes of the task.
extension ComponentRegistry {
    /// As the blocking `startAll()`, without blocking the caller's thread.
    @discardableResult
    public func startAll() async throws(AudioError) -> [ComponentOutcome] {
        try await onThreadOfItsOwn { () throws(AudioError) in try self.startAll() }
    }

    /// As the blocking `replace(_:with:deadline:)`, without blocking the caller's thread.
    @discardableResult
    public func replace(
        _ name: String, with make: ComponentFactory? = nil, deadline: Duration = .seconds(30)
    ) async throws(AudioError) -> ComponentReplacement {
        try await onThreadOfItsOwn { () throws(AudioError) in
            try self.replace(name, with: make, deadline: deadline)
        }
    }

    /// As the blocking `health(deadline:)`, without blocking the caller's thread.
    ///
    /// - Throws: ``AudioError`` with code `outOfResources`.
    @discardableResult
    public func health(deadline: Duration = .seconds(1)) async throws(AudioError) -> ComponentReport {
        try await onThreadOfItsOwn { self.health(deadline: deadline) }
    }
}
