import VoiceAudioCore

/// Captures from an ALSA device through its absences: closes it when it is lost, opens it again when it is back, and goes
/// on with another card where `default` comes to mean that.
///
/// What is to be done, and when, ``RecoveryStateMachine`` says. Between the last frame before and the first after lies a
/// gap, told by the clock.
final class RecoveringStream: CaptureStream {
    /// Opens what the device's name means at that moment.
    typealias Opening = () throws(AudioError) -> ALSAStream

    private let open: Opening
    private let recovery: Recovery
    private let environment: CaptureEnvironment
    private let makeWatch: (() throws(AudioError) -> DeviceWatch)?
    private let dev: String

    private var stream: ALSAStream?
    private(set) var report: CaptureReport
    private var newestTiming = CaptureTiming()
    private var newestCaptureTime = MonotonicInstant(nanoseconds: 0)
    private var endOfFrames = MonotonicInstant(nanoseconds: 0)

    /// Whether the next read is to tell the gap as it is so far.
    private var tellsGap = false
    /// What the capture ends with once the gap before it is told.
    private var failure: AudioError?

    /// Where cards that come show while the device is away.
    private var folder: DeviceFolder?
    /// Where `default` is followed: whether it means another device.
    private var watch: DeviceWatch?
    private var watched = DescriptorSet(count: 1)
    /// When changes that were noticed will have settled.
    private var lookAt: MonotonicInstant?
    private var either: (wakeUp: Int32, set: ReadableAny)?

    var timing: CaptureTiming { stream?.timing ?? newestTiming }

    var outage: CaptureOutage? {
        guard !recovery.isFlowing else { return nil }
        return recovery.machine.outage.map {
            CaptureOutage(reason: $0.error, newestReason: $0.newest, since: $0.since, attempts: $0.attempts)
        }
    }

    /// - Parameters:
    ///   - dev: The directory of the system's devices.
    ///   - makeWatch: Begins to watch what `default` means; `nil` where it is not followed.
    ///   - open: Opens what the device's name means at that moment.
    /// - Throws: What `open` and `makeWatch` throw.
    init(
        recovery: Recovery, environment: CaptureEnvironment, dev: String,
        makeWatch: (() throws(AudioError) -> DeviceWatch)?, open: @escaping Opening
    ) throws(AudioError) {
        self.recovery = recovery
        self.environment = environment
        self.dev = dev
        self.makeWatch = makeWatch
        self.open = open
        // Watched before it is opened: what changes in between is seen.
        watch = try makeWatch?()
        if let watch { watched.watch(watch.descriptor, at: 0) }
        let stream = try open()
        report = stream.report
        self.stream = stream
    }

    func start() throws(AudioError) {
        try stream?.start()
        endOfFrames = clock.now
    }

    func close() {
        closeStream()
        watch?.end()
    }

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        guard failure == nil else { return }
        guard let stream else { return waitForDevice(orFor: wakeUp) }
        do throws(AudioError) {
            try stream.wait(orFor: watch == nil ? wakeUp : try eitherOf(wakeUp))
        } catch {
            try note(error)
        }
    }

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        if let failure { throw failure }
        guard let stream else { return tellsGap ? .gap(gap(until: clock.now)) : attempt() }
        let result: CaptureRead
        do throws(AudioError) {
            result = try stream.read(into: &buffer)
        } catch {
            try note(error)
            return .nothing
        }
        switch result {
        case .frames(let count, let captureTime):
            // Another device's stamps may reach back before the gap.
            newestCaptureTime = max(captureTime, newestCaptureTime)
            endOfFrames = newestCaptureTime.advanced(byNanoseconds: report.format.nanoseconds(ofFrames: count))
            return .frames(count, captureTime: newestCaptureTime)
        case .lost(let loss), .reopened(let loss):
            endOfFrames = endOfFrames.advanced(byNanoseconds: report.format.nanoseconds(ofFrames: loss.frames))
        case .nothing: if hasDefaultChanged() { return follow() }
        case .ended: break
        }
        return result
    }

    private var clock: any AudioClock { environment.clock }

    private func closeStream() {
        guard let stream else { return }
        newestTiming = stream.timing
        stream.close()
        self.stream = nil
    }

    /// The frames due since the last ones, by the clock.
    ///
    /// - Parameter end: When a device was started, which tells of what it loses from then on.
    private func gap(until end: MonotonicInstant) -> AudioLoss {
        tellsGap = false
        let missing = report.format.frameCount(in: endOfFrames.duration(to: end))
        endOfFrames = max(endOfFrames, end)
        return AudioLoss(frames: max(0, missing), cause: .deviceGap, isExact: false)
    }

    // MARK: A device that went away

    /// Closes a device that is of no use any more.
    ///
    /// - Throws: What ends the capture.
    private func note(_ error: AudioError) throws(AudioError) {
        if case .fail(let error) = recovery.handle(.lost(error)) { throw error }
        closeStream()
        folder = try? DeviceFolder(dev: dev)
        log(.warning, "the device is lost: it is opened again when it is back", "\(error)")
    }

    private func waitForDevice(orFor wakeUp: CaptureWakeUp) {
        var wanted = DescriptorSet(count: 2)
        wanted.watch(wakeUp.descriptor, at: 0)
        wanted.watch(folder?.noticing ?? -1, at: 1)
        _ = clock.wait(for: wanted, until: recovery.machine.nextAttempt)
        // Who wakes us takes what there is.
        if wanted.isReady(at: 0) { tellsGap = true }
        if wanted.isReady(at: 1), (try? folder?.hasNoticed()) ?? false { _ = recovery.handle(.devicesChanged) }
    }

    /// Opens the device again, if it is time.
    private func attempt() -> CaptureRead {
        guard recovery.handle(.tick) == .open else { return .nothing }
        do throws(AudioError) {
            // What `default` means is looked at now: earlier changes are none any more.
            try watchAnew()
            let start = try replaceStream()
            _ = recovery.handle(.opened)
            folder = nil
            log(.notice, "the device is back", "\(report)")
            return .reopened(gap(until: start))
        } catch {
            guard case .fail(let error) = recovery.handle(.openFailed(error)) else { return .nothing }
            failure = error
            return .gap(gap(until: clock.now))
        }
    }

    /// Goes on with what the device's name means now; where that does not open, with what there is.
    ///
    /// - Returns: When it was started.
    private func replaceStream() throws(AudioError) -> MonotonicInstant {
        let next = try open()
        do throws(AudioError) {
            try next.start(isAfterGap: true)
        } catch {
            next.close()
            throw error
        }
        let start = clock.now
        closeStream()
        stream = next
        report = next.report
        return start
    }

    // MARK: Another default

    /// The waker, and changes among the cards, as one descriptor.
    private func eitherOf(_ wakeUp: CaptureWakeUp) throws(AudioError) -> CaptureWakeUp {
        if let either, either.wakeUp == wakeUp.descriptor { return CaptureWakeUp(descriptor: either.set.descriptor) }
        let set = try ReadableAny()
        try set.watch(wakeUp.descriptor)
        if let watch { try set.watch(watch.descriptor) }
        either = (wakeUp.descriptor, set)
        return CaptureWakeUp(descriptor: set.descriptor)
    }

    private func watchAnew() throws(AudioError) {
        guard let makeWatch else { return }
        watch?.end()
        either = nil
        lookAt = nil
        let next = try makeWatch()
        watched.watch(next.descriptor, at: 0)
        watch = next
    }

    private func hasDefaultChanged() -> Bool {
        guard let watch else { return false }
        guard watched.poll(nanoseconds: 0) > 0 || lookAt.map({ $0 <= clock.now }) ?? false else { return false }
        var hasChanged = false
        while let (change, lookAt) = try? watch.look() {
            self.lookAt = lookAt
            guard let change else { break }
            if case .defaultChanged(let device) = change { hasChanged = device != .nothing }
        }
        return hasChanged
    }

    /// Goes on with what `default` means now: it is opened and started before the present device is closed.
    private func follow() -> CaptureRead {
        do throws(AudioError) {
            let start = try replaceStream()
            log(.notice, "the default device is another one: going on with it", "\(report)")
            return .reopened(gap(until: start))
        } catch {
            log(.warning, "the default device is another one, which cannot be captured from", "\(error)")
            return .nothing
        }
    }

    private func log(_ level: AudioLogLevel, _ message: String, _ detail: String) {
        environment.logSink.log(
            level: level, message: message, metadata: ["device": report.source, "detail": detail],
            source: "VoiceAudio")
    }
}

extension CaptureRead {
    /// A loss, if there is one.
    fileprivate static func gap(_ loss: AudioLoss) -> CaptureRead { loss.frames > 0 ? .lost(loss) : .nothing }
}
