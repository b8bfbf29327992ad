import VoiceAudioCore

/// An object of a component, and the thread that it lives on.
struct ComponentThread: Sendable {
    /// Tells it apart from the others of its registry.
    let number: Int
    let life: ComponentLife
    let thread: WorkerThread
}

/// The components of a registry: which of them runs, and what else of them has not ended. Pure: it calls nothing.
struct ComponentTable: Sendable {
    /// What a start goes by.
    struct Plan: Sendable {
        let options: ComponentOptions
        let make: ComponentFactory
        let gate: OperationGate
        /// How often all had been stopped; a start that finds that it was done since gives way.
        let stopCount: Int
    }

    private struct Living: Sendable {
        let thread: ComponentThread
        /// Whether it did not end in time.
        var isOverdue = false
    }

    private struct Entry: Sendable {
        let options: ComponentOptions
        let gate = OperationGate {
            "component \"\($0)\": it was not its turn in time, another call on it is at work"
        }
        var make: ComponentFactory
        /// The one that runs, as all see it.
        var running: ComponentThread?
        /// All whose thread has not ended, the running one among them.
        var living: [Int: Living] = [:]
        var state = ComponentReport.State.idle
        var since: MonotonicInstant
        var health: ComponentReport.Health?
        var lastError: String?
        var startCount = 0

        mutating func enter(_ state: ComponentReport.State, at now: MonotonicInstant) {
            guard self.state != state else { return }
            (self.state, since) = (state, now)
        }
    }

    /// In the order of registration.
    private(set) var names: [String] = []
    private var entries: [String: Entry] = [:]
    private(set) var stopCount = 0
    private var stopsAtWork = 0
    private var lastNumber = 0

    mutating func add(
        _ name: String, _ options: ComponentOptions, at now: MonotonicInstant, _ make: @escaping ComponentFactory
    ) throws(AudioError) {
        guard entries[name] == nil else {
            throw AudioError(
                .invalidConfiguration, "a component \"\(name)\" is registered already: replace it, or take another name"
            )
        }
        entries[name] = Entry(options: options, make: make, since: now)
        names.append(name)
    }

    func plan(for name: String) throws(AudioError) -> Plan {
        guard let entry = entries[name] else {
            throw AudioError(
                .invalidConfiguration,
                """
                no component "\(name)" is registered: there \
                \(names.isEmpty ? "is none" : "are " + names.map { "\"\($0)\"" }.joined(separator: ", "))
                """)
        }
        return Plan(options: entry.options, make: entry.make, gate: entry.gate, stopCount: stopCount)
    }

    func running(_ name: String) -> ComponentThread? { entries[name]?.running }

    /// Those that run, in the order of registration.
    var running: [ComponentThread] { names.compactMap { entries[$0]?.running } }

    // MARK: - Starting

    /// Takes in another object of a component, which `begin` starts a thread for.
    ///
    /// - Throws: `cancelled` where all were stopped since the plan was made; `busy` where an exclusive one has another that
    ///   has not ended; `limitReached` where too many have not ended in time; what `begin` throws.
    mutating func begin(
        _ name: String, _ plan: Plan, at now: MonotonicInstant,
        _ begin: (_ number: Int) throws(AudioError) -> ComponentThread
    ) throws(AudioError) -> ComponentThread {
        try checkNotStopped(since: plan.stopCount)
        if plan.options.isExclusive, let other = entries[name]?.living.values.first {
            throw AudioError(
                .busy,
                """
                component "\(name)" can be there only once, and an earlier one of it has not ended: \
                \(other.thread.life.call.rawValue) has not returned
                """)
        }
        let overdue = living(name).overdue
        guard overdue.count < plan.options.maxQuarantinedThreads else {
            throw AudioError(
                .limitReached,
                """
                component "\(name)" has \(overdue.count) threads that wait for calls that did not return in time, the most \
                there may be: \(overdue[0].life.call.rawValue) is the first of them
                """)
        }
        let thread = try begin(lastNumber + 1)
        lastNumber += 1
        entries[name]?.living[lastNumber] = Living(thread: thread)
        if entries[name]?.running == nil { entries[name]?.enter(.starting, at: now) }
        return thread
    }

    /// Puts a proved one in the place of the one that runs, and keeps its factory for later starts.
    ///
    /// - Returns: Which ran until now, and is to be stopped.
    /// - Throws: `cancelled`.
    mutating func install(
        _ thread: ComponentThread, _ plan: Plan, _ make: @escaping ComponentFactory, at now: MonotonicInstant
    ) throws(AudioError) -> ComponentThread? {
        try checkNotStopped(since: plan.stopCount)
        let name = thread.life.name
        let old = entries[name]?.running
        entries[name]?.running = thread
        entries[name]?.make = make
        entries[name]?.health = .healthy
        entries[name]?.startCount += 1
        // Another one: it has been running since now.
        entries[name]?.since = now
        entries[name]?.enter(.running, at: now)
        return old
    }

    /// Notes that none could be started.
    ///
    /// - Returns: Whether one runs all the same.
    mutating func noteFailedStart(of name: String, _ error: AudioError, at now: MonotonicInstant) -> Bool {
        entries[name]?.lastError = error.description
        guard entries[name]?.running == nil else { return true }
        entries[name]?.enter(.failed, at: now)
        return false
    }

    /// - Throws: `cancelled` where all were stopped since, or are being stopped.
    func checkNotStopped(since count: Int) throws(AudioError) {
        guard stopsAtWork == 0, stopCount == count else {
            throw AudioError(.cancelled, "all components were stopped meanwhile")
        }
    }

    // MARK: - Stopping

    /// From now on none is started, until as many calls of ``endStop()``.
    mutating func beginStop() {
        stopCount += 1
        stopsAtWork += 1
    }

    mutating func endStop() { stopsAtWork -= 1 }

    /// Takes the one that runs out of its place: whoever gets it has it stopped.
    mutating func takeRunning(_ name: String, at now: MonotonicInstant) -> ComponentThread? {
        guard let thread = entries[name]?.running else { return nil }
        entries[name]?.running = nil
        entries[name]?.health = nil
        entries[name]?.enter(.stopping, at: now)
        return thread
    }

    /// All of a component that has not ended, those apart that did not end in time.
    func living(_ name: String) -> (inTime: [ComponentThread], overdue: [ComponentThread]) {
        let living = (entries[name]?.living ?? [:]).sorted { $0.key < $1.key }.map(\.value)
        return (living.filter { !$0.isOverdue }.map(\.thread), living.filter(\.isOverdue).map(\.thread))
    }

    /// Notes that none runs any more, unless one was started meanwhile.
    mutating func noteStopped(_ name: String, at now: MonotonicInstant) {
        if entries[name]?.running == nil { entries[name]?.enter(.idle, at: now) }
    }

    /// Notes that one did not end in time; answers `false` where that is known, or it has ended meanwhile.
    mutating func noteOverdue(_ thread: ComponentThread, at now: MonotonicInstant) -> Bool {
        guard let living = entries[thread.life.name]?.living[thread.number], !living.isOverdue else { return false }
        entries[thread.life.name]?.living[thread.number]?.isOverdue = true
        entries[thread.life.name]?.lastError = "\(thread.life.call.rawValue) did not return in time"
        return true
    }

    /// Forgets one whose thread ends.
    ///
    /// - Returns: Whether it was overdue.
    mutating func end(_ name: String, _ number: Int, stopError: AudioError?) -> Bool {
        if let stopError { entries[name]?.lastError = stopError.description }
        return entries[name]?.living.removeValue(forKey: number)?.isOverdue ?? false
    }

    // MARK: - Watching

    /// Notes how one answered.
    ///
    /// - Returns: The line to log, where that has changed.
    mutating func note(
        _ health: ComponentReport.Health, of thread: ComponentThread, _ error: AudioError?
    ) -> ComponentEvent? {
        let name = thread.life.name
        guard let entry = entries[name], entry.running?.number == thread.number else { return nil }
        entries[name]?.health = health
        if let error { entries[name]?.lastError = error.description }
        guard entry.health != health else { return nil }
        return health == .healthy ? .healthy : .unhealthy
    }

    func report(at now: MonotonicInstant) -> ComponentReport {
        let components = names.compactMap { name in
            entries[name].map { entry in
                ComponentReport.Component(
                    name: name, state: entry.state, stateSeconds: entry.since.duration(to: now) / .seconds(1),
                    health: entry.health, lastError: entry.lastError, startCount: entry.startCount,
                    quarantinedThreadCount: entry.living.values.count(where: \.isOverdue))
            }
        }
        return ComponentReport(
            components: components, quarantinedThreadCount: components.reduce(0) { $0 + $1.quarantinedThreadCount })
    }
}
