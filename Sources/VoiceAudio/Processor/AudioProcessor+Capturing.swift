import VoiceAudioCore
import VoiceAudioIO
import VoiceAudioMemory

// What the operations are made of: opening a capture, giving it another history, ending it.
extension AudioProcessor {
    /// The capture under way; `nil` where there is none.
    var runningCapture: Capture? { capturing.withLock { $0.capture } }

    /// Where it captures from, and how.
    var setup: CaptureSetup { capturing.withLock { $0.setup } }

    func perform<Result>(
        _ name: String, _ deadline: Duration?, _ body: (MonotonicInstant) throws(AudioError) -> Result
    ) throws(AudioError) -> Result {
        let deadline = clock.now.advanced(by: deadline ?? configuration.stopTimeout)
        return try gate.perform(name, by: deadline, clock: clock) { () throws(AudioError) in try body(deadline) }
    }

    func transition(_ event: ProcessorStateMachine.Event) throws(AudioError) -> ProcessorStateMachine.Action {
        try capturing.withLock { (state) throws(AudioError) in try state.handle(event) }
    }

    /// Opens the source, and takes the next step in the same moment.
    func open(
        by deadline: MonotonicInstant, then next: (inout CaptureState) throws(AudioError) -> Void
    ) throws(AudioError) {
        let setup = setup
        try setup.configuration.validate()
        let history = try makeHistory(setup)
        let (capture, opening) = try openCapture(setup, into: history, by: deadline)
        let isInstalled = try capturing.withLock { (state) throws(AudioError) in
            guard state.install(capture, history: history, opening: opening) else { return false }
            try next(&state)
            return true
        }
        guard isInstalled else {
            end(capture, by: deadline)
            throw cancellation(of: setup)
        }
        Shutdown.processors.add(self)
        log(.info, "capturing from \"\(setup.source.name)\"", ["given": "\(capture.report)"])
        if let refusal = capture.priorityRefusal { log(.warning, refusal.message) }
    }

    /// Opens a source; a clean-up meanwhile gives that up.
    ///
    /// - Returns: The capture, and what tells whether a clean-up came.
    func openCapture(
        _ setup: CaptureSetup, into history: BoundedAudioBuffer, isHeld: Bool = false, by deadline: MonotonicInstant
    ) throws(AudioError) -> (capture: Capture, opening: Int) {
        let abort = try WakeUp()
        let (opening, subscribers, health) = capturing.withLock {
            ($0.beginOpening(abort: abort), $0.subscribers, $0.health)
        }
        defer { capturing.withLock { $0.endOpening() } }
        let plan = CapturePlan(
            source: setup.source, request: setup.request, environment: environment, subscribers: subscribers,
            health: health, realtimePriority: setup.configuration.realtimePriority)
        do throws(AudioError) {
            let capture = try Capture(
                plan, history: history, isHeld: isHeld, by: deadline, abort: abort, abandon: quarantine)
            return (capture, opening)
        } catch {
            log(.error, "could not open \"\(setup.source.name)\"", ["error": "\(error)"])
            throw error
        }
    }

    func cancellation(of setup: CaptureSetup) -> AudioError {
        AudioError(.cancelled, "opening \"\(setup.source.name)\" was given up because of a clean-up")
    }

    func makeHistory(_ setup: CaptureSetup) throws(AudioError) -> BoundedAudioBuffer {
        let configuration = setup.configuration
        return try BoundedAudioBuffer(
            maxChunks: configuration.maxChunks, maxBytes: configuration.maxBytes, overflow: configuration.overflow,
            format: configuration.format, maxChunkBytes: configuration.chunkByteCount, clock: clock
        ) { (byteCount) throws(AudioError) in try budget?.reserve(byteCount, for: "history") }
    }

    /// A recording's ring, and what its capture failed with.
    typealias Ended = (history: BoundedAudioBuffer?, failure: AudioError?)

    /// Takes the history and lets the capture go on with another; where it cannot, ends it.
    func exchangeHistory(by deadline: MonotonicInstant) throws(AudioError) -> Ended {
        let (capture, history, setup) = capturing.withLock { ($0.capture, $0.history, $0.setup) }
        guard let capture else { return (nil, nil) }
        do throws(AudioError) {
            let next = try makeHistory(setup)
            if capture.exchangeHistory(for: try next.takeProducer(), by: deadline) {
                capture.control.setPaused(false)
                try capturing.withLock { (state) throws(AudioError) in
                    state.exchangedHistory(for: next, of: capture)
                    _ = try state.handle(.stopped)
                }
                return (history, nil)
            }
        } catch {
            return try endRecording(by: deadline, then: .stopFailed(error))
        }
        switch capture.outcome {
        case .ended: return try endRecording(by: deadline, then: .stopped)
        case .failed(let error): return try endRecording(by: deadline, then: .stopFailed(error))
        case .running: return try endRecording(by: deadline, then: .stopFailed(Self.noAnswer))
        }
    }

    /// Of a capture that does not do what it was asked for.
    static var noAnswer: AudioError {
        AudioError(.timedOut, "the capture thread did not answer in time: the driver does not return")
    }

    /// Ends the capture and hands out the recording, which is safe whatever the capture is.
    func endRecording(
        by deadline: MonotonicInstant, then event: ProcessorStateMachine.Event
    ) throws(AudioError) -> Ended {
        let ended = endCapture(by: deadline)
        if ended.history != nil { _ = try transition(event) }
        return ended
    }

    /// Ends the capture, or leaves it to itself at the deadline, takes the history, and ends the subscriptions.
    private func endCapture(by deadline: MonotonicInstant) -> Ended {
        let taken = capturing.withLock { $0.takeCapture() }
        var failure: AudioError?
        if let capture = taken.capture {
            end(capture, by: deadline)
            capturing.withLock { $0.noteEnd(of: capture) }
            if case .failed(let error) = capture.outcome { failure = error }
        }
        taken.subscribers.removeAll(because: failure)
        taken.health.close()
        return (taken.history, failure)
    }

    func end(_ capture: Capture, by deadline: MonotonicInstant) {
        _ = capture.stop(by: deadline) { thread in
            quarantine(thread)
            log(.error, "the capture thread did not end in time and is left to itself", ["thread": "va-capture"])
        }
    }

    func quarantine(_ thread: WorkerThread) { capturing.withLock { $0.quarantine(thread) } }

    func release(by deadline: MonotonicInstant) {
        let action = capturing.withLock { state in (try? state.handle(.cleanup)) ?? .none }
        _ = endCapture(by: deadline)
        if action == .release { log(.info, "capture ended") }
    }
}
