import VoiceAudioCore

/// What a monitor knows, for its threads and for those who ask.
///
/// The lock is held for looking and changing only: no sample is taken, nothing logged and no handler called under it.
final class PressureCore: Sendable {
    /// How long memory that stays short is left alone after a clean-up.
    static let timeBetweenCleanups = Duration.seconds(10)

    let cleanup: CleanupRunner
    let clock: any AudioClock
    let owner = OwningProcess()
    private let configuration: MemoryPressureConfiguration
    private let source: any MemorySource
    private let logSink: any AudioLogSink
    private let state: Lock<State>

    private struct State: Sendable {
        var levels: PressureLevels
        var status = MemoryPressureStatus()
        var sampling: PressureThread?
        /// Was told to end, and may not have ended.
        var ending: PressureThread?
        var wasStopped = false
        /// Counts the stops: a listener from before one has nothing more to come.
        var era = 0
        var listeners: [WakeUp] = []
        var cleanup = Cleanup()

        func tellListeners() { for listener in listeners { listener.signal() } }
    }

    private struct Cleanup: Sendable {
        var thread: WorkerThread?
        var isRunning = false
        /// The level that asks for a clean-up.
        var wanted: MemoryPressureLevel?
        var endedAt: MonotonicInstant?
        /// The level that asks for no more than what the newest one ran.
        var done = MemoryPressureLevel.low
        var report: MemoryCleanupReport?
    }

    init(
        configuration: MemoryPressureConfiguration, source: any MemorySource, clock: any AudioClock,
        logSink: any AudioLogSink, cleanupSlot: Duration
    ) {
        self.configuration = configuration
        self.source = source
        self.clock = clock
        self.logSink = logSink
        cleanup = CleanupRunner(clock: clock, logSink: logSink, slot: cleanupSlot)
        state = Lock(State(levels: PressureLevels(configuration: configuration)))
    }

    // MARK: Beginning and end

    func start() throws(AudioError) {
        try state.withLock { (state) throws(AudioError) in
            guard state.sampling == nil else { return }
            state.sampling = try PressureThread(self)
            // What was seen before may be old: whoever asks before the thread has sampled does that himself.
            state.status = MemoryPressureStatus()
            state.wasStopped = false
        }
    }

    /// What a handler or a listener brings with it.
    func startUnlessStopped() throws(AudioError) {
        guard state.withLock({ !$0.wasStopped && $0.sampling == nil }) else { return }
        do throws(AudioError) {
            try start()
        } catch {
            log(.warning, "memory is not sampled until somebody asks: \(error.message)")
            throw error
        }
    }

    func stop(within time: Duration) -> Bool {
        let deadline = clock.now.advanced(by: time)
        let (sampling, cleaning) = state.withLock { state in
            state.ending = state.sampling ?? state.ending
            let threads = (state.ending, state.cleanup.thread)
            state.sampling = nil
            state.wasStopped = true
            state.era += 1
            state.cleanup.wanted = nil
            state.tellListeners()
            return threads
        }
        let hasStopped = sampling?.stop(by: deadline, clock: clock) ?? true
        // A clean-up waits for its handlers: one of them cannot wait for it.
        let isWithin = cleaning?.isCurrent == true || cleanup.isWithinCall
        let hasCleaned = isWithin || cleaning?.join(by: deadline, clock: clock) ?? true
        // Those that are left are for the next call to wait for.
        state.withLock { state in
            if hasStopped, state.ending === sampling { state.ending = nil }
            if hasCleaned, !isWithin, state.cleanup.thread === cleaning { state.cleanup.thread = nil }
        }
        return hasStopped && hasCleaned
    }

    private var isRunning: Bool { state.withLock { $0.sampling != nil } }

    // MARK: Asking

    /// The newest status; of a fresh sample where nobody else takes them.
    var currentStatus: MemoryPressureStatus {
        let now = clock.now
        let (status, isFresh) = state.withLock { state in
            let age = state.status.sampledAt.map { $0.duration(to: now) }
            return (state.status, age.map { state.sampling != nil || $0 <= configuration.interval } ?? false)
        }
        return isFresh ? status : takeSample()
    }

    var lastCleanup: MemoryCleanupReport? { state.withLock { $0.cleanup.report } }

    var events: MemoryEvents? { source.events }

    /// When the next sample is due.
    var timeToNextSample: Duration { state.withLock { $0.status.timeToNextSample(at: configuration.interval) } }

    /// The status, if there is any; which era it is.
    func look() -> (status: MemoryPressureStatus?, era: Int) {
        state.withLock { state in
            let isKnown = state.status.sampledAt != nil || state.status.failure != nil
            return (isKnown ? state.status : nil, state.era)
        }
    }

    /// - Returns: The era that it listens in; the one before where nothing will come.
    func add(_ listener: WakeUp) -> Int {
        state.withLock { state in
            state.listeners.append(listener)
            return state.wasStopped ? state.era - 1 : state.era
        }
    }

    func remove(_ listener: WakeUp) { state.withLock { state in state.listeners.removeAll { $0 === listener } } }

    // MARK: Sampling

    /// Samples, and does what follows from it.
    @discardableResult
    func takeSample() -> MemoryPressureStatus {
        let now = clock.now
        let sample: MemorySample
        do throws(AudioError) {
            sample = try source.sample()
        } catch {
            return fail("memory cannot be sampled: \(error.message)")
        }
        let (before, noted) = state.withLock { state -> (MemoryPressureStatus, MemoryPressureStatus?) in
            let before = state.status
            // Another thread may have been faster.
            if let last = before.sampledAt, last > now { return (before, before) }
            guard var status = state.levels.note(sample, at: now) else { return (before, nil) }
            status.isProcessingPaused = before.isProcessingPaused && status.level == .critical
            state.status = status
            wantCleanup(&state, after: before.level, at: now)
            if before.sampledAt == nil || status.differs(from: before) { state.tellListeners() }
            return (before, status)
        }
        guard let after = noted else { return fail("memory cannot be sampled: the source tells no limit") }
        tellChange(from: before, to: after)
        return after
    }

    /// Notes why there is no sample; told once.
    @discardableResult
    private func fail(_ reason: String) -> MemoryPressureStatus {
        let (before, after) = state.withLock { state in
            let before = state.status
            state.status.failure = reason
            if state.status.differs(from: before) { state.tellListeners() }
            return (before, state.status)
        }
        if before.failure != reason { log(.warning, reason, of: after) }
        return after
    }

    private func tellChange(from before: MemoryPressureStatus, to after: MemoryPressureStatus) {
        if before.failure != nil, after.failure == nil { log(.notice, "memory is sampled again", of: after) }
        guard before.level != after.level else { return }
        let level: AudioLogLevel =
            switch after.level {
            case .low: .info
            case .moderate: .notice
            case .high: .warning
            case .critical: .error
            }
        log(level, "memory pressure is \(after.level.rawValue), and was \(before.level.rawValue)", of: after)
    }

    func log(_ level: AudioLogLevel, _ message: String, of status: MemoryPressureStatus? = nil) {
        logSink.log(
            level: level, message: message,
            metadata: status.map {
                [
                    "used_bytes": "\($0.usedBytes)", "limit_bytes": "\($0.limitBytes)", "origin": $0.origin.rawValue,
                    "process_rss_bytes": "\($0.processRSSBytes)",
                ]
            } ?? [:], source: "VoiceAudio")
    }

    // MARK: Cleaning up

    /// A clean-up is due when the level rises, and again every ten seconds for as long as memory stays short; sooner where
    /// the last one left out what is asked for now.
    private func wantCleanup(_ state: inout State, after before: MemoryPressureLevel, at now: MonotonicInstant) {
        guard state.sampling != nil else { return }
        let newest = state.levels.newestLevel
        let hasRested = state.cleanup.endedAt.map { $0.duration(to: now) >= Self.timeBetweenCleanups } ?? true
        let isDue = !state.cleanup.isRunning && (hasRested || newest > state.cleanup.done)
        guard newest > .low, state.status.level > before || isDue else { return }
        state.cleanup.wanted = max(newest, state.cleanup.wanted ?? .low)
        guard !state.cleanup.isRunning else { return }
        // Without a thread the next sample tries again.
        state.cleanup.thread = try? WorkerThread(name: "va-cleanup") { [self] in runCleanups() }
        state.cleanup.isRunning = state.cleanup.thread != nil
    }

    /// Cleans up because somebody asks for it, on the caller's thread.
    func cleanUp(_ stage: MemoryCleanupStage, isTimeLeft: () -> Bool = { true }) -> MemoryCleanupReport {
        let report = cleanup.run(upTo: stage, isTimeLeft: isTimeLeft) { true }
        state.withLock { $0.cleanup.report = report }
        return report
    }

    private func runCleanups() {
        while let level = nextCleanup() {
            let report = cleanup.run(upTo: level.cleanupStage) { [self] in isStill(level) }
            end(report, of: level, isStill: isStill(level))
        }
    }

    private func nextCleanup() -> MemoryPressureLevel? {
        state.withLock { state in
            let level = state.cleanup.wanted
            state.cleanup.wanted = nil
            state.cleanup.isRunning = level != nil
            return level
        }
    }

    /// Whether a fresh sample says so, and somebody is still to act on it.
    private func isStill(_ level: MemoryPressureLevel) -> Bool {
        guard isRunning else { return false }
        takeSample()
        return state.withLock { $0.levels.newestLevel >= level }
    }

    private func end(_ report: MemoryCleanupReport, of level: MemoryPressureLevel, isStill: Bool) {
        let now = clock.now
        let paused: MemoryPressureStatus? = state.withLock { state in
            state.cleanup.report = report
            state.cleanup.endedAt = now
            state.cleanup.done = MemoryPressureLevel.allCases.last { $0.cleanupStage == report.stages.last } ?? .low
            let newest = state.levels.newestLevel
            // It stopped early, as less was wanted; of what is wanted now, not all may have been done.
            if !isStill, state.sampling != nil, newest > .moderate, newest < level { state.cleanup.wanted = newest }
            guard isStill, state.cleanup.done == .critical, !state.status.isProcessingPaused else { return nil }
            state.status.isProcessingPaused = true
            state.tellListeners()
            return state.status
        }
        guard let paused else { return }
        log(.critical, "memory is critical after an emergency clean-up: processing pauses", of: paused)
    }
}

extension MemoryPressureStatus {
    /// Whether a listener is to be told.
    func differs(from other: MemoryPressureStatus) -> Bool {
        level != other.level || isProcessingPaused != other.isProcessingPaused || failure != other.failure
    }
}

extension MemoryPressureLevel {
    /// What is to be given back.
    fileprivate var cleanupStage: MemoryCleanupStage {
        switch self {
        case .low, .moderate: .trim
        case .high: .shrink
        case .critical: .emergency
        }
    }
}
