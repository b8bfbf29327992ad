import VoiceAudioCore

/// Runs something that blocks on a thread of its own, so that the tasks that it waits for have theirs.
package func offThePool<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        do {
            _ = try WorkerThread(name: "va-test") { continuation.resume(returning: body()) }
        } catch {
            continuation.resume(throwing: error)
        }
    }
}

/// Looks until something is so that tasks do: they may find the pool busy with other tests for minutes.
package func eventuallyOffThePool(_ condition: @escaping @Sendable () -> Bool) async throws -> Bool {
    try await offThePool { eventually(within: .seconds(240), condition) }
}
