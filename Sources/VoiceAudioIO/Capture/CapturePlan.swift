import Glibc
import VoiceAudioCore

/// All that a capture begins with.
package struct CapturePlan: Sendable {
    package var source: any CaptureSource
    package var request: CaptureRequest
    package var environment: CaptureEnvironment
    package var subscribers: SubscriberTable
    package var health: HealthBoard
    /// `SCHED_FIFO` priority of the capture's thread; 0 leaves it as it is.
    package var realtimePriority: Int

    package init(
        source: any CaptureSource, request: CaptureRequest, environment: CaptureEnvironment = CaptureEnvironment(),
        subscribers: SubscriberTable = SubscriberTable(), health: HealthBoard = HealthBoard(),
        realtimePriority: Int = 0
    ) {
        self.source = source
        self.request = request
        self.environment = environment
        self.subscribers = subscribers
        self.health = health
        self.realtimePriority = realtimePriority
    }

    /// Starts an open stream's flow of frames; where that fails, closes it.
    ///
    /// - Throws: What the stream throws; `unsupportedFormat` where it gives another one than asked for.
    func start(
        _ stream: any CaptureStream, history: consuming BoundedAudioBuffer.Producer, control: CaptureControl
    ) throws(AudioError) -> CaptureLoop {
        do throws(AudioError) {
            // Frames of another shape would be taken for what they are not.
            guard stream.report.format == request.format else {
                throw AudioError(
                    .unsupportedFormat,
                    "\"\(source.name)\" gives \(stream.report.format) where \(request.format) was asked for: "
                        + "set what it gives")
            }
            var loop = CaptureLoop(
                stream: stream, history: history, request: request, control: control, subscribers: subscribers,
                health: health, clock: environment.clock)
            try loop.start()
            return loop
        } catch {
            stream.close()
            throw error
        }
    }

    /// Asks for SCHED_FIFO for the calling thread where the settings do.
    ///
    /// - Returns: Why it does not run so; `nil` where it does, or nobody asked.
    func takePriority() -> AudioError? {
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

/// What a capture's thread is started with.
final class CaptureThreadStart: @unchecked Sendable {
    private let plan: CapturePlan
    private let control: CaptureControl
    // Taken once, by the thread.
    private var history: BoundedAudioBuffer.Producer?

    init(_ plan: CapturePlan, control: CaptureControl, history: consuming BoundedAudioBuffer.Producer) {
        self.plan = plan
        self.control = control
        self.history = consume history
    }

    /// The capture thread, from its start to its end.
    func run(opening: CaptureOpening, outcome: Lock<Capture.Outcome>) {
        guard let history = history.take() else { return }
        var loop: CaptureLoop
        do throws(AudioError) {
            loop = try plan.start(
                try plan.source.open(plan.request, in: plan.environment), history: history, control: control)
        } catch {
            _ = opening.done(.failure(error))
            return
        }
        let refusal = plan.takePriority()
        guard opening.done(.success(CaptureOpening.Opened(report: loop.report, priorityRefusal: refusal))) else {
            // It opened too late: nobody is there to end this capture.
            return loop.close()
        }
        var failure: AudioError?
        do throws(AudioError) { try loop.run() } catch { failure = error }
        loop.end(because: failure, outcome: outcome)
    }
}
