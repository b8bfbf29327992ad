import Glibc
import VoiceAudioCore

extension ALSAStream {
    /// Stops in a row, without a frame between, after which the device counts as lost. Plugins that lose their device
    /// answer with overruns for ever.
    private static let recoveryLimit = 10
    /// How long a suspended device may take to resume before it is started afresh.
    private static let resumeLimit = Duration.seconds(5)

    /// What an answer other than frames means for the stream.
    func stopped(_ status: Int32, _ operation: ALSAOperation) throws(AudioError) -> CaptureRead {
        available = nil
        switch -status {
        case 0, EAGAIN, EINTR: return .nothing
        case EPIPE: return try restart(after: .deviceOverrun)
        case ESTRPIPE: return try resume()
        case ENODEV, EBADFD: throw error(status, operation)
        default:
            switch calls.state(handle) {
            case .disconnected: throw error(-ENODEV, operation)
            case .xrun: return try restart(after: .deviceOverrun)
            case .suspended: return try resume()
            default: throw error(status, operation)
            }
        }
    }

    /// Starts the stream again after it stopped, and tells what that cost.
    func restart(after cause: AudioLoss.Cause) throws(AudioError) -> CaptureRead {
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
        framesBeforeGap = nil
        return lossUntilNow(cause)
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
        let waiting = framesWaiting
        let status = calls.resume(handle)
        if status == -EAGAIN, since.duration(to: now) < Self.resumeLimit { return .nothing }
        guard status >= 0 else { return try restart(after: .deviceGap) }
        suspendedSince = nil
        framesBeforeGap = waiting
        return waiting > 0 ? .nothing : tellGap()
    }

    /// The gap between what was captured before it and what comes now.
    func tellGap() -> CaptureRead {
        framesBeforeGap = nil
        return lossUntilNow(.deviceGap)
    }

    /// The frames due since the last ones and never to come, by the clock: all but those that wait again by now.
    private func lossUntilNow(_ cause: AudioLoss.Cause) -> CaptureRead {
        let (waiting, now) = waitingNow()
        let due = max(0, frames(from: endOfFrames, to: now))
        let kept = min(max(0, waiting), due)
        available = nil
        isAfterGap = true
        drift.restart()
        deficit.restart()
        endOfFrames = MonotonicInstant(nanoseconds: now.nanoseconds - nanoseconds(ofFrames: kept))
        return lose(due - kept, cause, isExact: false)
    }

    /// What the device took to begin again, once its first frames are there.
    func restOfGap() -> CaptureRead? {
        let (waiting, now) = waitingNow()
        guard waiting > 0 else { return nil }
        isAfterGap = false
        if report.countsLossExactly { available = waiting }
        let rest = frames(from: endOfFrames, to: now) - waiting
        guard rest > 0 else { return nil }
        endOfFrames = MonotonicInstant(nanoseconds: now.nanoseconds - nanoseconds(ofFrames: waiting))
        return lose(rest, .deviceGap, isExact: false)
    }

    /// The frames that wait, and when they did: asked again where this thread was kept waiting between the two.
    private func waitingNow() -> (frames: Int, now: MonotonicInstant) {
        var answer = (frames: 0, now: clock.now)
        for _ in 0..<3 {
            answer.frames = calls.avail(handle)
            let begin = answer.now
            answer.now = clock.now
            if begin.duration(to: answer.now) < .milliseconds(1) { break }
        }
        return answer
    }
}
