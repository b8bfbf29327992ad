import VoiceAudioCore
import VoiceAudioIO

/// What an ``AudioProcessor`` has at the moment, behind its lock.
struct Session: Sendable {
    private let configuration: AudioConfiguration
    private var machine = ProcessorStateMachine()

    var capture: Capture?
    var history: BoundedAudioBuffer?
    /// Gives up an opening that is at work.
    var abortOpening: WakeUp?

    /// The stream position of the recording's first frame, and what of it came before `start()`.
    private(set) var recordingStart = 0
    private(set) var preRollFrameCount = 0
    var startCallTime: MonotonicInstant?

    /// What earlier rings dropped.
    private var earlierDrops = MemoryUsage.Drops()
    private var peakChunks = 0
    private var peakBytes = 0
    private var quarantine: [Capture] = []

    init(configuration: AudioConfiguration) { self.configuration = configuration }

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

    /// What the capture failed with; `nil` where it did not.
    var failure: AudioError? {
        mutating get { if case .failed(let error, _) = currentState { error } else { nil } }
    }

    private mutating func hearCapture() {
        guard case .failed(let error) = capture?.outcome else { return }
        // An event that fits every state.
        _ = try? machine.handle(.captureFailed(error))
    }

    var isRecording: Bool {
        switch machine.state {
        case .recording, .paused: true
        case .idle, .ready, .processing, .failed: false
        }
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
        recordingStart = max(position - preRollFrames, history?.oldestFramePosition ?? position, 0)
        recordingStart = min(recordingStart, position)
        preRollFrameCount = position - recordingStart
    }

    var recordedFrameCount: Int {
        guard isRecording, let capture else { return 0 }
        return max(0, capture.counters.streamPosition - recordingStart)
    }

    /// Takes capture and history away.
    mutating func takeCapture() -> (Capture?, BoundedAudioBuffer?) {
        defer {
            remember(history)
            capture = nil
            history = nil
        }
        return (capture, history)
    }

    mutating func exchangedHistory(for next: BoundedAudioBuffer) {
        remember(history)
        history = next
    }

    private mutating func remember(_ history: BoundedAudioBuffer?) {
        guard let statistics = history?.statistics else { return }
        earlierDrops.add(statistics)
        peakChunks = max(peakChunks, statistics.peakChunks)
        peakBytes = max(peakBytes, statistics.peakBytes)
    }

    var captureStatistics: CaptureStatistics { capture?.counters.statistics ?? CaptureStatistics() }

    mutating func quarantine(_ capture: Capture) { quarantine.append(capture) }

    var quarantinedThreadCount: Int {
        mutating get {
            quarantine.removeAll { $0.hasEnded }
            return quarantine.count
        }
    }

    mutating func memoryUsage(subscribers: [BoundedAudioBuffer]) -> MemoryUsage {
        var drops = earlierDrops
        if let history { drops.add(history.statistics) }
        drops.device = captureStatistics.framesLost
        var usage = MemoryUsage(configuration: configuration, history: history, drops: drops, subscribers: subscribers)
        usage.peakBufferSize = max(usage.peakBufferSize, peakChunks)
        usage.peakMemoryUsageBytes = max(usage.peakMemoryUsageBytes, peakBytes)
        usage.quarantinedThreads = quarantinedThreadCount
        return usage
    }
}
