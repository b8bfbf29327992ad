public import VoiceAudioCore

/// Starts, watches, replaces and stops the components of a program that runs for months.
///
/// ```swift
/// let components = ComponentRegistry(logSink: sink)
/// try components.register("engine") { try SpeechEngine(model: "small") }
/// try components.register("sip", ComponentOptions(isExclusive: true)) { try SIPClient(port: 5060) }
/// for outcome in try components.startAll() where outcome.result == .failed { print(outcome.name, outcome.error!) }
///
/// switch try components.replace("engine", with: { try SpeechEngine(model: "base") }) {
/// case .replaced: break
/// case .rolledBack(let error): print("kept the old engine: \(error)")
/// case .failed(let error, _): print("no engine: \(error)")
/// }
/// let engine = components["engine"] as? SpeechEngine
/// components.stopAll()
/// ```
///
/// **One at most.** Of each name one object runs, or none. It is replaced in one step, by one that has proved that it works;
/// only an exclusive one has to go before.
///
/// **Once.** Each object that was started is stopped once, by its own thread, whoever asks for it and how often: `stopAll()`
/// beside `replace()` beside the registry's end.
///
/// **In time.** What hangs in a component is given up at its deadline, told, counted and left alone. When its call returns at
/// last, the object is stopped and its thread ends. A name is busy for itself alone.
///
/// Dropping the last reference does what ``stopAll(deadline:)`` does; a component that refers to its registry does so weakly.
/// In a fork of the process (without exec) nothing is there, and nothing can be started.
///
/// > Concurrency: Safe from any thread. Components run on threads of their own; nothing of theirs is called under a lock.
///
/// > Real-time: Not safe: takes locks, blocks.
public final class ComponentRegistry: Sendable {
    let table = Lock(ComponentTable())
    let clock: any AudioClock
    let logSink: any AudioLogSink
    let process = OwningProcess()

    /// Makes a registry of nothing yet.
    ///
    /// - Parameters:
    ///   - logSink: Where log lines go: one for each thing that happens.
    ///   - clock: What deadlines and times go by.
    public init(logSink: any AudioLogSink = SilentLogSink(), clock: any AudioClock = SystemClock()) {
        self.logSink = logSink
        self.clock = clock
    }

    deinit { stopAll() }

    // MARK: - Components

    /// Adds a component; it is not started.
    ///
    /// - Parameters:
    ///   - name: What the program, logs and reports call it.
    ///   - options: How it is started and stopped.
    ///   - make: Makes an object of it for each start. It must not keep the registry.
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where the name is taken or a deadline is not over zero, and
    ///   `invalidState` in a fork.
    public func register(
        _ name: String, _ options: ComponentOptions = ComponentOptions(), _ make: @escaping ComponentFactory
    ) throws(AudioError) {
        try process.check("the registry of components")
        try options.check(for: name)
        try table.withLock { (table) throws(AudioError) in try table.add(name, options, at: clock.now, make) }
    }

    /// The object that runs under that name; `nil` where none does. It may be stopped at any time.
    public subscript(name: String) -> (any AudioComponent)? {
        guard process.isCurrent else { return nil }
        return table.withLock { $0.running(name) }?.life.component
    }

    // MARK: - All at once

    /// Starts what does not run, in the order of registration.
    ///
    /// One that fails keeps no other from being started: a component that cannot do without an earlier one throws in its
    /// factory. Those that run stay as they are.
    ///
    /// - Returns: What became of each, in that order. `cancelled` where `stopAll()` came in between, `busy` where an
    ///   exclusive one has not ended yet.
    /// - Throws: ``AudioError`` with code `invalidState` in a fork.
    ///
    /// > Concurrency: Blocks, for each its start deadline at most, and as long again where it is just being replaced.
    @discardableResult
    public func startAll() throws(AudioError) -> [ComponentOutcome] {
        try process.check("the registry of components")
        let (names, stopCount) = table.withLock { ($0.names, $0.stopCount) }
        return names.map { name in
            let begin = clock.now
            do throws(AudioError) {
                let isNew = try startUnlessRunning(name, since: stopCount)
                return outcome(of: name, isNew ? .started : .alreadyRunning, since: begin)
            } catch {
                return outcome(of: name, .failed, error, since: begin)
            }
        }
    }

    /// Stops everything, in the reverse order of registration; what is being started or replaced gives up.
    ///
    /// Harmless where nothing runs. All can be started again afterwards. While another call of it is at work, this one waits
    /// for the same objects.
    ///
    /// - Parameter deadline: How long each is waited for; its own stop deadline where nothing is said.
    /// - Returns: What became of each, in that order; nothing in a fork. One with code `timedOut` has a call that has not
    ///   returned, and is stopped when it has.
    ///
    /// > Concurrency: Blocks, for each its deadline at most. There is no async form, which would keep
    /// > `defer { components.stopAll() }` out of async functions.
    @discardableResult
    public func stopAll(deadline: Duration? = nil) -> [ComponentOutcome] {
        guard process.isCurrent else { return [] }
        let names = table.withLock { table in
            table.beginStop()
            return table.names
        }
        defer { table.withLock { $0.endStop() } }
        return names.reversed().map { stop($0, deadline) }
    }

    private func stop(_ name: String, _ deadline: Duration?) -> ComponentOutcome {
        let begin = clock.now
        let (living, options) = table.withLock { table in
            _ = table.takeRunning(name, at: begin)
            return (table.living(name), (try? table.plan(for: name))?.options ?? ComponentOptions())
        }
        defer { table.withLock { $0.noteStopped(name, at: clock.now) } }
        // One that could not be stopped in time is not waited for a second time.
        for thread in living.inTime { thread.life.orderStop() }
        let end = begin.advanced(by: deadline ?? options.stopDeadline)
        let late = living.inTime.filter { !hasEnded($0, by: end) } + living.overdue
        if let call = late.first?.life.call {
            let error = AudioError(.timedOut, "component \"\(name)\" did not stop: \(call.rawValue) has not returned")
            return outcome(of: name, .failed, error, since: begin)
        }
        if let error = living.inTime.lazy.compactMap(\.life.stopError).first {
            return outcome(of: name, .failed, error, since: begin)
        }
        return outcome(of: name, living.inTime.isEmpty ? .notRunning : .stopped, since: begin)
    }

    private func outcome(
        of name: String, _ result: ComponentOutcome.Result, _ error: AudioError? = nil, since begin: MonotonicInstant
    ) -> ComponentOutcome {
        ComponentOutcome(name: name, result: result, error: error, duration: begin.duration(to: clock.now))
    }

    // MARK: - Watching

    /// What is known of the components; none of them is asked. Nothing in a fork.
    public var report: ComponentReport {
        guard process.isCurrent else { return ComponentReport(components: [], quarantinedThreadCount: 0) }
        return table.withLock { $0.report(at: clock.now) }
    }

    /// Asks all that run how they are, at the same time. Nothing is done about what they answer: that is the program's.
    ///
    /// - Parameter deadline: How long they are waited for together.
    /// - Returns: All components, with what they answered.
    ///
    /// > Concurrency: Blocks, until the deadline at most.
    @discardableResult
    public func health(deadline: Duration = .seconds(1)) -> ComponentReport {
        guard process.isCurrent else { return report }
        let end = clock.now.advanced(by: deadline)
        let asked = table.withLock { $0.running }.map { thread in
            (thread: thread, check: Result { () throws(AudioError) in try thread.life.orderCheck() })
        }
        for (thread, check) in asked {
            switch check {
            case .success(nil): break
            case .success(let check?): note(thread.life.wait(for: check, by: end, clock: clock), of: thread)
            case .failure(let error): note(.failure(error), of: thread)
            }
        }
        return report
    }

    private func note(_ answer: Result<Void, AudioError>?, of thread: ComponentThread) {
        let name = thread.life.name
        let (health, error): (ComponentReport.Health, AudioError?) =
            switch answer {
            case .success: (.healthy, nil)
            case .failure(let error): (.unhealthy, error)
            case nil: (.unanswered, AudioError(.timedOut, "component \"\(name)\" did not say in time how it is"))
            }
        switch table.withLock({ $0.note(health, of: thread, error) }) {
        case .unhealthy?: logSink.log(.unhealthy, of: name, error?.description ?? "")
        case let event?: logSink.log(event, of: name)
        case nil: break
        }
    }
}
