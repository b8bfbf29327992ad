import Glibc
import VoiceAudioCore

extension ALSAStream {
    /// What an answer other than frames means for the stream.
    func stopped(_ status: Int32, _ operation: ALSAOperation) throws(AudioError) -> CaptureRead {
        available = nil
        switch -status {
        case 0, EAGAIN, EINTR: return .nothing
        case EPIPE: return try recover(from: .overrun, losing: .deviceOverrun)
        case ESTRPIPE: return try recover(from: .suspended, losing: .deviceGap)
        case ENODEV, EBADFD: throw error(status, operation)
        default:
            switch calls.state(handle) {
            case .disconnected: throw error(-ENODEV, operation)
            case .xrun: return try recover(from: .overrun, losing: .deviceOverrun)
            case .suspended: return try recover(from: .suspended, losing: .deviceGap)
            // The pulse plugin answers so where nothing is wrong any more.
            case .running where -status == EIO:
                _ = calls.drop(handle)
                return try recover(from: .overrun, losing: .deviceGap)
            default: throw error(status, operation)
            }
        }
    }

    /// Does what is to be done about an event.
    func recover(
        from event: RecoveryStateMachine.Event, losing cause: AudioLoss.Cause
    ) throws(AudioError) -> CaptureRead {
        switch recovery.handle(event) {
        case .restart: return try restart(after: cause)
        case .resume: return try resume()
        case .giveUp:
            let limit = RecoveryStateMachine.restartLimit
            throw lost("stopped \(limit) times in a row without delivering a frame", -EPIPE)
        case .none, .close, .open, .fail: return .nothing
        }
    }

    /// Starts a stream again that delivers nothing, unless something came at last.
    func restartStalled() throws(AudioError) -> CaptureRead {
        isStalled = false
        guard framesWaiting == 0 else { return .nothing }
        _ = calls.drop(handle)
        return try restart(after: .deviceGap)
    }

    /// Starts the stream again, and tells what the stop cost.
    private func restart(after cause: AudioLoss.Cause) throws(AudioError) -> CaptureRead {
        // Right after a resume a start may answer once with an overrun of its own.
        var status = prepareAndStart()
        if status == -EPIPE { status = prepareAndStart() }
        // The next read goes on from there; what is lost meanwhile is counted then.
        if status == -EPIPE || status == -ESTRPIPE { return .nothing }
        guard status >= 0 else { throw error(status, .recover) }
        _ = recovery.handle(.restarted)
        framesBeforeGap = nil
        return lossUntilNow(cause)
    }

    private func prepareAndStart() -> Int32 {
        let status = calls.prepare(handle)
        return status < 0 ? status : calls.start(handle)
    }

    /// Asks a suspended device to go on; until it can, there is nothing to read.
    private func resume() throws(AudioError) -> CaptureRead {
        let waiting = framesWaiting
        let status = calls.resume(handle)
        guard status >= 0 else {
            return try recover(from: status == -EAGAIN ? .resumeLater : .resumeRefused, losing: .deviceGap)
        }
        _ = recovery.handle(.resumed)
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
        let lost = max(due - kept, deficit.missing(frames: position + kept, at: now))
        available = nil
        isAfterGap = true
        drift.restart()
        deficit.restart()
        endOfFrames = MonotonicInstant(nanoseconds: now.nanoseconds - nanoseconds(ofFrames: kept))
        return lose(lost, cause, isExact: false)
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
