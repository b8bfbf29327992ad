import VoiceAudioCore
import VoiceAudioIO

/// What an ``AudioProcessor`` has at the moment, behind its lock.
struct CaptureState: Sendable {
    /// Where it captures from, and how.
    private(set) var setup: CaptureSetup
    private var machine: ProcessorStateMachine

    private(set) var capture: Capture?
    private(set) var history: BoundedAudioBuffer?
    /// Those who listen to this capture, or to the next one where there is none. Each capture has a table of its own: a
    /// thread that was left to itself reaches nobody any more.
    private(set) var subscribers = SubscriberTable()
    /// How this capture fares, or the next one; of each capture, as above.
    private(set) var health = HealthBoard()

    /// Gives up an opening that is at work.
    private var abortOpening: WakeUp?
    private var cleanupsUnderWay = 0
    private var cleanupsBegun = 0

    /// The stream position of the recording's first frame, and what of it came before `start()`.
    private(set) var recordingStart = 0
    private(set) var preRollFrameCount = 0
    private(set) var startCallTime: MonotonicInstant?

    /// Whether another capture is about to take the place of this one: its end is then not the capture's.
    private(set) var isReplacing = false

    /// What was taken away and has not ended yet: it still counts.
    private var ending: (capture: Capture, history: BoundedAudioBuffer?)?

    /// What earlier rings and captures lost.
    private var earlierDrops = MemoryUsage.Drops()
    private var earlierStatistics = CaptureStatistics()
    private var earlierFrameTime: MonotonicInstant?
    private var peakChunks = 0
    private var peakBytes = 0
    private var quarantine: [WorkerThread] = []

    /// - Parameter failure: What it failed with before it began; `nil` begins in idle.
    init(setup: CaptureSetup, failure: AudioError? = nil) {
        self.setup = setup
        machine = ProcessorStateMachine(state: failure.map { .failed($0, holdsRecording: false) } ?? .idle)
    }

    /// Takes an event in, after what the capture thread has to say.
    mutating func handle(_ event: ProcessorStateMachine.Event) throws(AudioError) -> ProcessorStateMachine.Action {
        hearCapture()
        return try machine.handle(event)
    }

    var currentState: ProcessorStateMachine.State {
        mutating get {
            hearCapture()
            return machine.state
        }
    }

    private mutating func hearCapture() {
        guard !isReplacing else { return }
        // Events that fit every state.
        switch capture?.outcome {
        case .failed(let error): _ = try? machine.handle(.captureFailed(error))
        case .ended: _ = try? machine.handle(.captureEnded)
        case .running, nil: break
        }
    }

    var isRecording: Bool {
        mutating get {
            switch currentState {
            case .recording, .paused: true
            case .idle, .ready, .processing, .failed: false
            }
        }
    }

    /// Whether a recording is interrupted.
    var isPaused: Bool {
        mutating get {
            switch currentState {
            case .paused: true
            case .idle, .ready, .recording, .processing, .failed: false
            }
        }
    }

    /// Whether what the history holds is a recording, or is about to be handed back as one.
    var holdsRecording: Bool {
        mutating get {
            switch currentState {
            case .recording, .paused, .processing, .failed(_, holdsRecording: true): true
            case .idle, .ready, .failed(_, holdsRecording: false): false
            }
        }
    }

    // An opening and the clean-ups that may come while it is at work.

    /// Announces an opening.
    ///
    /// - Parameter abort: Is signalled when a clean-up comes.
    /// - Returns: What tells later whether one came.
    mutating func beginOpening(abort: WakeUp) -> Int {
        abortOpening = abort
        if cleanupsUnderWay > 0 { abort.signal() }
        return cleanupsBegun
    }

    mutating func endOpening() { abortOpening = nil }

    /// Gives up an opening that is at work, or begins before ``endCleanup()``.
    mutating func beginCleanup() {
        cleanupsUnderWay += 1
        cleanupsBegun += 1
        abortOpening?.signal()
    }

    mutating func endCleanup() { cleanupsUnderWay -= 1 }

    /// Takes a capture in that was opened. Answers `false` where a clean-up came meanwhile: then it must not stay.
    mutating func install(_ capture: Capture, history: BoundedAudioBuffer, opening: Int) -> Bool {
        guard opening == cleanupsBegun else { return false }
        self.capture = capture
        self.history = history
        startCallTime = nil
        return true
    }

    /// - Parameter preRollFrames: How far back to reach; `nil` begins with the stream's first frame.
    mutating func beginRecording(preRollFrames: Int?, at now: MonotonicInstant) {
        startCallTime = now
        guard let preRollFrames, let capture else {
            recordingStart = 0
            preRollFrameCount = 0
            return
        }
        let position = capture.counters.streamPosition
        // The chunk being filled is history, too. Its position first: the ring may get that chunk meanwhile.
        let filling = history?.nextNumbers.framePosition ?? position
        recordingStart = max(position - preRollFrames, history?.oldestFramePosition ?? filling, 0)
        recordingStart = min(recordingStart, position)
        preRollFrameCount = position - recordingStart
    }

    var recordedFrameCount: Int {
        mutating get {
            guard isRecording, let capture else { return 0 }
            return max(0, capture.counters.streamPosition - recordingStart)
        }
    }

    /// A capture that was taken away, and all that was its own.
    struct Taken {
        let capture: Capture?
        let history: BoundedAudioBuffer?
        let subscribers: SubscriberTable
        let health: HealthBoard
    }

    /// Takes capture and history away, and those who listened and watched.
    mutating func takeCapture() -> Taken {
        // What it ended by decides where a stop() at work goes back to.
        hearCapture()
        let taken = Taken(capture: capture, history: history, subscribers: subscribers, health: health)
        if let capture { ending = (capture, history) }
        earlierFrameTime = newestFrameTime
        capture = nil
        history = nil
        subscribers = SubscriberTable()
        health = HealthBoard()
        return taken
    }

    /// When the newest frames of this capture or the last one were captured, or it was opened; `nil` where there was none.
    var newestFrameTime: MonotonicInstant? { health.newestFrameTime ?? earlierFrameTime }

    /// Notes what a capture that was taken away lost until its end.
    mutating func noteEnd(of capture: Capture) {
        guard let ending, ending.capture === capture else { return }
        remember(ending.history)
        earlierStatistics = capture.counters.statistics
        earlierDrops.device += earlierStatistics.framesLost
        self.ending = nil
    }

    /// The capture goes on with another history; nothing happens where a clean-up took the capture meanwhile.
    mutating func exchangedHistory(for next: BoundedAudioBuffer, of capture: Capture) {
        guard capture === self.capture else { return }
        remember(history)
        history = next
    }

    // One capture in another's place.

    /// Announces that another capture is to take the place of this one. To be ended in every case.
    mutating func beginReplacing() { isReplacing = true }

    mutating func endReplacing() { isReplacing = false }

    /// The settings are others from now on; what those who listen were made for may not come any more.
    mutating func use(_ setup: CaptureSetup) {
        let old = self.setup.configuration.format
        let format = setup.configuration.format
        self.setup = setup
        guard format != old else { return }
        recordingStart = format.frames(recordingStart, of: old)
        preRollFrameCount = format.frames(preRollFrameCount, of: old)
        subscribers.removeAll(
            because: AudioError(
                .formatChanged, "the capture was reconfigured from \(old) to \(format): subscribe again"))
    }

    /// Takes a capture in that takes over from `old`. Answers `false` where a clean-up took that away meanwhile.
    mutating func install(_ capture: Capture, history: BoundedAudioBuffer, replacing old: Capture) -> Bool {
        guard old === self.capture else { return false }
        if history !== self.history { remember(self.history) }
        self.capture = capture
        self.history = history
        return true
    }

    private mutating func remember(_ history: BoundedAudioBuffer?) {
        guard let statistics = history?.statistics else { return }
        earlierDrops.add(statistics)
        peakChunks = max(peakChunks, statistics.peakChunks)
        peakBytes = max(peakBytes, statistics.peakBytes)
    }

    var captureStatistics: CaptureStatistics {
        // Not as one expression, which would copy both: displays ask often.
        if let capture { return capture.counters.statistics }
        return ending?.capture.counters.statistics ?? earlierStatistics
    }

    mutating func quarantine(_ thread: WorkerThread) {
        // Nobody may ever ask for the number of them, which forgets those that ended.
        _ = quarantinedThreadCount
        // It may be given up again by whoever ends what is left of its capture.
        guard !quarantine.contains(where: { $0 === thread }) else { return }
        thread.quarantine()
        quarantine.append(thread)
    }

    var quarantinedThreadCount: Int {
        mutating get {
            quarantine.removeAll { $0.hasEnded }
            return quarantine.count
        }
    }

    /// What did not stay, since the processor was made.
    var drops: MemoryUsage.Drops {
        var drops = earlierDrops
        for history in [history, ending?.history] { if let history { drops.add(history.statistics) } }
        for capture in [capture, ending?.capture] { drops.device += capture?.counters.statistics.framesLost ?? 0 }
        return drops
    }

    mutating func memoryUsage(at now: MonotonicInstant, processRSSBytes: Int) -> MemoryUsage {
        var usage = MemoryUsage(
            configuration: setup.configuration, history: history, drops: drops, subscribers: subscribers.buffers,
            processRSSBytes: processRSSBytes)
        usage.peakBufferSize = max(usage.peakBufferSize, peakChunks)
        usage.peakMemoryUsageBytes = max(usage.peakMemoryUsageBytes, peakBytes)
        usage.quarantinedThreads = quarantinedThreadCount
        usage.health = health.status(at: now)?.health
        return usage
    }
}
