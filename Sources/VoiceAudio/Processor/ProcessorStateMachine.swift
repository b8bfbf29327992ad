import VoiceAudioCore

/// What an ``AudioProcessor`` may do when, as a pure value: events go in, the action to perform comes out.
///
/// Operations that take time come in pairs: the event that asks for it gives the action, and what became of that is the
/// next event. The facade lets one operation through at a time, so nothing else comes between the two, but that the
/// capture may fail.
struct ProcessorStateMachine: Equatable {
    /// Where a recording was started from, and so where `stop()` goes back to.
    enum Origin: Equatable, CaseIterable {
        case idle
        case ready
    }

    enum State: Equatable {
        /// Nothing is open. Exits: `armed` → ready, `recordingStarted` → recording.
        case idle
        /// The history rolls, or has come to the source's end. Exits: `recordingStarted` → recording, `cleanup` → idle,
        /// `captureFailed` → failed.
        case ready
        /// Exits: `pause` → paused, `stop` → processing, `cleanup` → idle, `captureFailed` → failed.
        case recording(Origin)
        /// Exits: `resume` → recording, `stop` → processing, `cleanup` → idle, `captureFailed` → failed.
        case paused(Origin)
        /// `stop()` is at work. Exits: `stopped` → idle or ready, `stopFailed` → failed, `cleanup` → idle.
        case processing(Origin)
        /// The capture died. Exits: `stop` → processing where a recording is held, `cleanup` → idle.
        case failed(AudioError, holdsRecording: Bool)
    }

    enum Event: Equatable {
        case arm
        case armed
        case start
        case recordingStarted
        case pause
        case resume
        case stop
        case stopped
        case stopFailed(AudioError)
        case cleanup
        case captureFailed(AudioError)
        /// The source came to its end: there is no `ready` to go back to any more.
        case captureEnded
    }

    enum Action: Equatable {
        case none
        /// Open the source and let the history roll.
        case open
        /// The same, and make a recording of it from its first frame on.
        case openAndRecord
        /// Make a recording of the history from now on.
        case record
        case pause
        case resume
        /// Take the history as it is and let the capture go on with another.
        case exchangeHistory
        /// End the capture and take the history.
        case endCapture
        /// End the capture and throw the history away.
        case release
    }

    private(set) var state = State.idle

    /// Takes an event in.
    ///
    /// - Throws: `invalidState`, naming the state and what fits it; the state stays.
    mutating func handle(_ event: Event) throws(AudioError) -> Action {
        switch event {
        case .arm: return try arm()
        case .armed: return try armed()
        case .start: return try start()
        case .recordingStarted: return try recordingStarted()
        case .pause: return try pause()
        case .resume: return try resume()
        case .stop: return try stop()
        case .stopped: return try stopped()
        case .stopFailed(let error): return try stopFailed(error)
        case .cleanup: return cleanup()
        case .captureFailed(let error): return captureFailed(error)
        case .captureEnded: return captureEnded()
        }
    }

    private func arm() throws(AudioError) -> Action {
        switch state {
        case .idle: return .open
        case .ready, .recording, .paused, .processing, .failed: throw refusal(of: "arm()")
        }
    }

    private mutating func armed() throws(AudioError) -> Action {
        switch state {
        case .idle: state = .ready
        case .ready, .recording, .paused, .processing, .failed: throw refusal(of: "arm()")
        }
        return .none
    }

    private func start() throws(AudioError) -> Action {
        switch state {
        case .idle: return .openAndRecord
        case .ready: return .record
        case .recording, .paused, .processing, .failed: throw refusal(of: "start()")
        }
    }

    private mutating func recordingStarted() throws(AudioError) -> Action {
        switch state {
        case .idle: state = .recording(.idle)
        case .ready: state = .recording(.ready)
        case .recording, .paused, .processing, .failed: throw refusal(of: "start()")
        }
        return .none
    }

    private mutating func pause() throws(AudioError) -> Action {
        switch state {
        case .recording(let origin): state = .paused(origin)
        case .idle, .ready, .paused, .processing, .failed: throw refusal(of: "pause()")
        }
        return .pause
    }

    private mutating func resume() throws(AudioError) -> Action {
        switch state {
        case .paused(let origin): state = .recording(origin)
        case .idle, .ready, .recording, .processing, .failed: throw refusal(of: "resume()")
        }
        return .resume
    }

    private mutating func stop() throws(AudioError) -> Action {
        switch state {
        case .recording(let origin), .paused(let origin):
            state = .processing(origin)
            return origin == .ready ? .exchangeHistory : .endCapture
        case .failed(_, holdsRecording: true):
            state = .processing(.idle)
            return .endCapture
        case .idle, .ready, .processing, .failed: throw refusal(of: "stop()")
        }
    }

    private mutating func stopped() throws(AudioError) -> Action {
        switch state {
        case .processing(.idle): state = .idle
        case .processing(.ready): state = .ready
        case .idle, .ready, .recording, .paused, .failed: throw refusal(of: "stop()")
        }
        return .none
    }

    private mutating func stopFailed(_ error: AudioError) throws(AudioError) -> Action {
        switch state {
        case .processing: state = .failed(error, holdsRecording: false)
        case .idle, .ready, .recording, .paused, .failed: throw refusal(of: "stop()")
        }
        return .none
    }

    private mutating func cleanup() -> Action {
        switch state {
        case .idle: return .none
        case .ready, .recording, .paused, .processing, .failed:
            state = .idle
            return .release
        }
    }

    private mutating func captureFailed(_ error: AudioError) -> Action {
        switch state {
        case .ready: state = .failed(error, holdsRecording: false)
        case .recording, .paused: state = .failed(error, holdsRecording: true)
        case .idle, .processing, .failed: break
        }
        return .none
    }

    private mutating func captureEnded() -> Action {
        switch state {
        case .recording: state = .recording(.idle)
        case .paused: state = .paused(.idle)
        case .processing: state = .processing(.idle)
        case .idle, .ready, .failed: break
        }
        return .none
    }

    private func refusal(of call: String) -> AudioError {
        let (name, advice) =
            switch state {
            case .idle: ("idle", "call arm() or start() first")
            case .ready: ("ready", "call start() to record, or cleanup() to end")
            case .recording: ("recording", "call stop(), pause() or cleanup()")
            case .paused: ("paused", "call resume(), stop() or cleanup()")
            case .processing: ("processing", "a stop() is at work")
            case .failed(let error, holdsRecording: true):
                ("failed: \(error.message)", "call stop() for what was recorded, or cleanup()")
            case .failed(let error, holdsRecording: false): ("failed: \(error.message)", "call cleanup()")
            }
        return AudioError(.invalidState, "\(call) does not fit the state \(name); \(advice)")
    }
}

extension ProcessorState {
    init(_ state: ProcessorStateMachine.State) {
        self =
            switch state {
            case .idle: .idle
            case .ready: .ready
            case .recording: .recording
            case .paused: .paused
            case .processing: .processing
            case .failed(let error, _): .failed(error)
            }
    }
}
