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
