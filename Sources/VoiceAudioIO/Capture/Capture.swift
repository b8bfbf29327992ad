import CLinux
import Glibc
import Synchronization
package import VoiceAudioCore

/// One run of a source: its thread, from opening to closing.
///
/// The thread opens, reads and closes the source, and nobody else touches it. A thread that does not come back in time
/// is left alone with all that it uses, and cleans up when its call returns.
package final class Capture: Sendable {
    /// How a capture stands.
    package enum Outcome: Sendable {
        case running
        /// The source came to its end, or the capture was stopped.
        case ended
        case failed(AudioError)
    }

    /// What the source really gives.
    package var report: CaptureReport { control.report.withLock { $0 } ?? openedReport }
    private let openedReport: CaptureReport
    package let control: CaptureControl
    /// Why the thread does not run with the priority asked for; `nil` where it does.
    package let priorityRefusal: AudioError?
    /// The capture thread.
    package let thread: WorkerThread
    private let shared: Shared
    private let clock: any AudioClock

    package var counters: CaptureCounters { control.counters }

    /// Opens the source on a thread of its own and waits until it runs.
    ///
    /// - Parameters:
    ///   - history: The ring to fill; its producer's end must be free, its chunk limit the request's chunk.
    ///   - abort: Gives up the wait when readable.
    ///   - abandon: Gets the thread where it is left to itself: it closes the source when its call returns at last.
    /// - Throws: What the source throws; `timedOut` or `cancelled` with the thread left to itself; `outOfResources`.
    package convenience init(
        source: any CaptureSource, request: CaptureRequest, environment: CaptureEnvironment,
        history: BoundedAudioBuffer, subscribers: SubscriberTable, health: HealthBoard, realtimePriority: Int,
        by deadline: MonotonicInstant, abort: WakeUp, abandon: (WorkerThread) -> Void
    ) throws(AudioError) {
        let shared = try Shared()
        let control = try CaptureControl()
        let start = Start(
            source: source, request: request, environment: environment, subscribers: subscribers,
            health: health, realtimePriority: realtimePriority, history: try history.takeProducer())
        let thread = try WorkerThread(name: "va-capture") { start.run(control: control, shared: shared) }
        let opened: Shared.Opened
        do throws(AudioError) {
            opened = try shared.waitUntilOpened(
                by: deadline, clock: environment.clock, abort: abort, sourceName: source.name)
        } catch {
            // What failed ends by itself; what hangs is left alone.
            let hasEnded = shared.hasFailed && thread.join(by: deadline, clock: environment.clock)
            if !hasEnded { abandon(thread) }
            throw error
        }
        self.init(opened: opened, control: control, shared: shared, thread: thread, clock: environment.clock)
    }

    private init(
        opened: Shared.Opened, control: CaptureControl, shared: Shared, thread: WorkerThread, clock: any AudioClock
    ) {
        openedReport = opened.report
        priorityRefusal = opened.priorityRefusal
        self.control = control
        self.shared = shared
        self.thread = thread
        self.clock = clock
    }

    /// How the capture stands now.
    package var outcome: Outcome { shared.outcome.withLock { $0 } }

    /// Stops and joins the thread.
    ///
    /// - Returns: Whether it ended by `deadline`. If not, it is left to itself.
    package func stop(by deadline: MonotonicInstant) -> Bool {
        control.requestStop()
        return thread.join(by: deadline, clock: clock)
    }

    /// Waits until the source is at its end or has failed.
    package func waitForEnd(by deadline: MonotonicInstant) -> Bool { thread.join(by: deadline, clock: clock) }

    /// Becomes readable at the source's end; for `poll`. Not to be read or closed.
    package var endDescriptor: Int32 { thread.endDescriptor }
}

extension Capture {
    /// What thread and owner share.
    fileprivate final class Shared: Sendable {
        struct Opened {
            var report: CaptureReport
            var priorityRefusal: AudioError?
        }

        private enum Opening {
            case pending
            case done(Result<Opened, AudioError>)
            /// Nobody waits for it any more.
            case givenUp(AudioError)
        }

        let outcome = Lock(Outcome.running)
        private let opening = Lock(Opening.pending)
        private let latch: WakeUp

        init() throws(AudioError) { latch = try WakeUp() }

        /// Tells how the opening went. Answers whether somebody still wants to know.
        func opened(_ result: Result<Opened, AudioError>) -> Bool {
            let isWanted = opening.withLock { opening in
                guard case .pending = opening else { return false }
                opening = .done(result)
                return true
            }
            latch.signal()
            return isWanted
        }

        /// Whether the opening is done, and failed.
        var hasFailed: Bool {
            opening.withLock { opening in if case .done(.failure) = opening { true } else { false } }
        }

        /// Gives the opening up, if it is not done already.
        ///
        /// - Throws: `error`, or what the opening failed with.
        private func giveUp(because error: AudioError) throws(AudioError) -> Opened {
            try opening.withLock { (opening) throws(AudioError) in
                if case .done(let result) = opening { return try result.get() }
                opening = .givenUp(error)
                throw error
            }
        }

        func waitUntilOpened(
            by deadline: MonotonicInstant, clock: any AudioClock, abort: WakeUp, sourceName: String
        ) throws(AudioError) -> Opened {
            var descriptors = DescriptorSet(count: 2)
            descriptors.watch(latch.descriptor, at: 0)
            descriptors.watch(abort.descriptor, at: 1)
            while true {
                _ = clock.wait(for: descriptors, until: deadline)
                if case .done(let result) = opening.withLock({ $0 }) { return try result.get() }
                if descriptors.isReady(at: 1) {
                    return try giveUp(
                        because: AudioError(
                            .cancelled, "opening \"\(sourceName)\" was given up because of a clean-up"))
                }
                if clock.now >= deadline {
                    return try giveUp(
                        because: AudioError(
                            .timedOut,
                            "\"\(sourceName)\" did not open in time: the driver or sound server does not answer"))
                }
            }
        }
    }

    /// What the thread starts with.
    fileprivate final class Start: @unchecked Sendable {
        let source: any CaptureSource
        let request: CaptureRequest
        let environment: CaptureEnvironment
        let subscribers: SubscriberTable
        let health: HealthBoard
        let realtimePriority: Int
        // Taken once, by the thread.
        private var history: BoundedAudioBuffer.Producer?

        init(
            source: any CaptureSource, request: CaptureRequest, environment: CaptureEnvironment,
            subscribers: SubscriberTable, health: HealthBoard, realtimePriority: Int,
            history: consuming BoundedAudioBuffer.Producer
        ) {
            self.source = source
            self.request = request
            self.environment = environment
            self.subscribers = subscribers
            self.health = health
            self.realtimePriority = realtimePriority
            self.history = consume history
        }

        /// The capture thread, from its start to its end.
        func run(control: CaptureControl, shared: Shared) {
            guard let history = history.take() else { return }
            let stream: any CaptureStream
            do throws(AudioError) {
                stream = try source.open(request, in: environment)
                // Frames of another shape would be taken for what they are not.
                guard stream.report.format == request.format else {
                    stream.close()
                    throw AudioError(
                        .unsupportedFormat,
                        "\"\(source.name)\" gives \(stream.report.format) where \(request.format) was asked for: "
                            + "set what it gives")
                }
            } catch {
                _ = shared.opened(.failure(error))
                return
            }
            let refusal = takePriority()
            guard shared.opened(.success(Shared.Opened(report: stream.report, priorityRefusal: refusal))) else {
                // It opened too late: nobody is there to end this capture.
                return stream.close()
            }
            var failure: AudioError?
            var loop = CaptureLoop(
                stream: stream, history: consume history, request: request, control: control,
                subscribers: subscribers, health: health, clock: environment.clock)
            do throws(AudioError) { try loop.run() } catch { failure = error }
            // Before closing, which may hang.
            shared.outcome.withLock { [failure] outcome in outcome = failure.map(Outcome.failed) ?? .ended }
            health.noteEnd(because: failure, at: environment.clock.now)
            subscribers.removeAll(because: failure)
            stream.close()
        }

        /// Asks for SCHED_FIFO where the settings do.
        private func takePriority() -> AudioError? {
            guard realtimePriority > 0 else { return nil }
            var parameters = sched_param(sched_priority: Int32(realtimePriority))
            // SAFETY: a local.
            let status = unsafe pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters)
            guard status != 0 else { return nil }
            return AudioError(
                .permissionDenied,
                "SCHED_FIFO priority \(realtimePriority) refused (\(AudioError.text(ofSystemStatus: status))): allow it with "
                    + "'rtprio' in /etc/security/limits.conf or LimitRTPRIO= in the systemd unit",
                status: status)
        }
    }
}
