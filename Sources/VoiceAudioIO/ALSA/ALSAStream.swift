import CLinux
import Glibc
import VoiceAudioCore

/// An open ALSA capture. The capture thread alone uses it, from open to close.
final class ALSAStream: CaptureStream {
    /// Stops in a row, without a frame between, after which the device counts as lost. Plugins that lose their device
    /// answer with overruns for ever.
    private static let recoveryLimit = 10
    /// Wakes in a row that brought nothing, after which waiting is paced by the clock: no driver can make us spin.
    private static let fruitlessWakeLimit = 4
    /// Wakes in a row in which the device reported an error and gave nothing, after which it counts as lost.
    private static let errorWakeLimit = 50
    /// How long a suspended device may take to resume before it is started afresh.
    private static let resumeLimit = Duration.seconds(5)

    let report: CaptureReport

    private var pcm: PCM?
    private let calls: any ALSACalls
    private let handle: ALSAHandle
    private let environment: CaptureEnvironment
    private let clock: any AudioClock
    private let messages: ALSAMessages
    private let rate: Int64
    private let bytesPerFrame: Int

    // The PCM's descriptors, and in the last place the wake-up; and the wake-up alone.
    private var descriptors: DescriptorSet
    private let pcmDescriptorCount: Int
    private var wakeUpAlone = DescriptorSet(count: 1)
    private var wakeUpDescriptor: Int32 = -1
    private let patience: Duration
    private let pace: Duration

    // All counted since the last frame.
    private var recoveries = 0
    private var fruitlessWakes = 0
    private var errorWakes = 0
    private var suspendedSince: MonotonicInstant?
    /// Whether the last read emptied the device, so that the next need not ask.
    private var isKnownEmpty = false
    /// When the frames captured so far ended: the next ones are due from here.
    private var endOfFrames = MonotonicInstant(nanoseconds: 0)
    private var captureTime = MonotonicInstant(nanoseconds: 0)

    init(
        device: String, calls: any ALSACalls, request: CaptureRequest, environment: CaptureEnvironment,
        messages: ALSAMessages
    ) throws(AudioError) {
        let pcm = try PCM(opening: device, calls: calls)
        let setup = try pcm.negotiate(request)
        let count = calls.pollDescriptorsCount(pcm.handle)
        try pcm.check(count, .wait)
        guard count > 0 else {
            throw AudioError(.deviceFailed, "\(device) has nothing to wait on: it cannot be captured from")
        }
        let descriptors = DescriptorSet(count: Int(count) + 1)
        try pcm.check(calls.pollDescriptors(pcm.handle, into: descriptors, count: Int(count)), .wait)

        let period = request.format.duration(ofFrames: setup.periodFrames)
        report = CaptureReport(
            source: device, format: request.format, hardware: setup.hardware,
            requestedPeriodFrames: request.chunkFrameCount, periodFrames: setup.periodFrames,
            bufferFrames: setup.bufferFrames)
        self.calls = calls
        handle = pcm.handle
        self.environment = environment
        clock = environment.clock
        self.messages = messages
        rate = Int64(request.format.sampleRateHz)
        bytesPerFrame = request.format.bytesPerFrame
        pcmDescriptorCount = Int(count)
        patience = period * 4 + .seconds(1)
        pace = min(period, .milliseconds(100))
        self.descriptors = descriptors
        self.pcm = consume pcm
    }

    func start() throws(AudioError) {
        let status = calls.start(handle)
        guard status >= 0 else { throw error(status, .start) }
        endOfFrames = clock.now
    }

    func close() {
        pcm = nil
        messages.end()
        messages.log(to: environment.logSink, device: report.source, level: .warning)
    }

    // MARK: Waiting

    /// Returns at the latest after four periods and a second, so that a device that never becomes ready is seen.
    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        if wakeUp.descriptor != wakeUpDescriptor {
            wakeUpDescriptor = wakeUp.descriptor
            descriptors.watch(wakeUpDescriptor, at: pcmDescriptorCount)
            wakeUpAlone.watch(wakeUpDescriptor, at: 0)
        }
        isKnownEmpty = false
        if fruitlessWakes >= Self.fruitlessWakeLimit {
            let wasWoken = clock.wait(for: wakeUpAlone, until: clock.now.advanced(by: pace)) > 0
            if wasWoken { return }
        }
        let readyCount = clock.wait(for: descriptors, until: clock.now.advanced(by: patience))
        let isWakeUp = descriptors.isReady(at: pcmDescriptorCount)
        guard readyCount > (isWakeUp ? 1 : 0) else { return }
        fruitlessWakes += 1
        let (status, revents) = calls.pollDescriptorsRevents(handle, in: descriptors, count: pcmDescriptorCount)
        if status < 0 || revents & UInt16(POLLERR | POLLHUP | POLLNVAL) != 0 { try checkState(after: status) }
    }

    /// After an error at the descriptors: what the PCM itself says. Overruns and suspensions are left to the next read.
    private func checkState(after status: Int32) throws(AudioError) {
        switch calls.state(handle) {
        case .disconnected: throw error(-ENODEV, .wait)
        case .xrun, .suspended: return
        default:
            if status == -ENODEV { throw error(status, .wait) }
            errorWakes += 1
            guard errorWakes < Self.errorWakeLimit else {
                throw lost("reports an error at every wait and delivers nothing", status)
            }
        }
    }

    // MARK: Reading

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        guard !isKnownEmpty else {
            isKnownEmpty = false
            return .nothing
        }
        let count = calls.readi(handle, into: &buffer, frames: buffer.byteCount / bytesPerFrame)
        guard count <= 0 else { return delivered(count) }
        switch Int32(clamping: -count) {
        case 0, EAGAIN, EINTR: return .nothing
        case EPIPE: return try restart(after: .deviceOverrun)
        case ESTRPIPE: return try resume()
        case ENODEV, EBADFD: throw error(Int32(clamping: count), .read)
        default:
            switch calls.state(handle) {
            case .disconnected: throw error(-ENODEV, .read)
            case .xrun: return try restart(after: .deviceOverrun)
            case .suspended: return try resume()
            default: throw error(Int32(clamping: count), .read)
            }
        }
    }

    /// The first of the frames was captured as long ago as it and those behind it last.
    private func delivered(_ count: Int) -> CaptureRead {
        let waiting = max(0, calls.availUpdate(handle))
        isKnownEmpty = waiting == 0
        recoveries = 0
        fruitlessWakes = 0
        errorWakes = 0
        suspendedSince = nil
        // Never backward, whatever the device says is still waiting.
        let age = nanoseconds(ofFrames: count + waiting)
        captureTime = max(captureTime, MonotonicInstant(nanoseconds: clock.now.nanoseconds - age))
        endOfFrames = MonotonicInstant(nanoseconds: captureTime.nanoseconds + nanoseconds(ofFrames: count))
        return .frames(count, captureTime: captureTime)
    }

    /// Starts the stream again after it stopped, and tells what that cost.
    private func restart(after cause: AudioLoss.Cause) throws(AudioError) -> CaptureRead {
        recoveries += 1
        guard recoveries <= Self.recoveryLimit else {
            throw lost("stopped \(Self.recoveryLimit) times in a row without delivering a frame", -EPIPE)
        }
        // Right after a resume a start may answer once with an overrun of its own.
        var status = prepareAndStart()
        if status == -EPIPE { status = prepareAndStart() }
        // The next read goes on from there; what is lost meanwhile is counted then.
        if status == -EPIPE || status == -ESTRPIPE { return .nothing }
        guard status >= 0 else { throw error(status, .recover) }
        suspendedSince = nil
        return lossUntilNow(cause, less: 0)
    }

    private func prepareAndStart() -> Int32 {
        let status = calls.prepare(handle)
        return status < 0 ? status : calls.start(handle)
    }

    /// Asks a suspended device to go on; until it can, there is nothing to read.
    private func resume() throws(AudioError) -> CaptureRead {
        let now = clock.now
        let since = suspendedSince ?? now
        suspendedSince = since
        let status = calls.resume(handle)
        if status == -EAGAIN, since.duration(to: now) < Self.resumeLimit { return .nothing }
        guard status >= 0 else { return try restart(after: .deviceGap) }
        suspendedSince = nil
        return lossUntilNow(.deviceGap, less: max(0, calls.availUpdate(handle)))
    }

    /// The frames due since the last ones and never to come, by the clock.
    private func lossUntilNow(_ cause: AudioLoss.Cause, less waiting: Int) -> CaptureRead {
        let now = clock.now
        let due = (now.nanoseconds - endOfFrames.nanoseconds) / 1000 * rate / 1_000_000
        let frames = Int(due) - waiting
        endOfFrames = MonotonicInstant(nanoseconds: now.nanoseconds - nanoseconds(ofFrames: waiting))
        return frames > 0 ? .lost(AudioLoss(frames: frames, cause: cause, isExact: false)) : .nothing
    }

    private func nanoseconds(ofFrames count: Int) -> Int64 { Int64(count) * 1_000_000_000 / rate }

    private func error(_ status: Int32, _ operation: ALSAOperation) -> AudioError {
        AudioError(alsaStatus: status, operation: operation, device: report.source, calls: calls)
    }

    private func lost(_ what: String, _ status: Int32) -> AudioError {
        AudioError(.deviceLost, "\(report.source) \(what)", status: status < 0 ? -status : nil)
    }
}
