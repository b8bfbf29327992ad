public import VoiceAudioCore
public import VoiceAudioIO

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
    /// The settings.
    public let configuration: AudioConfiguration

    private let source: any CaptureSource
    /// What is wrong with the configuration; `nil` where nothing is.
    private let refusal: AudioError?
    private let environment: CaptureEnvironment
    /// What this process does with the processor.
    private let atWork: PerProcess<(gate: OperationGate, session: Lock<Session>)>

    /// Makes a processor in `idle`; nothing is opened.
    ///
    /// - Parameters:
    ///   - configuration: The settings; `device` says where to capture from.
    ///   - logSink: Where log lines go.
    ///   - clock: What deadlines, pace and time stamps go by.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming what is not accepted.
    public convenience init(
        configuration: AudioConfiguration, logSink: any AudioLogSink = SilentLogSink(),
        clock: any AudioClock = SystemClock()
    ) throws(AudioError) {
        try configuration.validate()
        self.init(
            source: try configuration.makeSource(), refusal: nil, configuration: configuration, logSink: logSink,
            clock: clock)
        for warning in configuration.warnings { log(.warning, warning) }
    }

    /// Makes a processor in `idle` for a source of your own; `configuration.device` is not used.
    ///
    /// A configuration that is not accepted makes `arm()` throw `invalidConfiguration`.
    public convenience init(
        source: any CaptureSource, configuration: AudioConfiguration = AudioConfiguration(),
        logSink: any AudioLogSink = SilentLogSink(), clock: any AudioClock = SystemClock()
    ) {
        var refusal: AudioError?
        do throws(AudioError) { try configuration.validate() } catch { refusal = error }
        self.init(source: source, refusal: refusal, configuration: configuration, logSink: logSink, clock: clock)
    }

    private init(
        source: any CaptureSource, refusal: AudioError?, configuration: AudioConfiguration,
        logSink: any AudioLogSink, clock: any AudioClock
    ) {
        self.source = source
        self.refusal = refusal
        self.configuration = configuration
        environment = CaptureEnvironment(
            clock: clock, logSink: LevelFilter(sink: logSink, leastSevere: configuration.logLevel))
        atWork = PerProcess((OperationGate(), Lock(Session(configuration: configuration)))) { owner in
            let failure = owner.refusal(of: "the capture")
            return (OperationGate(), Lock(Session(configuration: configuration, failure: failure)))
        }
    }

    deinit { release(by: clock.now.advanced(by: configuration.stopTimeout)) }

    // MARK: - Recording

    /// Opens the source and lets the history roll, without recording yet.
    ///
    /// - Parameter deadline: How long opening may take.
    /// - Throws: ``AudioError`` with code `invalidState`, `timedOut`, `cancelled` (by a clean-up meanwhile), or what
    ///   opening failed with: `noSuchDevice`, `busy`, `permissionDenied`, `unsupportedFormat`, `noSuchFile`,
    ///   `unreadableFile`, `deviceFailed`, `invalidConfiguration`, `outOfResources`. The state is then as before.
    public func arm(deadline: Duration = .seconds(5)) throws(AudioError) {
        try perform("arm()", deadline) { (deadline) throws(AudioError) in
            _ = try transition(.arm)
            try open(by: deadline) { (session) throws(AudioError) in _ = try session.handle(.armed) }
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
            let begin = { [clock] (session: inout Session) throws(AudioError) in
                session.beginRecording(preRollFrames: preRollFrames, at: clock.now)
                _ = try session.handle(.recordingStarted)
            }
            if action == .openAndRecord { try open(by: deadline, then: begin) } else { try session.withLock(begin) }
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
            session.withLock { $0.capture?.control.setPaused(true) }
        }
    }

    /// Goes on with an interrupted recording.
    ///
    /// - Throws: ``AudioError`` with code `invalidState` or `timedOut`.
    public func resume() throws(AudioError) {
        try perform("resume()", nil) { (_) throws(AudioError) in
            _ = try transition(.resume)
            session.withLock { $0.capture?.control.setPaused(false) }
        }
    }

    /// Ends the recording and hands it back: the ring itself, moved and not copied.
    ///
    /// Goes back to where the recording was started from, `ready` or `idle`. Where the capture had failed, or does not
    /// answer in time, what was recorded is handed back all the same.
    ///
    /// - Parameter deadline: How long to wait for the capture thread; the configuration's `stopTimeout` if not given. A
    ///   thread that does not answer is left to itself, and ``quarantinedThreadCount`` says so.
    /// - Throws: ``AudioError`` with code `invalidState`; `timedOut` where another call is at work for so long;
    ///   `cancelled` by a clean-up meanwhile.
    public func stop(deadline: Duration? = nil) throws(AudioError) -> Recording {
        try perform("stop()", deadline) { (deadline) throws(AudioError) in
            let (action, start) = try session.withLock { (session) throws(AudioError) in
                (try session.handle(.stop), session.recordingStart)
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
        session.withLock { $0.beginCleanup() }
        defer { session.withLock { $0.endCleanup() } }
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
        let (history, subscribers) = session.withLock { ($0.history, $0.subscribers) }
        var count = history?.forceCleanup() ?? 0
        for buffer in subscribers.buffers { count += buffer.forceCleanup() }
        ProcessMemory.trimHeap()
        log(.notice, "buffers cleaned up", ["chunks": "\(count)"])
        return count
    }

    // MARK: - Beneath

    /// The capture under way; `nil` where there is none.
    var runningCapture: Capture? { session.withLock { $0.capture } }

    var clock: any AudioClock { environment.clock }

    private var gate: OperationGate { atWork.value.gate }

    var session: Lock<Session> { atWork.value.session }

    private func perform<Result>(
        _ name: String, _ deadline: Duration?, _ body: (MonotonicInstant) throws(AudioError) -> Result
    ) throws(AudioError) -> Result {
        let deadline = clock.now.advanced(by: deadline ?? configuration.stopTimeout)
        return try gate.perform(name, by: deadline, clock: clock) { () throws(AudioError) in try body(deadline) }
    }

    private func transition(_ event: ProcessorStateMachine.Event) throws(AudioError) -> ProcessorStateMachine.Action {
        try session.withLock { (session) throws(AudioError) in try session.handle(event) }
    }

    /// Opens the source on a thread of its own, and takes the next step in the same moment.
    private func open(
        by deadline: MonotonicInstant, then next: (inout Session) throws(AudioError) -> Void
    ) throws(AudioError) {
        if let refusal { throw refusal }
        let history = try makeHistory()
        let abort = try WakeUp()
        let (opening, subscribers, health) = session.withLock {
            ($0.beginOpening(abort: abort), $0.subscribers, $0.health)
        }
        defer { session.withLock { $0.endOpening() } }
        let capture: Capture
        do throws(AudioError) {
            capture = try Capture(
                source: source,
                request: CaptureRequest(
                    format: configuration.format, chunkFrameCount: configuration.chunkFrameCount,
                    monoChannel: configuration.monoChannel),
                environment: environment, history: history, subscribers: subscribers, health: health,
                realtimePriority: configuration.realtimePriority, by: deadline, abort: abort,
                abandon: { thread in session.withLock { $0.quarantine(thread) } })
        } catch {
            log(.error, "could not open \"\(source.name)\"", ["error": "\(error)"])
            throw error
        }
        let isInstalled = try session.withLock { (session) throws(AudioError) in
            guard session.install(capture, history: history, opening: opening) else { return false }
            try next(&session)
            return true
        }
        guard isInstalled else {
            end(capture, by: deadline)
            throw AudioError(.cancelled, "opening \"\(source.name)\" was given up because of a clean-up")
        }
        log(.info, "capturing from \"\(source.name)\"", ["given": "\(capture.report)"])
        if let refusal = capture.priorityRefusal { log(.warning, refusal.message) }
    }

    private func makeHistory() throws(AudioError) -> BoundedAudioBuffer {
        try BoundedAudioBuffer(
            maxChunks: configuration.maxChunks, maxBytes: configuration.maxBytes, overflow: configuration.overflow,
            format: configuration.format, maxChunkBytes: configuration.chunkByteCount, clock: clock)
    }

    /// A recording's ring, and what its capture failed with.
    private typealias Ended = (history: BoundedAudioBuffer?, failure: AudioError?)

    /// Takes the history and lets the capture go on with another; where it cannot, ends it.
    private func exchangeHistory(by deadline: MonotonicInstant) throws(AudioError) -> Ended {
        let (capture, history) = session.withLock { ($0.capture, $0.history) }
        guard let capture else { return (nil, nil) }
        do throws(AudioError) {
            let next = try makeHistory()
            let hasExchanged = capture.control.exchangeHistory(
                for: try next.takeProducer(), by: deadline, clock: clock, threadEnd: capture.thread.endDescriptor)
            if hasExchanged {
                capture.control.setPaused(false)
                try session.withLock { (session) throws(AudioError) in
                    session.exchangedHistory(for: next, of: capture)
                    _ = try session.handle(.stopped)
                }
                return (history, nil)
            }
        } catch {
            return try endRecording(by: deadline, then: .stopFailed(error))
        }
        switch capture.outcome {
        case .ended: return try endRecording(by: deadline, then: .stopped)
        case .failed(let error): return try endRecording(by: deadline, then: .stopFailed(error))
        case .running:
            let error = AudioError(
                .timedOut, "the capture thread did not answer in time: the driver does not return")
            return try endRecording(by: deadline, then: .stopFailed(error))
        }
    }

    /// Ends the capture and hands out the recording, which is safe whatever the capture is.
    private func endRecording(
        by deadline: MonotonicInstant, then event: ProcessorStateMachine.Event
    ) throws(AudioError) -> Ended {
        let ended = endCapture(by: deadline)
        if ended.history != nil { _ = try transition(event) }
        return ended
    }

    /// Ends the capture, or leaves it to itself at the deadline, takes the history, and ends the subscriptions.
    private func endCapture(by deadline: MonotonicInstant) -> Ended {
        let taken = session.withLock { $0.takeCapture() }
        var failure: AudioError?
        if let capture = taken.capture {
            end(capture, by: deadline)
            session.withLock { $0.noteEnd(of: capture) }
            if case .failed(let error) = capture.outcome { failure = error }
        }
        taken.subscribers.removeAll(because: failure)
        taken.health.close()
        return (taken.history, failure)
    }

    private func end(_ capture: Capture, by deadline: MonotonicInstant) {
        guard !capture.stop(by: deadline) else { return }
        session.withLock { $0.quarantine(capture.thread) }
        log(.error, "the capture thread did not end in time and is left to itself", ["thread": "va-capture"])
    }

    private func release(by deadline: MonotonicInstant) {
        let action = session.withLock { session in (try? session.handle(.cleanup)) ?? .none }
        _ = endCapture(by: deadline)
        if action == .release { log(.info, "capture ended") }
    }

    private func log(
        _ level: AudioLogLevel, _ message: @autoclosure () -> String,
        _ metadata: @autoclosure () -> [String: String] = [:]
    ) {
        environment.logSink.log(level: level, message: message(), metadata: metadata(), source: "VoiceAudio")
    }
}
