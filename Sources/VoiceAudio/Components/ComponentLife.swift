import VoiceAudioCore

/// One object of a component, from its making to its end: all of it on one thread, which runs ``run()``.
///
/// As that thread alone calls the object, it is stopped exactly once, whoever orders it, and after the call that hangs at
/// the moment. Others leave orders and wait for what comes of them.
final class ComponentLife: Sendable {
    /// The host's code that the thread is in.
    enum Call: String, Sendable {
        case make = "its factory"
        case start = "start()"
        case checkHealth = "checkHealth()"
        case stop = "stop()"
    }

    private struct State: Sendable {
        /// From the start that succeeded to the stop.
        var component: (any AudioComponent)?
        /// How the start ended.
        var start: Result<Void, AudioError>?
        var stopError: AudioError?
        var isStopOrdered = false
        var checks: [HealthCheck] = []
        var call = Call.make
    }

    let name: String
    private let make: ComponentFactory
    private let options: ComponentOptions
    private let state = Lock(State())
    /// Signalled when ``State/start`` is there, and never cleared.
    private let isStarted: WakeUp
    private let ordered: WakeUp

    init(of name: String, _ options: ComponentOptions, _ make: @escaping ComponentFactory) throws(AudioError) {
        self.name = name
        self.options = options
        self.make = make
        isStarted = try WakeUp()
        ordered = try WakeUp()
    }

    // MARK: - On its thread

    /// Makes, starts and proves the object, serves orders, and stops it. The object is let go before this returns.
    ///
    /// - Returns: Whether it was stopped, and not only failed to start.
    func run() -> Bool {
        guard let component = start() else { return false }
        if prove(component) { serve(component) }
        stop(component)
        return true
    }

    private func start() -> (any AudioComponent)? {
        do {
            let component = try make()
            let isWanted = state.withLock { state in
                state.call = .start
                return !state.isStopOrdered
            }
            guard isWanted else {
                settle(.failure(cancellation))
                return nil
            }
            try component.start(deadline: options.startDeadline)
            return component
        } catch {
            settle(.failure(AudioError(ofComponent: name, in: call, error)))
            return nil
        }
    }

    private func prove(_ component: any AudioComponent) -> Bool {
        let isWanted = state.withLock { state in
            state.call = .checkHealth
            return !state.isStopOrdered
        }
        guard isWanted else {
            settle(.failure(cancellation))
            return false
        }
        do {
            try component.checkHealth()
        } catch {
            settle(.failure(AudioError(ofComponent: name, in: .checkHealth, error)))
            return false
        }
        let hasStarted = state.withLock { state in
            state.start = state.isStopOrdered ? .failure(cancellation) : .success(())
            if !state.isStopOrdered { state.component = component }
            return !state.isStopOrdered
        }
        isStarted.signal()
        return hasStarted
    }

    private func serve(_ component: any AudioComponent) {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(ordered.descriptor, at: 0)
        while true {
            if descriptors.poll(nanoseconds: nil) > 0 { ordered.clear() }
            let checks = state.withLock { state -> [HealthCheck]? in
                guard !state.isStopOrdered else { return nil }
                defer { state.checks = [] }
                return state.checks
            }
            guard let checks else { return }
            guard !checks.isEmpty else { continue }
            do {
                try component.checkHealth()
                for check in checks { check.answer(.success(())) }
            } catch {
                let error = AudioError(ofComponent: name, in: .checkHealth, error)
                for check in checks { check.answer(.failure(error)) }
            }
        }
    }

    private func stop(_ component: any AudioComponent) {
        let checks = state.withLock { state in
            state.call = .stop
            state.component = nil
            defer { state.checks = [] }
            return state.checks
        }
        for check in checks { check.answer(.failure(cancellation)) }
        do {
            try component.stop(deadline: options.stopDeadline)
        } catch {
            let error = AudioError(ofComponent: name, in: .stop, error)
            state.withLock { $0.stopError = error }
        }
    }

    private func settle(_ start: Result<Void, AudioError>) {
        state.withLock { $0.start = start }
        isStarted.signal()
    }

    private var cancellation: AudioError {
        AudioError(.cancelled, "component \"\(name)\" was stopped before that was done")
    }

    // MARK: - On any thread

    /// The object while it runs.
    var component: (any AudioComponent)? { state.withLock { $0.component } }

    /// What its thread is in, or was in last.
    var call: Call { state.withLock { $0.call } }

    /// What stopping it failed with.
    var stopError: AudioError? { state.withLock { $0.stopError } }

    /// Waits for the end of the start; one that has not ended by the deadline is given up, and stopped when it has.
    ///
    /// - Returns: `nil` where it was given up.
    func waitUntilStarted(by deadline: MonotonicInstant, clock: any AudioClock) -> Result<Void, AudioError>? {
        _ = isStarted.waitUntilSignalled(by: deadline, clock: clock)
        return state.withLock { state in
            if state.start == nil { state.isStopOrdered = true }
            return state.start
        }
    }

    /// Has it stopped, after the call that it is in.
    func orderStop() {
        state.withLock { $0.isStopOrdered = true }
        ordered.signal()
    }

    /// Asks how it is; answers `nil` where it is being stopped, or was.
    ///
    /// - Throws: `outOfResources`.
    func orderCheck() throws(AudioError) -> HealthCheck? {
        let check = try HealthCheck()
        let isTaken = state.withLock { state in
            guard !state.isStopOrdered else { return false }
            state.checks.append(check)
            return true
        }
        guard isTaken else { return nil }
        ordered.signal()
        return check
    }

    /// Waits for the answer; `nil` where there is none by the deadline.
    func wait(
        for check: HealthCheck, by deadline: MonotonicInstant, clock: any AudioClock
    ) -> Result<Void, AudioError>? {
        let answer = check.wait(by: deadline, clock: clock)
        // One that hangs for days may be asked every second.
        if answer == nil { state.withLock { state in state.checks.removeAll { $0 === check } } }
        return answer
    }
}

/// A question, and the answer when it is there.
final class HealthCheck: Sendable {
    private let result = Lock<Result<Void, AudioError>?>(nil)
    private let isAnswered: WakeUp

    fileprivate init() throws(AudioError) { isAnswered = try WakeUp() }

    fileprivate func answer(_ answer: Result<Void, AudioError>) {
        result.withLock { $0 = answer }
        isAnswered.signal()
    }

    fileprivate func wait(by deadline: MonotonicInstant, clock: any AudioClock) -> Result<Void, AudioError>? {
        _ = isAnswered.waitUntilSignalled(by: deadline, clock: clock)
        return result.withLock { $0 }
    }
}
