import Synchronization
package import VoiceAudioCore

/// What others ask of the capture thread, and what it answers. Atomics and eventfds: no lock on the thread's side.
package final class CaptureControl: @unchecked Sendable {
    /// Wakes the capture thread.
    let wakeUp: WakeUp
    package let counters = CaptureCounters()
    /// What the source gives, where that has changed since it was opened.
    let report = Lock<CaptureReport?>(nil)

    private let request = Atomic<Int>(Request.none)
    private let paused = Atomic<Bool>(false)
    private let exchanged: WakeUp
    // The next history's end; then, once `exchanged` was signalled, the old one's. Handed over by `request`'s
    // release and acquire: the asker writes before it asks, the thread answers by its signal.
    private var end: BoundedAudioBuffer.Producer?

    private enum Request {
        static let none = 0
        static let exchange = 1
        static let stop = 2
    }

    init() throws(AudioError) {
        wakeUp = try WakeUp()
        exchanged = try WakeUp()
    }

    // The capture thread's side.

    var hasRequest: Bool { request.load(ordering: .relaxed) != Request.none }

    var isPaused: Bool { paused.load(ordering: .relaxed) }

    func takeStop() -> Bool { request.load(ordering: .acquiring) == Request.stop }

    /// Gives the old history's end for the new one's, which goes on with its numbers.
    func exchange(_ history: inout BoundedAudioBuffer.Producer) {
        guard request.load(ordering: .acquiring) == Request.exchange, let next = end.take() else { return }
        let numbers = history.buffer.nextNumbers
        next.buffer.startNumbering(atSequenceNumber: numbers.sequenceNumber, framePosition: numbers.framePosition)
        let old = history
        history = consume next
        end = consume old
        // A stop may have come meanwhile: it must not be forgotten.
        _ = request.compareExchange(expected: Request.exchange, desired: Request.none, ordering: .acquiringAndReleasing)
        exchanged.signal()
    }

    // The others' side, one at a time.

    /// Frames captured from now on reach nobody, or do again.
    package func setPaused(_ isPaused: Bool) { paused.store(isPaused, ordering: .relaxed) }

    package func requestStop() {
        request.store(Request.stop, ordering: .releasing)
        wakeUp.signal()
    }

    /// Lets the capture thread go on with another history.
    ///
    /// - Parameter threadEnd: Readable when the thread is no more.
    /// - Returns: Whether it did by `deadline`. If not, and if it still runs, it may do so later.
    package func exchangeHistory(
        for next: consuming BoundedAudioBuffer.Producer, by deadline: MonotonicInstant, clock: any AudioClock,
        threadEnd: Int32
    ) -> Bool {
        end = consume next
        request.store(Request.exchange, ordering: .releasing)
        wakeUp.signal()
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(exchanged.descriptor, at: 0)
        descriptors.watch(threadEnd, at: 1)
        while clock.wait(for: descriptors, until: deadline) == 0 {
            if clock.now >= deadline { return false }
        }
        guard descriptors.isReady(at: 0) else { return false }
        exchanged.clear()
        end = nil
        return true
    }
}
