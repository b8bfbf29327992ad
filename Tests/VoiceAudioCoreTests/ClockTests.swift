import Foundation
import Testing

@testable import VoiceAudioCore

/// A thread that waits on a clock, and what its wait answered.
private final class WaitingThread: Sendable {
    private let result = Lock<Int?>(nil)
    private let ended: WakeUp
    let wakeUp: WakeUp

    init(on clock: any AudioClock, until deadline: MonotonicInstant?) throws {
        let ended = try WakeUp()
        let wakeUp = try WakeUp()
        self.ended = ended
        self.wakeUp = wakeUp
        Thread { [result] in
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(wakeUp.descriptor, at: 0)
            let ready = clock.wait(for: descriptors, until: deadline)
            result.withLock { $0 = ready }
            ended.signal()
        }.start()
    }

    /// What the wait answered; `nil` where it did not end within a minute.
    func answer() -> Int? {
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(ended.descriptor, at: 0)
        let clock = SystemClock()
        _ = clock.wait(for: descriptors, until: clock.now.advanced(by: .seconds(60)))
        return result.withLock { $0 }
    }

    var hasEnded: Bool { result.withLock { $0 != nil } }
}

@Suite(.timeLimit(.minutes(5))) struct ClockTests {
    @Test func aDeadlineIsReachedByTheHandAlone() throws {
        let clock = ManualClock()
        let start = clock.now
        let thread = try WaitingThread(on: clock, until: start.advanced(by: .seconds(5)))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(5) - .nanoseconds(1))
        #expect(clock.waitUntilWaiting())
        #expect(!thread.hasEnded)
        clock.advance(by: .nanoseconds(1))
        #expect(thread.answer() == 0)
        #expect(clock.now == start.advanced(by: .seconds(5)))
    }

    @Test func aReadyDescriptorEndsAWait() throws {
        let clock = ManualClock()
        let thread = try WaitingThread(on: clock, until: nil)
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .seconds(1_000_000))
        #expect(clock.waitUntilWaiting())
        thread.wakeUp.signal()
        #expect(thread.answer() == 1)
    }

    @Test func eachWaiterHasItsOwnDeadline() throws {
        let clock = ManualClock()
        let threads = try (1...8).map { number in
            try WaitingThread(on: clock, until: clock.now.advanced(by: .seconds(number)))
        }
        #expect(clock.waitUntilWaiting(count: 8))
        for (index, thread) in threads.enumerated() {
            clock.advance(by: .seconds(1))
            #expect(thread.answer() == 0)
            #expect(clock.waitUntilWaiting(count: 7 - index))
            #expect(threads[(index + 1)...].allSatisfy { !$0.hasEnded })
        }
        #expect(clock.waitsBegun == 8)
    }

    @Test func aDeadlineInThePastOnlyLooks() throws {
        let clock = ManualClock()
        let wakeUp = try WakeUp()
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(wakeUp.descriptor, at: 0)
        let before = clock.wait(for: descriptors, until: clock.now)
        wakeUp.signal()
        let after = clock.wait(for: descriptors, until: clock.now)
        let isReady = descriptors.isReady(at: 0)
        #expect((before, after) == (0, 1))
        #expect(isReady)
        #expect(clock.waitsBegun == 0)
    }

    @Test func onlyWaitsAfterTheMarkCount() throws {
        let clock = ManualClock()
        let thread = try WaitingThread(on: clock, until: nil)
        #expect(clock.waitUntilWaiting())
        #expect(!clock.waitUntilWaiting(after: clock.waitsBegun, limit: .milliseconds(1)))
        #expect(!clock.waitUntilWaiting(count: 2, limit: .milliseconds(1)))
        thread.wakeUp.signal()
        #expect(thread.answer() == 1)
    }

    @Test func theSystemClockRunsAndKeepsDeadlines() throws {
        let clock = SystemClock()
        let descriptors = DescriptorSet(count: 1)
        let start = clock.now
        let ready = clock.wait(for: descriptors, until: start.advanced(by: .milliseconds(2)))
        #expect(start.duration(to: clock.now) >= .milliseconds(2))
        let inThePast = clock.wait(for: descriptors, until: start)
        #expect((ready, inThePast) == (0, 0))
    }

    @Test func instantsSaturate() {
        let last = MonotonicInstant(nanoseconds: .max)
        #expect(last.advanced(by: .seconds(1)) == last)
        let first = MonotonicInstant(nanoseconds: .min)
        #expect(first.advanced(by: .seconds(-1)) == first)
        #expect(last.advanced(by: .seconds(Int64.max)) == last)
        #expect(first.duration(to: last) == .nanoseconds(Int64.max) - .nanoseconds(Int64.min))
        #expect(Duration.seconds(Int64.min).clampedNanoseconds == .min)
        #expect(Duration.nanoseconds(-5).clampedNanoseconds == -5)
    }
}
