import Glibc
import Synchronization
import VoiceAudioCore

/// What others ask of a capture, and what it answers. Atomics and eventfds: no lock on the capture's side.
package final class CaptureControl: @unchecked Sendable {
    /// Wakes the capture thread.
    let wakeUp: WakeUp
    /// Wakes who asked.
    let answer: WakeUp
    package let counters = CaptureCounters()
    /// What the source gives, where that has changed since it was opened.
    let report = Lock<CaptureReport?>(nil)

    private let stopRequested = Atomic<Bool>(false)
    private let request = Atomic<Int>(Request.none)
    private let hasExchanged = Atomic<Bool>(false)
    private let hasDelivered = Atomic<Bool>(false)
    private let paused = Atomic<Bool>(false)
    private let held: Atomic<Bool>
    private let publishing = Atomic<Int>(Publishing.free)
    private let hasSuccessor: Atomic<Bool>
    // The next history's end; then, once `hasExchanged` is set, the old one's. Handed over by `request`'s and
    // `hasExchanged`'s release and acquire: the asker writes before it asks, the capture before it answers.
    private var end: BoundedAudioBuffer.Producer?
    // The same: of the capture from which this one takes over, and whether the new history takes the old one's content.
    private var predecessor: CaptureCounters?
    private var movesContent = false

    private enum Request {
        static let none = 0
        static let exchange = 1
        /// The capture is at it: too late to withdraw.
        static let underWay = 2
    }

    private enum Publishing {
        static let free = 0
        static let underWay = 1
        static let cutOff = 2
    }

    /// - Parameter isHeld: Whether frames reach nobody until the capture takes over from another.
    init(isHeld: Bool) throws(AudioError) {
        wakeUp = try WakeUp()
        answer = try WakeUp()
        held = Atomic(isHeld)
        // What listens is still another capture's.
        hasSuccessor = Atomic(isHeld)
    }

    // MARK: The capture's side

    var hasRequest: Bool {
        request.load(ordering: .relaxed) != Request.none || stopRequested.load(ordering: .relaxed)
    }

    var isPaused: Bool { paused.load(ordering: .relaxed) }

    /// Whether this capture has yet to take over from another.
    var isHeld: Bool { held.load(ordering: .relaxed) }

    func takeStop() -> Bool { stopRequested.load(ordering: .acquiring) }

    /// The first frames came that a capture discards which is held.
    func noteDelivery() {
        guard !hasDelivered.load(ordering: .relaxed) else { return }
        hasDelivered.store(true, ordering: .releasing)
        answer.signal()
    }

    /// Gives the old history's end for the new one's, where that was asked for; ``answerExchange()`` is to follow.
    ///
    /// The new one goes on with the old one's numbers, and with its content where that was asked for; or, where this
    /// capture takes over, has its own.
    ///
    /// - Returns: Up to when the capture before has delivered, where this one takes over.
    func exchange(_ history: inout BoundedAudioBuffer.Producer) -> MonotonicInstant? {
        guard
            request.compareExchange(
                expected: Request.exchange, desired: Request.underWay, ordering: .acquiring
            ).exchanged, var next = end.take()
        else { return nil }
        var gapStart: MonotonicInstant?
        if let predecessor {
            gapStart = predecessor.newestFrameEnd
            counters.goOn(from: predecessor, at: next.buffer.nextNumbers.framePosition)
            held.store(false, ordering: .relaxed)
        } else if movesContent {
            next.takeContent(of: history.buffer)
        } else {
            let numbers = history.buffer.nextNumbers
            next.buffer.startNumbering(
                atSequenceNumber: numbers.sequenceNumber, framePosition: numbers.framePosition)
        }
        let old = history
        history = consume next
        end = consume old
        return gapStart
    }

    /// Tells who asked for an exchange that it is done, and all that belongs to it.
    func answerExchange() {
        guard request.load(ordering: .relaxed) == Request.underWay else { return }
        request.store(Request.none, ordering: .relaxed)
        hasExchanged.store(true, ordering: .releasing)
        answer.signal()
    }

    /// Takes the right to hand frames to others, for a moment. `false` where the capture was cut off from them.
    ///
    /// > Real-time: Safe: never waits.
    func beginPublishing() -> Bool {
        publishing.compareExchange(
            expected: Publishing.free, desired: Publishing.underWay, ordering: .acquiring
        ).exchanged
    }

    func endPublishing() { publishing.store(Publishing.free, ordering: .releasing) }

    /// Whether those who listen are at their end when this capture is.
    var endsWithoutSuccessor: Bool { !hasSuccessor.load(ordering: .acquiring) }

    // MARK: The others' side, one at a time

    /// Frames captured from now on reach nobody, or do again.
    package func setPaused(_ isPaused: Bool) { paused.store(isPaused, ordering: .relaxed) }

    func requestStop() {
        stopRequested.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// Whoever listens is about to be another capture's, or is not after all.
    func setHasSuccessor(_ hasSuccessor: Bool) { self.hasSuccessor.store(hasSuccessor, ordering: .releasing) }

    /// Whether nobody gets anything of the capture any more.
    var isCutOff: Bool { publishing.load(ordering: .relaxed) == Publishing.cutOff }

    /// Sees to it that the capture, whatever it still does, hands nothing to anybody any more.
    func cutOff() {
        while publishing.load(ordering: .relaxed) != Publishing.cutOff {
            // The other side holds it for the length of a copy.
            if !publishing.compareExchange(
                expected: Publishing.free, desired: Publishing.cutOff, ordering: .acquiringAndReleasing
            ).exchanged {
                sched_yield()
            }
        }
    }

    /// Asks for another history. To be waited for with ``waitForExchange(by:clock:ended:)``.
    ///
    /// - Parameters:
    ///   - movesContent: Whether it takes what the old one holds.
    ///   - predecessor: Of the capture from which this one takes over.
    func requestExchange(
        for next: consuming BoundedAudioBuffer.Producer, movesContent: Bool = false,
        takingOverFrom predecessor: CaptureCounters? = nil
    ) {
        end = consume next
        self.movesContent = movesContent
        self.predecessor = predecessor
        hasExchanged.store(false, ordering: .relaxed)
        request.store(Request.exchange, ordering: .releasing)
        wakeUp.signal()
    }

    /// Waits until the capture has gone on with another history.
    ///
    /// - Parameter ended: Readable when the capture is no more.
    /// - Returns: Whether it did by `deadline`. If not, it never will: the next history's end is free again.
    func waitForExchange(by deadline: MonotonicInstant, clock: any AudioClock, ended: Int32) -> Bool {
        let isAnswered = wait(for: hasExchanged, by: deadline, clock: clock, ended: ended)
        // One that is not withdrawn is under way, which takes the length of a copy.
        let isWithdrawn = !isAnswered && withdrawExchange()
        while !isWithdrawn, !hasExchanged.load(ordering: .acquiring) { sched_yield() }
        end = nil
        return !isWithdrawn
    }

    /// Takes an unanswered request back. `false` where the capture has begun to answer, or has answered.
    private func withdrawExchange() -> Bool {
        request.compareExchange(
            expected: Request.exchange, desired: Request.none, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Waits until the first frames came that a held capture discards.
    func waitForDelivery(by deadline: MonotonicInstant, clock: any AudioClock, ended: Int32) -> Bool {
        wait(for: hasDelivered, by: deadline, clock: clock, ended: ended)
    }

    private func wait(
        for answered: borrowing Atomic<Bool>, by deadline: MonotonicInstant, clock: any AudioClock, ended: Int32
    ) -> Bool {
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(answer.descriptor, at: 0)
        descriptors.watch(ended, at: 1)
        while true {
            answer.clear()
            if answered.load(ordering: .acquiring) { return true }
            if descriptors.isReady(at: 1) || clock.now >= deadline { return false }
            _ = clock.wait(for: descriptors, until: deadline)
        }
    }
}
