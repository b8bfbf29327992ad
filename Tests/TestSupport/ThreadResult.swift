import VoiceAudioCore

/// Runs something on a thread of its own and keeps what it gives. Locks and joins such as ThreadSanitizer understands.
package final class ThreadResult<Value: Sendable>: Sendable {
    private let result: Lock<Result<Value, any Error>?>
    private let thread: WorkerThread

    package init(_ body: @escaping @Sendable () throws -> Value) throws {
        let result = Lock<Result<Value, any Error>?>(nil)
        self.result = result
        thread = try WorkerThread(name: "va-test") {
            let value = Result { try body() }
            result.withLock { $0 = value }
        }
    }

    /// What it returned or threw, once its thread has ended.
    package func value() throws -> Value {
        let clock = SystemClock()
        while !thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock) {}
        return try result.withLock { $0! }.get()
    }
}
