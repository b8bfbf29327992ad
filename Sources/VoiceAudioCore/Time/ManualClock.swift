/// A clock that a test moves by hand: time-outs, pace and expiry without sleeping.
///
/// Who waits on it really waits in `poll(2)`, until a descriptor is ready or the hand has reached the deadline.
///
/// ```swift
/// let clock = ManualClock()
/// // … start something that waits on `clock` …
/// #expect(clock.waitUntilWaiting())             // it waits now
/// clock.advance(by: .milliseconds(100))         // and goes on
/// ```
///
/// > Concurrency: Safe from any thread.
public final class ManualClock: AudioClock {
    private struct Waiter {
        let number: Int
        let deadline: MonotonicInstant?
        let wakeUp: WakeUp
    }

    private struct State {
        var now: MonotonicInstant
        /// Who waits; whoever's deadline the hand passes is taken out by the hand.
        var waiters: [Waiter] = []
        var waitsBegun = 0
        /// For use again, so that a wait allocates nothing once there were as many.
        var idle: [WakeUp] = []
        /// Who wants to know of each new waiter.
        var observers: [WakeUp] = []
    }

    private let state: Lock<State>

    /// - Parameter start: The first instant.
    public init(start: MonotonicInstant = MonotonicInstant(nanoseconds: 1_000_000_000)) {
        var state = State(now: start)
        state.waiters.reserveCapacity(16)
        state.idle.reserveCapacity(16)
        self.state = Lock(state)
    }

    public var now: MonotonicInstant { state.withLock { $0.now } }

    /// Waits begun so far, ended ones included.
    public var waitsBegun: Int { state.withLock { $0.waitsBegun } }

    /// Moves the hand, and wakes everyone whose deadline it reaches.
    ///
    /// - Parameter duration: How far; not negative: time does not run backwards.
    public func advance(by duration: Duration) {
        precondition(duration >= .zero, "a monotonic clock does not go back")
        state.withLock { state in
            state.now = state.now.advanced(by: duration)
            for waiter in state.waiters where Self.isDue(waiter.deadline, at: state.now) { waiter.wakeUp.signal() }
            state.waiters.removeAll { Self.isDue($0.deadline, at: state.now) }
        }
    }

    /// - Precondition: A descriptor for the waiter can be had.
    public func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int {
        let waiter = state.withLock { state -> Waiter? in
            guard !Self.isDue(deadline, at: state.now) else { return nil }
            state.waitsBegun += 1
            let waiter = Waiter(number: state.waitsBegun, deadline: deadline, wakeUp: Self.takeWakeUp(&state))
            state.waiters.append(waiter)
            for observer in state.observers { observer.signal() }
            return waiter
        }
        guard let waiter else { return descriptors.poll(nanoseconds: 0) }
        let ready = descriptors.poll(alsoFor: waiter.wakeUp.descriptor)
        state.withLock { state in
            state.waiters.removeAll { $0.number == waiter.number }
            waiter.wakeUp.clear()
            state.idle.append(waiter.wakeUp)
        }
        return ready
    }

    /// Waits, in real time, until `count` threads wait on this clock.
    ///
    /// A thread whose deadline the hand has passed counts no more, one that a descriptor woke may for a moment: pass
    /// ``waitsBegun`` from before it was woken as `mark`.
    ///
    /// - Parameters:
    ///   - count: Threads that must wait.
    ///   - mark: Only waits begun after this many count.
    ///   - horizon: Only waits that end so soon, by the hand, count; `nil` counts all.
    ///   - limit: Gives up after this long.
    /// - Returns: Whether they wait.
    public func waitUntilWaiting(
        count: Int = 1, after mark: Int = 0, dueWithin horizon: Duration? = nil, limit: Duration = .seconds(60)
    ) -> Bool {
        let observer = state.withLock { state in
            let observer = Self.takeWakeUp(&state)
            state.observers.append(observer)
            return observer
        }
        defer { giveBack(observer) }
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(observer.descriptor, at: 0)
        let realTime = SystemClock()
        let deadline = realTime.now.advanced(by: limit)
        while true {
            observer.clear()
            if waiting(after: mark, dueWithin: horizon) >= count { return true }
            guard realTime.now < deadline else { return false }
            _ = realTime.wait(for: descriptors, until: deadline)
        }
    }

    private func waiting(after mark: Int, dueWithin horizon: Duration?) -> Int {
        state.withLock { state in
            let last = horizon.map { state.now.advanced(by: $0) }
            return state.waiters.count { waiter in
                waiter.number > mark && (last.map { Self.isDue(waiter.deadline, at: $0) } ?? true)
            }
        }
    }

    private func giveBack(_ observer: WakeUp) {
        state.withLock { state in
            state.observers.removeAll { $0 === observer }
            observer.clear()
            state.idle.append(observer)
        }
    }

    private static func isDue(_ deadline: MonotonicInstant?, at now: MonotonicInstant) -> Bool {
        deadline.map { $0 <= now } ?? false
    }

    private static func takeWakeUp(_ state: inout State) -> WakeUp {
        if let wakeUp = state.idle.popLast() { return wakeUp }
        do throws(AudioError) {
            return try WakeUp()
        } catch {
            preconditionFailure("a manual clock needs a descriptor for each waiter: \(error)")
        }
    }
}
