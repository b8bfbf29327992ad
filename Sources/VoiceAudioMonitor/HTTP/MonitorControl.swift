import VoiceAudioCore

/// What other threads tell the server's.
final class MonitorControl: Sendable {
    private struct State {
        var isStopped = false
        var worker: WorkerThread?
        /// Until its result is there, whatever the thread has to do after that.
        var isWorking = false
        var result: MonitorResponse?
    }

    let wakeUp: WakeUp
    private let state = Lock(State())

    /// - Throws: `outOfResources`.
    init() throws(AudioError) { wakeUp = try WakeUp() }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func stop() {
        state.withLock { $0.isStopped = true }
        wakeUp.signal()
    }

    /// Begins to work for a request, on a thread of its own.
    ///
    /// - Returns: Why not; `nil` where it has begun.
    func begin(_ work: @escaping @Sendable () -> MonitorResponse) -> MonitorResponse? {
        state.withLock { state in
            // What is done but not told yet would be taken for the answer to this one.
            guard !state.isWorking, state.result == nil else {
                return MonitorResponse(status: 409, error: "a clean-up is under way: one at a time is accepted")
            }
            do throws(AudioError) {
                state.worker = try WorkerThread(name: "va-cleanup") { [self] in
                    let response = work()
                    self.state.withLock { state in
                        state.result = response
                        state.isWorking = false
                    }
                    wakeUp.signal()
                }
                state.isWorking = true
                return nil
            } catch {
                return MonitorResponse(status: 503, error: error.message)
            }
        }
    }

    /// What the work has come to; once.
    func takeResult() -> MonitorResponse? {
        state.withLock { state in
            defer { state.result = nil }
            return state.result
        }
    }

    /// Waits for the work's end; whether it came by `deadline`.
    func joinWorker(by deadline: MonotonicInstant, clock: any AudioClock) -> Bool {
        guard let worker = state.withLock({ $0.worker }) else { return true }
        let hasEnded = worker.join(by: deadline, clock: clock)
        if !hasEnded { worker.quarantine() }
        return hasEnded
    }
}
