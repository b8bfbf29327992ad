public import VoiceAudioCore

extension ComponentRegistry {
    /// Replaces a component, or makes it anew, in one step: all see the old one, then the new one.
    ///
    /// The new one is made, started and asked how it is before it takes the place of the old one, which is then stopped; how
    /// that went is logged, and changes nothing. Of an exclusive component the old one is stopped first, and its factory
    /// makes another one if the new one fails; one that does not stop in time may still hold what cannot be held twice, so
    /// none is started after it: `.failed` with `busy`.
    ///
    /// A component that does not run is started. Later starts use the factory of the last one that ran.
    ///
    /// - Parameters:
    ///   - name: A registered name.
    ///   - make: Makes the new one; the factory that there is where nothing is said.
    ///   - deadline: How long it may take until another call on the same name is done. Then come its own start and stop
    ///     deadlines, each at most once, or twice for an exclusive one.
    /// - Returns: Which one runs now. The error has code `timedOut` where the new one did not start in time, and
    ///   `limitReached` where too many threads wait for calls that did not return.
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where there is no such name; `timedOut`, where it was not
    ///   its turn in time; `outOfResources`; `invalidState` in a fork: nothing was done then. `cancelled` where `stopAll()`
    ///   came in between: none runs.
    ///
    /// > Concurrency: Safe from any thread; those of one name take turns. Called from within the component itself, it is
    /// > never its turn.
    @discardableResult
    public func replace(
        _ name: String, with make: ComponentFactory? = nil, deadline: Duration = .seconds(30)
    ) throws(AudioError) -> ComponentReplacement {
        try process.check("the registry of components")
        let end = clock.now.advanced(by: deadline)
        let before = try table.withLock { (table) throws(AudioError) in
            let plan = try table.plan(for: name)
            try table.checkNotStopped(since: plan.stopCount)
            return plan
        }
        return try before.gate.perform(name, by: end, clock: clock) { () throws(AudioError) in
            // Another one may have replaced the factory.
            let plan = try table.withLock { (table) throws(AudioError) in
                try table.checkNotStopped(since: before.stopCount)
                return try table.plan(for: name)
            }
            let make = make ?? plan.make
            return plan.options.isExclusive
                ? try replaceAfterStopping(name, plan, make) : try replaceBesides(name, plan, make)
        }
    }

    private func replaceBesides(
        _ name: String, _ plan: ComponentTable.Plan, _ make: @escaping ComponentFactory
    ) throws(AudioError) -> ComponentReplacement {
        do throws(AudioError) {
            let old = try start(name, plan, make)
            if let old {
                logSink.log(.replaced, of: name)
                stop(old, plan)
            } else {
                logSink.log(.started, of: name)
            }
            return .replaced
        } catch {
            guard try noteFailedStart(of: name, plan, error) else {
                logSink.log(.startFailed, of: name, error.description)
                return .failed(error, restart: nil)
            }
            logSink.log(.rolledBack, of: name, error.description)
            return .rolledBack(error)
        }
    }

    private func replaceAfterStopping(
        _ name: String, _ plan: ComponentTable.Plan, _ make: @escaping ComponentFactory
    ) throws(AudioError) -> ComponentReplacement {
        guard let old = table.withLock({ $0.takeRunning(name, at: clock.now) }) else {
            return try replaceBesides(name, plan, make)
        }
        stop(old, plan)
        let failure: AudioError
        do throws(AudioError) {
            _ = try start(name, plan, make)
            logSink.log(.replaced, of: name)
            return .replaced
        } catch {
            failure = error
        }
        do throws(AudioError) {
            _ = try start(name, plan, plan.make)
            logSink.log(.rolledBack, of: name, failure.description)
            return .rolledBack(failure)
        } catch {
            _ = try noteFailedStart(of: name, plan, error)
            logSink.log(.restartFailed, of: name, failure.description, error.description)
            return .failed(failure, restart: error)
        }
    }

    // MARK: - Beneath

    /// - Returns: Whether it had to be started.
    func startUnlessRunning(_ name: String, since stopCount: Int) throws(AudioError) -> Bool {
        let before = try table.withLock { (table) throws(AudioError) in
            try table.checkNotStopped(since: stopCount)
            return try table.plan(for: name)
        }
        let end = clock.now.advanced(by: before.options.startDeadline)
        return try before.gate.perform(name, by: end, clock: clock) { () throws(AudioError) in
            let (plan, isRunning) = try table.withLock { (table) throws(AudioError) in
                try table.checkNotStopped(since: stopCount)
                return (try table.plan(for: name), table.running(name) != nil)
            }
            guard !isRunning else { return false }
            do throws(AudioError) {
                _ = try start(name, plan, plan.make)
                logSink.log(.started, of: name)
                return true
            } catch {
                _ = try noteFailedStart(of: name, plan, error)
                logSink.log(.startFailed, of: name, error.description)
                throw error
            }
        }
    }

    /// Makes, starts and proves one, and puts it in its place.
    ///
    /// - Returns: Which ran until now, and is to be stopped.
    private func start(
        _ name: String, _ plan: ComponentTable.Plan, _ make: @escaping ComponentFactory
    ) throws(AudioError) -> ComponentThread? {
        let end = clock.now.advanced(by: plan.options.startDeadline)
        let thread = try begin(name, plan, make)
        switch thread.life.waitUntilStarted(by: end, clock: clock) {
        case .success:
            do throws(AudioError) {
                return try table.withLock { (table) throws(AudioError) in
                    try table.install(thread, plan, make, at: clock.now)
                }
            } catch {
                stop(thread, plan)
                throw error
            }
        case .failure(let error):
            // It may have been started, and be at its stop.
            _ = hasEnded(thread, by: clock.now.advanced(by: plan.options.stopDeadline))
            throw error
        case nil:
            noteOverdue(thread)
            throw AudioError(
                .timedOut,
                """
                component "\(name)" did not start in \(plan.options.startDeadline): \(thread.life.call.rawValue) has not \
                returned
                """)
        }
    }

    /// Starts the thread of another one.
    private func begin(
        _ name: String, _ plan: ComponentTable.Plan, _ make: @escaping ComponentFactory
    ) throws(AudioError) -> ComponentThread {
        let life = try ComponentLife(of: name, plan.options, make)
        return try table.withLock { [table, logSink] (state) throws(AudioError) in
            try state.begin(name, plan, at: clock.now) { (number) throws(AudioError) in
                // Whatever hangs keeps the table, and not the registry.
                let thread = try WorkerThread(name: "va-component") {
                    let wasStopped = life.run()
                    Self.end(life, number, wasStopped, table, logSink)
                }
                return ComponentThread(number: number, life: life, thread: thread)
            }
        }
    }

    private static func end(
        _ life: ComponentLife, _ number: Int, _ wasStopped: Bool, _ table: Lock<ComponentTable>,
        _ logSink: any AudioLogSink
    ) {
        let error = life.stopError
        let wasOverdue = table.withLock { $0.end(life.name, number, stopError: error) }
        if wasOverdue { logSink.log(.returned, of: life.name, life.call.rawValue) }
        if let error {
            logSink.log(.stopFailed, of: life.name, error.description)
        } else if wasStopped {
            logSink.log(.stopped, of: life.name)
        }
    }

    /// Has one stopped, and waits for it; how that went is logged.
    private func stop(_ thread: ComponentThread, _ plan: ComponentTable.Plan) {
        let end = clock.now.advanced(by: plan.options.stopDeadline)
        thread.life.orderStop()
        _ = hasEnded(thread, by: end)
    }

    /// Waits for the end of one that was ordered to stop, or failed; one that has not ended is left to itself.
    func hasEnded(_ thread: ComponentThread, by deadline: MonotonicInstant) -> Bool {
        if thread.thread.join(by: deadline, clock: clock) { return true }
        noteOverdue(thread)
        return false
    }

    private func noteOverdue(_ thread: ComponentThread) {
        guard table.withLock({ $0.noteOverdue(thread, at: clock.now) }) else { return }
        logSink.log(.quarantined, of: thread.life.name, thread.life.call.rawValue)
    }

    /// - Returns: Whether one runs all the same.
    /// - Throws: `cancelled` where all were stopped meanwhile, whatever the failure was.
    private func noteFailedStart(
        of name: String, _ plan: ComponentTable.Plan, _ error: AudioError
    ) throws(AudioError) -> Bool {
        try table.withLock { (table) throws(AudioError) in
            try table.checkNotStopped(since: plan.stopCount)
            return table.noteFailedStart(of: name, error, at: clock.now)
        }
    }
}
