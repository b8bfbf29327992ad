import VoiceAudioCore

/// Lets one operation through at a time; the others wait, but never beyond their deadline.
///
/// Not a lock held during the operation: an operation that hangs keeps nobody from giving up, and one that calls back
/// into its own processor gets `timedOut` instead of a deadlock.
final class OperationGate: Sendable {
    private struct Turn: Sendable {
        var isTaken = false
        var waiting: [WakeUp] = []
    }

    private let turn = Lock(Turn())
    private let lateness: @Sendable (_ name: String) -> String

    /// - Parameter lateness: What is said where an operation of that name was not begun in time.
    init(lateness: @escaping @Sendable (_ name: String) -> String) { self.lateness = lateness }

    /// Of a processor, whose operations are its calls.
    static func ofProcessor() -> OperationGate {
        OperationGate { "\($0) was not begun in time: another call on the same processor is at work" }
    }

    /// Runs `body` when it is its turn.
    ///
    /// - Throws: `timedOut`, `outOfResources`, or what `body` throws.
    func perform<Result>(
        _ name: String, by deadline: MonotonicInstant, clock: any AudioClock,
        _ body: () throws(AudioError) -> Result
    ) throws(AudioError) -> Result {
        try enter(name, by: deadline, clock: clock)
        defer { leave() }
        return try body()
    }

    private func enter(_ name: String, by deadline: MonotonicInstant, clock: any AudioClock) throws(AudioError) {
        if takeTurn(orWait: nil) { return }
        let wakeUp = try WakeUp()
        defer { turn.withLock { turn in turn.waiting.removeAll { $0 === wakeUp } } }
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(wakeUp.descriptor, at: 0)
        while !takeTurn(orWait: wakeUp) {
            if clock.now >= deadline {
                throw AudioError(.timedOut, lateness(name))
            }
            if clock.wait(for: descriptors, until: deadline) > 0 { wakeUp.clear() }
        }
    }

    private func takeTurn(orWait wakeUp: WakeUp?) -> Bool {
        turn.withLock { turn in
            if !turn.isTaken {
                turn.isTaken = true
                return true
            }
            if let wakeUp, !turn.waiting.contains(where: { $0 === wakeUp }) { turn.waiting.append(wakeUp) }
            return false
        }
    }

    private func leave() {
        turn.withLock { turn in
            turn.isTaken = false
            for wakeUp in turn.waiting { wakeUp.signal() }
        }
    }
}
