public import VoiceAudioCore

/// Tells each change of a capture's health, beginning with how it is when first asked.
///
/// Who asks late gets the newest, not all that were in between. It ends with the capture, and in a fork of the process.
///
/// > Concurrency: Safe from any thread; several readers share the changes.
///
/// > Real-time: Not safe: takes locks, and waits.
public final class HealthWatch: Sendable {
    private struct State: Sendable {
        var told: HealthStatus?
        /// When a stall was to be looked for.
        var looksAt: MonotonicInstant?
        /// Until when a stall is not believed, as this process was kept waiting.
        var doubtsUntil: MonotonicInstant?
    }

    private let board: HealthBoard
    private let clock: any AudioClock
    private let wakeUp: WakeUp
    private let timer: TimerDescriptor
    private let any: ReadableAny
    private let state = Lock(State())
    private let owner = OwningProcess()

    /// - Throws: `limitReached`, or `outOfResources`.
    package init(_ board: HealthBoard, clock: any AudioClock) throws(AudioError) {
        self.board = board
        self.clock = clock
        wakeUp = try WakeUp()
        timer = try TimerDescriptor()
        any = try ReadableAny()
        try any.watch(wakeUp.descriptor)
        try any.watch(timer.descriptor)
        try board.add(wakeUp)
        // The first look is due at once.
        wakeUp.signal()
    }

    deinit { if owner.isCurrent { board.remove(wakeUp) } }

    /// Readable when there may be a change: then call ``next(timeout:)`` with `.zero`. Not to be read or closed.
    public var descriptor: Int32 { any.descriptor }

    /// The next change.
    ///
    /// - Parameter timeout: Longest wait; `.zero` polls, `nil` waits for ever.
    /// - Returns: How the capture fares now; `nil` once it is over.
    /// - Throws: ``AudioError`` with code `timedOut`.
    public func next(timeout: Duration? = nil) throws(AudioError) -> HealthStatus? {
        let deadline = timeout.map { clock.now.advanced(by: $0) }
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(wakeUp.descriptor, at: 0)
        while true {
            let (change, looksAt, isOver) = look()
            if let change { return change }
            if isOver { return nil }
            if let deadline, clock.now >= deadline {
                throw AudioError(.timedOut, "the health did not change within \(timeout ?? .zero)")
            }
            _ = clock.wait(for: descriptors, until: [looksAt, deadline].compactMap(\.self).min())
        }
    }

    /// A change that was not told yet; when to look again without any sign; whether there will be none.
    func look() -> (change: HealthStatus?, looksAt: MonotonicInstant?, isOver: Bool) {
        // A fork has the lock as it was, held perhaps by a thread that is not there.
        guard owner.isCurrent else { return (nil, nil, true) }
        return state.withLock { state in
            wakeUp.clear()
            let now = clock.now
            let found = board.look(at: now)
            var looksAt = found.stallsAt?.advanced(by: .milliseconds(1))
            var change: HealthStatus?
            if let planned = state.looksAt, now > planned.advanced(by: Self.grace) {
                // This process was kept waiting, and the capture thread with it: it may find frames in a moment.
                state.doubtsUntil = now.advanced(by: Self.grace)
            }
            if found.status?.health == .stalled, let doubtsUntil = state.doubtsUntil, now < doubtsUntil {
                looksAt = doubtsUntil
            } else if let status = found.status, status.isNews(after: state.told) {
                state.told = status
                change = status
            }
            state.looksAt = looksAt
            timer.set(to: looksAt.map { now.duration(to: $0) })
            return (change, looksAt, found.isOver)
        }
    }

    private static let grace = Duration.milliseconds(20)
}

extension HealthStatus {
    /// Whether who was told `other` is to be told this: another health, or a second trouble of the same kind.
    fileprivate func isNews(after other: HealthStatus?) -> Bool {
        health != other?.health || (health != .flowing && since != other?.since)
    }
}
