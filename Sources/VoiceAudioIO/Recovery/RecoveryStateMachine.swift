import VoiceAudioCore

/// What a capture does about its device's troubles, as a pure value: events go in, the action to perform comes out.
///
/// There is one machine for all of them, from an overrun to a card that was pulled out, so that no recovery runs within
/// another. What was tried counts until a frame comes, whatever was tried in between: so nothing goes on for ever.
struct RecoveryStateMachine: Equatable {
    /// What happened since the last frame on a device that is open.
    struct Trouble: Equatable {
        /// Stops that it was started again after.
        var restarts = 0
        /// Waits that ended with an error and brought nothing.
        var failedWaits = 0
        /// Since the first suspension, however often it seemed to be over: some drivers say that they resumed, and did not.
        var suspendedSince: MonotonicInstant?
        var isSuspended = false
        var stalledSince: MonotonicInstant?
        /// Restarts because it delivered nothing.
        var stallRestarts = 0
    }

    /// The time without a device, from its loss to the first frame after.
    struct Outage: Equatable {
        /// What began it.
        var error: AudioError
        /// What ended the newest attempt.
        var newest: AudioError?
        var since: MonotonicInstant
        /// Attempts to open the device, the successful ones included.
        var attempts = 0
        /// Attempts since a sound card came: the pauses go by them.
        var recentAttempts = 0
        var nextAttempt: MonotonicInstant
    }

    enum State: Equatable {
        /// Frames come. Exits: a trouble → troubled; `lost` → waiting, or lost.
        case flowing
        /// The device is open, and something happened that it may get over. Exits: `frames` → flowing; `lost`, and too many
        /// troubles → waiting, or lost.
        case troubled(Trouble)
        /// The device is closed, and opened again when the time has come. Exits: `opened` → reopened; `openFailed` at the
        /// budget's end → lost.
        case waiting(Outage)
        /// The device is open again, and no frame has come yet. Exits: `frames` → flowing; `lost`, and too many troubles →
        /// waiting, or at the budget's end lost.
        case reopened(Outage, Trouble)
        /// No exits.
        case lost(AudioError)
    }

    enum Event: Equatable {
        case frames
        /// The stream stopped, by an overrun as it says.
        case overrun
        case suspended
        /// What the device answered when it was asked to resume: it did, it will, it cannot.
        case resumed, resumeLater, resumeRefused
        /// It was started afresh.
        case restarted
        /// A wait ended with an error that says nothing more.
        case waitFailed
        /// Nothing came since then; a device of this kind is given so long before something is tried.
        case stalled(since: MonotonicInstant, patience: Duration)
        /// The device is gone, or of no use any more.
        case lost(AudioError)
        /// A sound card came, or became another.
        case devicesChanged
        /// Time has passed.
        case tick
        case opened
        case openFailed(AudioError)
    }

    enum Action: Equatable {
        case none
        /// Start the stream again.
        case restart
        /// Ask the suspended device to go on.
        case resume
        /// The device is of no use: report it as `lost`.
        case giveUp
        /// Close the device; open it again at ``RecoveryStateMachine/nextAttempt``.
        case close
        /// Open the device.
        case open
        /// End the capture with this.
        case fail(AudioError)
    }

    /// Stops in a row after which the device counts as lost. Plugins that lost theirs answer with overruns for ever.
    static let restartLimit = 10
    /// Waits in a row that end with an error, after which it does.
    static let failedWaitLimit = 50
    /// How long a suspended device may take to resume before it is started afresh.
    static let resumeLimit = Duration.seconds(5)
    /// Restarts of a device that delivers nothing, each after twice the time, before it is opened anew.
    static let stallRestartLimit = 3

    let policy: RecoveryPolicy
    private(set) var state = State.flowing

    init(policy: RecoveryPolicy) { self.policy = policy }

    mutating func handle(_ event: Event, at now: MonotonicInstant) -> Action {
        switch event {
        case .frames: return frames()
        case .overrun: return restart()
        case .suspended: return suspended(at: now)
        case .resumed: return note { $0.isSuspended = false }
        case .resumeLater: return .none
        case .resumeRefused: return restart()
        case .restarted: return restarted()
        case .waitFailed: return waitFailed()
        case .stalled(let since, let patience): return stalled(since: since, patience: patience, at: now)
        case .lost(let error): return lost(error, at: now)
        case .devicesChanged: return devicesChanged(at: now)
        case .tick: return tick(at: now)
        case .opened: return opened()
        case .openFailed(let error): return openFailed(error, at: now)
        }
    }

    /// When to open the device again; `nil` while it is open, or given up.
    var nextAttempt: MonotonicInstant? {
        switch state {
        case .waiting(let outage): outage.nextAttempt
        case .flowing, .troubled, .reopened, .lost: nil
        }
    }

    /// The time without frames that lasts; `nil` while there is none.
    var outage: Outage? {
        switch state {
        case .waiting(let outage), .reopened(let outage, _): outage
        case .flowing, .troubled, .lost: nil
        }
    }

    // MARK: The device is open

    private mutating func frames() -> Action {
        switch state {
        case .flowing, .waiting, .lost: break
        case .troubled, .reopened: state = .flowing
        }
        return .none
    }

    /// Notes a trouble, where the device is open.
    private mutating func note(_ change: (inout Trouble) -> Void) -> Action {
        switch state {
        case .flowing:
            var trouble = Trouble()
            change(&trouble)
            state = .troubled(trouble)
        case .troubled(var trouble):
            change(&trouble)
            state = .troubled(trouble)
        case .reopened(let outage, var trouble):
            change(&trouble)
            state = .reopened(outage, trouble)
        case .waiting, .lost: break
        }
        return .none
    }

    private var trouble: Trouble {
        switch state {
        case .troubled(let trouble), .reopened(_, let trouble): trouble
        case .flowing, .waiting, .lost: Trouble()
        }
    }

    private mutating func restart() -> Action {
        _ = note { $0.restarts += 1 }
        return trouble.restarts > Self.restartLimit ? .giveUp : .restart
    }

    private mutating func suspended(at now: MonotonicInstant) -> Action {
        _ = note {
            $0.suspendedSince = $0.suspendedSince ?? now
            $0.isSuspended = true
        }
        guard let since = trouble.suspendedSince, since.duration(to: now) >= Self.resumeLimit else { return .resume }
        return restart()
    }

    private mutating func restarted() -> Action {
        note {
            $0.suspendedSince = nil
            $0.isSuspended = false
        }
    }

    private mutating func waitFailed() -> Action {
        _ = note { $0.failedWaits += 1 }
        return trouble.failedWaits >= Self.failedWaitLimit ? .giveUp : .none
    }

    /// A stall is not a loss: nothing fails because of it, and no budget runs.
    private mutating func stalled(since: MonotonicInstant, patience: Duration, at now: MonotonicInstant) -> Action {
        // A suspended device owes nothing.
        guard !trouble.isSuspended else { return .none }
        _ = note { $0.stalledSince = $0.stalledSince ?? since }
        guard let begin = trouble.stalledSince else { return .none }
        let count = min(trouble.stallRestarts, Self.stallRestartLimit)
        guard begin.duration(to: now) >= patience * (2 << count - 1) else { return .none }
        guard count == Self.stallRestartLimit else {
            _ = note { $0.stallRestarts += 1 }
            return .restart
        }
        switch policy {
        case .fail: return .none
        case .reconnect: return .giveUp
        }
    }

    // MARK: The device is gone

    private mutating func lost(_ error: AudioError, at now: MonotonicInstant) -> Action {
        guard case .reconnect(let budget, let backoff) = policy else { return fail(error) }
        switch state {
        case .flowing, .troubled:
            let next = now.advanced(by: backoff.pause(afterAttempts: 0))
            state = .waiting(Outage(error: error, since: now, nextAttempt: next))
            return .close
        case .reopened(var outage, _):
            outage.newest = error
            return wait(for: outage, budget, backoff, at: now)
        case .waiting: return .close
        case .lost(let error): return .fail(error)
        }
    }

    private mutating func openFailed(_ error: AudioError, at now: MonotonicInstant) -> Action {
        guard case .reconnect(let budget, let backoff) = policy, case .waiting(var outage) = state else { return .none }
        outage.attempts += 1
        outage.recentAttempts += 1
        outage.newest = error
        return wait(for: outage, budget, backoff, at: now)
    }

    /// Waits for the next attempt, of which the last is made when the budget ends.
    private mutating func wait(
        for outage: Outage, _ budget: Duration, _ backoff: RecoveryBackoff, at now: MonotonicInstant
    ) -> Action {
        let end = outage.since.advanced(by: budget)
        guard now < end else { return fail(outage.exhausted(budget)) }
        var outage = outage
        outage.nextAttempt = min(end, now.advanced(by: backoff.pause(afterAttempts: outage.recentAttempts)))
        state = .waiting(outage)
        return .close
    }

    private mutating func fail(_ error: AudioError) -> Action {
        state = .lost(error)
        return .fail(error)
    }

    /// A card's nodes appear one after the other, and may be opened only when udev has seen them.
    private mutating func devicesChanged(at now: MonotonicInstant) -> Action {
        guard case .reconnect(_, let backoff) = policy, case .waiting(var outage) = state else { return .none }
        outage.recentAttempts = 0
        outage.nextAttempt = min(outage.nextAttempt, now.advanced(by: backoff.pause(afterAttempts: 0)))
        state = .waiting(outage)
        return .none
    }

    private func tick(at now: MonotonicInstant) -> Action {
        guard let nextAttempt, now >= nextAttempt else { return .none }
        return .open
    }

    private mutating func opened() -> Action {
        guard case .waiting(var outage) = state else { return .none }
        outage.attempts += 1
        outage.recentAttempts += 1
        state = .reopened(outage, Trouble())
        return .none
    }
}

extension RecoveryStateMachine.Outage {
    /// What a capture fails with whose device did not come back in time.
    fileprivate func exhausted(_ budget: Duration) -> AudioError {
        let newest = newest.map { ", the newest of which: \($0.message)" } ?? ""
        return AudioError(
            .deviceLost, "\(error.message); no frame came within \(budget) and \(attempts) attempts\(newest)",
            status: error.status)
    }
}

/// The machine of one capture, which its streams share one after the other. Used by the capture thread alone.
final class Recovery {
    private(set) var machine: RecoveryStateMachine
    /// Whether frames come, which is asked at each read: to look into the machine copies it.
    private(set) var isFlowing = true
    private let clock: any AudioClock

    init(policy: RecoveryPolicy, clock: any AudioClock) {
        machine = RecoveryStateMachine(policy: policy)
        self.clock = clock
    }

    func handle(_ event: RecoveryStateMachine.Event) -> RecoveryStateMachine.Action {
        handle(event, at: clock.now)
    }

    /// Frames came: no clock is asked, and nothing changes while they flow.
    func noteFrames() { if !isFlowing { _ = handle(.frames, at: MonotonicInstant(nanoseconds: 0)) } }

    private func handle(
        _ event: RecoveryStateMachine.Event, at now: MonotonicInstant
    ) -> RecoveryStateMachine.Action {
        defer { isFlowing = machine.state == .flowing }
        return machine.handle(event, at: now)
    }
}
