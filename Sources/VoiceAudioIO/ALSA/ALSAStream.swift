import Glibc
import VoiceAudioCore

/// An open PCM that is captured from. The capture thread alone uses it, from open to close.
///
/// Here stand opening, waiting and closing; reading and counting what was lost in `ALSAStream+Reading.swift`, starting
/// again after a stop in `ALSAStream+Recovery.swift`. What is tried, and how often, ``RecoveryStateMachine`` decides;
/// opening another PCM in its place is ``RecoveringStream``'s.
final class ALSAStream {
    /// Wakes in a row that brought nothing, after which waiting is paced by the clock: no driver can make us spin.
    private static let fruitlessWakeLimit = 4

    let report: CaptureReport

    private var pcm: PCM?
    let calls: any ALSACalls
    let handle: ALSAHandle
    let clock: any AudioClock
    private let logSink: any AudioLogSink
    private let messages: ALSAMessages
    let rate: Int64

    // The PCM's descriptors, and in the last place the wake-up; and the wake-up alone.
    private var descriptors: DescriptorSet
    private let pcmDescriptorCount: Int
    private var wakeUpAlone = DescriptorSet(count: 1)
    private var wakeUpDescriptor: Int32 = -1
    /// Nanoseconds.
    private let patience: Int64
    private let pace: Duration

    /// Reads as many frames as fit, in the shape asked for.
    let reader: FrameReader

    let recovery: Recovery
    /// Counted since the last frame.
    private var fruitlessWakes = 0
    /// How long the device may deliver nothing before something is tried. Sound servers deliver late; hardware does not.
    private let stallPatience: Duration
    /// Whether the next read is to start the stream again because it has delivered nothing for so long.
    var isStalled = false

    /// Frames that wait in the device as far as was asked; `nil` after a wait.
    var available: Int?
    /// Whether nothing was asked of the device since it was started.
    var isJustStarted = false
    /// Frames of the stream so far: delivered, and lost.
    var position = 0
    /// Frames that wait and were captured before a gap, which is told after them; `nil` where there is none.
    var framesBeforeGap: Int?
    /// Whether no frame came since a gap was told: devices take their time to begin again.
    var isAfterGap = false
    /// A loss that was found while frames were delivered: told at the next read.
    var missing = 0
    /// When the frames captured so far ended: the next ones are due from here.
    var endOfFrames = MonotonicInstant(nanoseconds: 0)
    var captureTime = MonotonicInstant(nanoseconds: 0)

    var timestamps: PCMTimestamps
    var drift: DriftMeter
    var deficit: FlowDeficit

    var timing: CaptureTiming { CaptureTiming(clock: timestamps.clock, driftPPM: drift.ppm) }

    init(
        device: String, calls: any ALSACalls, request: CaptureRequest, environment: CaptureEnvironment,
        messages: ALSAMessages, recovery: Recovery
    ) throws(AudioError) {
        let opened = try NegotiatedPCM(opening: device, for: request, calls: calls)
        let setup = opened.setup
        let count = calls.pollDescriptorsCount(opened.pcm.handle)
        try opened.pcm.check(count, .wait)
        guard count > 0 else {
            throw AudioError(.deviceFailed, "\(device) has nothing to wait on: it cannot be captured from")
        }
        let descriptors = DescriptorSet(count: Int(count) + 1)
        try opened.pcm.check(calls.pollDescriptors(opened.pcm.handle, into: descriptors, count: Int(count)), .wait)

        // Not all plugins see to it: ALSA's null device, for one.
        descriptors.closeOnExec()

        report = CaptureReport(source: device, request: request, setup: setup, isRateConverted: opened.isRateConverted)
        let period = request.format.duration(ofFrames: setup.periodFrames)
        let buffer = request.format.duration(ofFrames: setup.bufferFrames)
        self.calls = calls
        handle = opened.pcm.handle
        clock = environment.clock
        logSink = environment.logSink
        self.messages = messages
        self.recovery = recovery
        rate = Int64(request.format.sampleRateHz)
        reader = FrameReader(setup: setup, request: request)
        pcmDescriptorCount = Int(count)
        // It wakes us once a chunk, or once a period.
        let patience = max(period, request.format.duration(ofFrames: request.chunkFrameCount)) * 4 + .seconds(1)
        self.patience = patience.clampedNanoseconds
        pace = min(period, .milliseconds(100))
        stallPatience = max(setup.countsLossExactly ? .seconds(2) : .seconds(10), patience)
        timestamps = PCMTimestamps(patience: max(buffer, .seconds(1)))
        drift = DriftMeter(rate: rate)
        // A tenth of a second, at least: less than that, a sound server's bursts may vary from one second to the next.
        let tolerance = max(2 * setup.periodFrames, request.format.frameCount(in: .milliseconds(100)))
        deficit = FlowDeficit(rate: rate, tolerance: tolerance)
        self.descriptors = descriptors
        pcm = opened.takePCM()
    }

    /// - Parameter isAfterGap: Whether the device takes the place of one that was lost: what it takes to begin is lost, too.
    func start(isAfterGap: Bool = false) throws(AudioError) {
        let status = calls.start(handle)
        guard status >= 0 else { throw error(status, .start) }
        endOfFrames = clock.now
        isJustStarted = true
        self.isAfterGap = isAfterGap
    }

    func close() {
        pcm = nil
        messages.end()
        messages.log(to: logSink, device: report.source, level: .warning)
    }

    // MARK: Waiting

    /// Returns at the latest after four periods or chunks and a second, so that a device that never becomes ready is seen.
    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        if wakeUp.descriptor != wakeUpDescriptor {
            wakeUpDescriptor = wakeUp.descriptor
            descriptors.watch(wakeUpDescriptor, at: pcmDescriptorCount)
            wakeUpAlone.watch(wakeUpDescriptor, at: 0)
        }
        available = nil
        if fruitlessWakes >= Self.fruitlessWakeLimit {
            let wasWoken = clock.wait(for: wakeUpAlone, until: clock.now.advanced(by: pace)) > 0
            if wasWoken { return }
        }
        let deadline = clock.now.advanced(byNanoseconds: patience)
        let readyCount = clock.wait(for: descriptors, until: deadline)
        if readyCount == 0, clock.now >= deadline { noteSilence() }
        if readyCount == 0 || fruitlessWakes > 0 { try checkForStall() }
        let isWakeUp = descriptors.isReady(at: pcmDescriptorCount)
        guard readyCount > (isWakeUp ? 1 : 0) else { return }
        fruitlessWakes += 1
        let (status, revents) = calls.pollDescriptorsRevents(handle, in: descriptors, count: pcmDescriptorCount)
        if status < 0 || revents & UInt16(POLLERR | POLLHUP | POLLNVAL) != 0 { try checkState(after: status) }
    }

    /// Hardware that has not woken us for so long delivers nothing: what waits came before. What it last told of itself is
    /// as old as the silence, so it is asked anew.
    private func noteSilence() {
        guard report.countsLossExactly, position > 0 else { return }
        let waiting = calls.avail(handle)
        framesBeforeGap = waiting < 0 ? framesWaiting : waiting
    }

    /// A device that is open and delivers nothing is started again, then given up.
    private func checkForStall() throws(AudioError) {
        // What was not started owes nothing.
        guard endOfFrames.nanoseconds > 0, endOfFrames.advanced(byNanoseconds: patience) <= clock.now else { return }
        switch recovery.handle(.stalled(since: endOfFrames, patience: stallPatience)) {
        case .restart: isStalled = true
        case .giveUp: throw lost("is there, and delivers nothing however often it is started", nil)
        case .none, .resume, .close, .open, .fail: break
        }
    }

    /// What waits by the last that the device told, also where it is suspended; 0 where that is not known.
    var framesWaiting: Int {
        let (status, waiting, _) = calls.htimestamp(handle)
        return status < 0 ? 0 : max(0, waiting)
    }

    /// After an error at the descriptors: what the PCM itself says. Overruns and suspensions are left to the next read.
    private func checkState(after status: Int32) throws(AudioError) {
        switch calls.state(handle) {
        case .disconnected: throw error(-ENODEV, .wait)
        case .xrun, .suspended: return
        default:
            if status == -ENODEV { throw error(status, .wait) }
            guard recovery.handle(.waitFailed) != .giveUp else {
                throw lost("reports an error at every wait and delivers nothing", status)
            }
        }
    }

    /// Frames came: the device lives.
    func noteLife() {
        recovery.noteFrames()
        fruitlessWakes = 0
        isStalled = false
    }

    // MARK: Arithmetic and errors

    /// How long frames last; for 292 years' worth at most.
    func nanoseconds(ofFrames count: Int) -> Int64 { report.format.nanoseconds(ofFrames: count) }

    /// Frames due between two instants.
    func frames(from start: MonotonicInstant, to end: MonotonicInstant) -> Int {
        Int((end.nanoseconds - start.nanoseconds) / 1000 * rate / 1_000_000)
    }

    func error(_ status: Int32, _ operation: ALSAOperation) -> AudioError {
        AudioError(alsaStatus: status, operation: operation, device: report.source, calls: calls)
    }

    func lost(_ what: String, _ status: Int32?) -> AudioError {
        AudioError(.deviceLost, "\(report.source) \(what)", status: status.flatMap { $0 < 0 ? -$0 : nil })
    }
}

extension CaptureReport {
    fileprivate init(source: String, request: CaptureRequest, setup: PCMSetup, isRateConverted: Bool) {
        let asDelivered =
            setup.hardware.map {
                $0.sampleRateHz == request.format.sampleRateHz && $0.channelCount == request.format.channelCount
                    && $0.layout == SampleLayout(request.format.sampleFormat).rawValue
            } ?? true
        self.init(
            source: source, format: request.format, hardware: asDelivered ? nil : setup.hardware?.description,
            conversions: setup.conversions(for: request, isRateConverted: isRateConverted),
            requestedPeriodFrames: setup.requestedPeriodFrames, periodFrames: setup.periodFrames,
            requestedBufferFrames: setup.requestedBufferFrames, bufferFrames: setup.bufferFrames,
            countsLossExactly: setup.countsLossExactly)
    }
}
