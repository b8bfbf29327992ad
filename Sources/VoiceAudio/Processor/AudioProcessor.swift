public import VoiceAudioCore
public import VoiceAudioIO
public import VoiceAudioMemory

/// Captures audio into a bounded history and hands recordings back: one source, one capture thread, one ring.
///
/// ```swift
/// let processor = try AudioProcessor(configuration: .init(environment: .process))
/// try processor.arm()                                   // device open, history rolling
/// try processor.start(preRoll: .milliseconds(500))      // keep what came just before
/// let recording = try processor.stop()
/// ```
///
/// Every method may be called from any thread at any time. One that does not fit the state throws `invalidState`, and
/// changes nothing; one that finds another at work waits for it, until its deadline. Dropping the last reference does
/// what ``cleanup(deadline:)`` does.
///
/// In a fork of the process (without exec) it is `failed`, which harms nothing of the parent's. `cleanup()` makes it idle,
/// and usable there on its own.
///
/// > Concurrency: Safe from any thread. Nothing of the caller's runs on the capture thread.
///
/// > Real-time: Not safe: methods take locks, and some wait.
public final class AudioProcessor: Sendable {
    /// The settings; ``reconfigure(deadline:_:)`` changes them.
    public var configuration: AudioConfiguration { setup.configuration }

    /// What history, recordings and subscriptions take their memory from; `nil` where nothing counts it.
    public let budget: MemoryBudget?

    let clock: any AudioClock
    private let logSink: any AudioLogSink
    /// What this process does with the processor. Each of its own, so that a look at one costs no reference to the other.
    private let ownGate: PerProcess<OperationGate>
    private let ownCapturing: PerProcess<Lock<CaptureState>>

    /// Makes a processor in `idle`; nothing is opened.
    ///
    /// - Parameters:
    ///   - configuration: The settings; `device` says where to capture from.
    ///   - logSink: Where log lines go.
    ///   - clock: What deadlines, pace and time stamps go by.
    ///   - budget: What history, recordings and subscriptions take their memory from. A recording counts until its last
    ///     reference goes: while one is kept, the history that follows it needs room of its own.
    ///   - monitor: What asks it for memory when that is short, for as long as both live; neither keeps the other.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming what is not accepted.
    public convenience init(
        configuration: AudioConfiguration, logSink: any AudioLogSink = SilentLogSink(),
        clock: any AudioClock = SystemClock(), budget: MemoryBudget? = nil, monitor: MemoryPressureMonitor? = nil
    ) throws(AudioError) {
        self.init(
            try CaptureSetup(configuration), logSink: logSink, clock: clock, budget: budget, monitor: monitor)
        for warning in configuration.warnings { log(.warning, warning) }
    }

    /// Makes a processor in `idle` for a source of your own; `configuration.device` is not used.
    ///
    /// Where the source has a format of its own, it is taken for what the configuration leaves at its default. A
    /// configuration that is not accepted makes `arm()` throw `invalidConfiguration`.
    public convenience init(
        source: any CaptureSource, configuration: AudioConfiguration = AudioConfiguration(),
        logSink: any AudioLogSink = SilentLogSink(), clock: any AudioClock = SystemClock(),
        budget: MemoryBudget? = nil, monitor: MemoryPressureMonitor? = nil
    ) {
        self.init(
            CaptureSetup(configuration, source: source), logSink: logSink, clock: clock, budget: budget,
            monitor: monitor)
    }

    private init(
        _ setup: CaptureSetup, logSink: any AudioLogSink, clock: any AudioClock, budget: MemoryBudget?,
        monitor: MemoryPressureMonitor?
    ) {
        self.budget = budget
        self.clock = clock
        self.logSink = logSink
        ownGate = PerProcess(OperationGate.ofProcessor()) { _ in OperationGate.ofProcessor() }
        ownCapturing = PerProcess(Lock(CaptureState(setup: setup))) { owner in
            Lock(CaptureState(setup: setup, failure: owner.refusal(of: "the capture")))
        }
        monitor?.register(self)
    }

    deinit { release(by: clock.now.advanced(by: configuration.stopTimeout)) }

    // MARK: - Recording

    /// Opens the source and lets the history roll, without recording yet.
    ///
    /// - Parameter deadline: How long opening may take.
    /// - Throws: ``AudioError`` with code `invalidState`, `timedOut`, `cancelled` (by a clean-up meanwhile), or what
    ///   opening failed with: `noSuchDevice`, `busy`, `permissionDenied`, `unsupportedFormat`, `noSuchFile`,
    ///   `unreadableFile`, `deviceFailed`, `invalidConfiguration`, `outOfResources`, `budgetExceeded`. The state is then
    ///   as before.
    public func arm(deadline: Duration = .seconds(5)) throws(AudioError) {
        try perform("arm()", deadline) { (deadline) throws(AudioError) in
            _ = try transition(.arm)
            try open(by: deadline) { (state) throws(AudioError) in _ = try state.handle(.armed) }
        }
    }

    /// Begins a recording; from `idle`, arms first.
    ///
    /// From `idle` it begins with the source's first frame, and `stop()` goes back to `idle`; from `ready` with what
    /// arrives now, and `stop()` goes back to `ready`.
    ///
    /// - Parameters:
    ///   - preRoll: How much of the history from before the call belongs to it, as far as the history reaches back: so
    ///     that first words are not lost.
    ///   - deadline: How long opening may take.
    /// - Throws: As `arm()`.
    public func start(preRoll: Duration = .zero, deadline: Duration = .seconds(5)) throws(AudioError) {
        try perform("start()", deadline) { (deadline) throws(AudioError) in
            let action = try transition(.start)
            let preRollFrames = action == .record ? configuration.format.frameCount(in: preRoll) : nil
            let begin = { [clock] (state: inout CaptureState) throws(AudioError) in
                state.beginRecording(preRollFrames: preRollFrames, at: clock.now)
                _ = try state.handle(.recordingStarted)
            }
            if action == .openAndRecord { try open(by: deadline, then: begin) } else { try capturing.withLock(begin) }
        }
    }

    /// Interrupts the recording: the device stays open, and what it captures reaches nobody.
    ///
    /// What is left out is not part of the recording and no loss. Takes effect within a period.
    ///
    /// - Throws: ``AudioError`` with code `invalidState` or `timedOut`.
    public func pause() throws(AudioError) {
        try perform("pause()", nil) { (_) throws(AudioError) in
            _ = try transition(.pause)
            capturing.withLock { $0.capture?.control.setPaused(true) }
        }
    }

    /// Goes on with an interrupted recording.
    ///
    /// - Throws: ``AudioError`` with code `invalidState` or `timedOut`.
    public func resume() throws(AudioError) {
        try perform("resume()", nil) { (_) throws(AudioError) in
            _ = try transition(.resume)
            capturing.withLock { $0.capture?.control.setPaused(false) }
        }
    }

    /// Ends the recording and hands it back: the ring itself, moved and not copied.
    ///
    /// Goes back to where the recording was started from, `ready` or `idle`. Where the capture had failed, does not answer
    /// in time, or can have no history to go on with (a budget without room for it), what was recorded is handed back all
    /// the same.
    ///
    /// - Parameter deadline: How long to wait for the capture thread; the configuration's `stopTimeout` if not given. A
    ///   thread that does not answer is left to itself, and ``quarantinedThreadCount`` says so.
    /// - Throws: ``AudioError`` with code `invalidState`; `timedOut` where another call is at work for so long;
    ///   `cancelled` by a clean-up meanwhile.
    public func stop(deadline: Duration? = nil) throws(AudioError) -> Recording {
        try perform("stop()", deadline) { (deadline) throws(AudioError) in
            let (action, start) = try capturing.withLock { (state) throws(AudioError) in
                (try state.handle(.stop), state.recordingStart)
            }
            let wallClock = WallClock(at: clock.now)
            let (history, failure) =
                action == .exchangeHistory
                ? try exchangeHistory(by: deadline) : try endRecording(by: deadline, then: .stopped)
            guard let history else {
                throw AudioError(.cancelled, "the recording was thrown away by a clean-up meanwhile")
            }
            return Recording(
                of: FrozenAudio(freezing: history), from: start, configuration: configuration, wallClock: wallClock,
                failure: failure)
        }
    }

    /// Ends everything and releases it: capture, device, history, subscriptions. Ends in `idle`, whatever fails on the
    /// way; harmless in `idle`.
    ///
    /// An `arm()` or `start()` at work is given up.
    ///
    /// - Parameter deadline: How long to wait for other calls and for the capture thread; the configuration's
    ///   `stopTimeout` if not given.
    public func cleanup(deadline: Duration? = nil) {
        let deadline = clock.now.advanced(by: deadline ?? configuration.stopTimeout)
        capturing.withLock { $0.beginCleanup() }
        defer { capturing.withLock { $0.endCleanup() } }
        do throws(AudioError) {
            try gate.perform("cleanup()", by: deadline, clock: clock) { () throws(AudioError) in release(by: deadline) }
        } catch {
            // Whoever is at work does not end: take away from it what there is.
            release(by: deadline)
        }
    }

    /// Throws away what the history and the subscribers' rings hold, and gives the pages back to the system.
    ///
    /// The capture goes on; what went is counted, and told to each subscriber. A recording under way loses what it had.
    ///
    /// - Returns: Chunks thrown away.
    @discardableResult
    public func forceCleanupBuffers() -> Int {
        let (history, subscribers) = capturing.withLock { ($0.history, $0.subscribers) }
        var count = history?.forceCleanup() ?? 0
        for buffer in subscribers.buffers { count += buffer.forceCleanup() }
        ProcessMemory.trimHeap()
        log(.notice, "buffers cleaned up", ["chunks": "\(count)"])
        return count
    }

    // MARK: - Beneath

    var gate: OperationGate { ownGate.value }

    var capturing: Lock<CaptureState> { ownCapturing.value }

    var environment: CaptureEnvironment {
        CaptureEnvironment(
            clock: clock, logSink: LevelFilter(sink: logSink, leastSevere: configuration.logLevel))
    }

    func log(
        _ level: AudioLogLevel, _ message: @autoclosure () -> String,
        _ metadata: @autoclosure () -> [String: String] = [:]
    ) {
        environment.logSink.log(level: level, message: message(), metadata: metadata(), source: "VoiceAudio")
    }
}
