import Glibc
import VoiceAudioCore

/// Whether a capture opened, and whether anybody still wants to know: what its thread and its owner share.
final class CaptureOpening: Sendable {
    /// What an owner is told.
    struct Opened {
        var report: CaptureReport
        var priorityRefusal: AudioError?
    }

    private enum State {
        case pending
        case done(Result<Opened, AudioError>)
        /// Nobody waits for it any more.
        case givenUp(AudioError)
    }

    private let state = Lock(State.pending)
    private let latch: WakeUp

    /// - Parameter latch: Is signalled when it is done.
    init(latch: WakeUp) { self.latch = latch }

    /// Tells how the opening went. Answers whether somebody still wants to know.
    func done(_ result: Result<Opened, AudioError>) -> Bool {
        let isWanted = state.withLock { state in
            guard case .pending = state else { return false }
            state = .done(result)
            return true
        }
        latch.signal()
        return isWanted
    }

    /// Whether the opening is done, and failed.
    var hasFailed: Bool {
        state.withLock { state in if case .done(.failure) = state { true } else { false } }
    }

    /// Waits until it is done.
    ///
    /// - Throws: What the opening failed with; `timedOut`, or `cancelled` where `abort` was signalled.
    func wait(
        by deadline: MonotonicInstant, clock: any AudioClock, abort: WakeUp, sourceName: String
    ) throws(AudioError) -> Opened {
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(latch.descriptor, at: 0)
        descriptors.watch(abort.descriptor, at: 1)
        while true {
            _ = clock.wait(for: descriptors, until: deadline)
            if case .done(let result) = state.withLock({ $0 }) { return try result.get() }
            if descriptors.isReady(at: 1) {
                return try giveUp(
                    because: AudioError(.cancelled, "opening \"\(sourceName)\" was given up because of a clean-up"))
            }
            if clock.now >= deadline {
                return try giveUp(
                    because: AudioError(
                        .timedOut, "\"\(sourceName)\" did not open in time: the driver or sound server does not answer")
                )
            }
        }
    }

    /// Gives the opening up, if it is not done already.
    ///
    /// - Throws: `error`, or what the opening failed with.
    private func giveUp(because error: AudioError) throws(AudioError) -> Opened {
        try state.withLock { (state) throws(AudioError) in
            if case .done(let result) = state { return try result.get() }
            state = .givenUp(error)
            throw error
        }
    }
}
