import VoiceAudioCore

/// Captures from `default`, and goes on with another card when `default` comes to mean that.
///
/// The next device is opened and started before the present one is closed; between them lies a gap, told by the clock.
/// Where the present one went away, the next has a second to be there.
final class FollowingStream: CaptureStream {
    private static let patience = Duration.seconds(1)
    private static let pace = Duration.milliseconds(100)

    private let open: () throws(AudioError) -> any CaptureStream
    private let clock: any AudioClock
    private let logSink: any AudioLogSink
    private let watch: DeviceWatch
    private var watched = DescriptorSet(count: 1)
    /// When changes that were noticed will have settled.
    private var lookAt: MonotonicInstant?
    private var either: (wakeUp: Int32, set: ReadableAny)?

    private var stream: any CaptureStream
    /// What the present device died of, and until when another may take its place.
    private var loss: (error: AudioError, until: MonotonicInstant)?
    private var endOfFrames = MonotonicInstant(nanoseconds: 0)

    var report: CaptureReport { stream.report }
    var timing: CaptureTiming { stream.timing }

    /// - Parameter open: Opens what `default` means at that moment.
    init(
        watch: DeviceWatch, environment: CaptureEnvironment, open: @escaping () throws(AudioError) -> any CaptureStream
    ) throws(AudioError) {
        self.watch = watch
        self.open = open
        clock = environment.clock
        logSink = environment.logSink
        watched.watch(watch.descriptor, at: 0)
        stream = try open()
    }

    func start() throws(AudioError) {
        try stream.start()
        endOfFrames = clock.now
    }

    func close() {
        stream.close()
        watch.end()
    }

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        guard loss == nil else {
            var wanted = DescriptorSet(count: 1)
            wanted.watch(wakeUp.descriptor, at: 0)
            _ = clock.wait(for: wanted, until: clock.now.advanced(by: Self.pace))
            return
        }
        let set: ReadableAny
        if let either, either.wakeUp == wakeUp.descriptor {
            set = either.set
        } else {
            set = try ReadableAny()
            try set.watch(wakeUp.descriptor)
            try set.watch(watch.descriptor)
            either = (wakeUp.descriptor, set)
        }
        do throws(AudioError) {
            try stream.wait(orFor: CaptureWakeUp(descriptor: set.descriptor))
        } catch {
            try note(error)
        }
    }

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        if let loss { return try replace(lost: loss) }
        let result: CaptureRead
        do throws(AudioError) {
            result = try stream.read(into: &buffer)
        } catch {
            try note(error)
            return .nothing
        }
        switch result {
        case .frames(let count, let captureTime): endOfFrames = captureTime.advanced(by: duration(of: count))
        case .lost(let loss), .reopened(let loss): endOfFrames = endOfFrames.advanced(by: duration(of: loss.frames))
        case .nothing: if hasDefaultChanged() { return follow() ?? .nothing }
        case .ended: break
        }
        return result
    }

    private func duration(of frames: Int) -> Duration { report.format.duration(ofFrames: frames) }

    // MARK: Another device

    /// A device that went away may have a successor.
    private func note(_ error: AudioError) throws(AudioError) {
        guard error.code == .deviceLost else { throw error }
        loss = (error, clock.now.advanced(by: Self.patience))
    }

    private func replace(lost: (error: AudioError, until: MonotonicInstant)) throws(AudioError) -> CaptureRead {
        if let result = follow() { return result }
        guard clock.now < lost.until else { throw lost.error }
        return .nothing
    }

    /// Whether the devices changed so that `default` is another one.
    private func hasDefaultChanged() -> Bool {
        guard watched.poll(nanoseconds: 0) > 0 || lookAt.map({ $0 <= clock.now }) ?? false else { return false }
        var hasChanged = false
        while let (change, lookAt) = try? watch.look() {
            self.lookAt = lookAt
            guard let change else { break }
            if case .defaultChanged(let device) = change { hasChanged = device != .nothing }
        }
        return hasChanged
    }

    /// Goes on with what `default` means now; `nil` where that does not open.
    private func follow() -> CaptureRead? {
        do throws(AudioError) {
            let next = try open()
            do throws(AudioError) { try next.start() } catch {
                next.close()
                throw error
            }
            let now = clock.now
            let missing = report.format.frameCount(in: endOfFrames.duration(to: now))
            endOfFrames = now
            stream.close()
            stream = next
            loss = nil
            log(.notice, "the default device is another one: going on with it", "\(next.report)")
            return .reopened(AudioLoss(frames: missing, cause: .deviceGap, isExact: false))
        } catch {
            log(.warning, "the default device is another one, which cannot be captured from", "\(error)")
            return nil
        }
    }

    private func log(_ level: AudioLogLevel, _ message: String, _ detail: String) {
        logSink.log(level: level, message: message, metadata: ["given": detail], source: "VoiceAudio")
    }
}
