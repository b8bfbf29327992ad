import TestSupport
import Testing
import VoiceAudioCore

/// Waiting for chunks and for room, on a clock that the tests move.
@Suite(.timeLimit(.minutes(5))) struct RingWaitTests {
    private let clock = ManualClock()

    private func ring(_ maxChunks: Int = 10, overflow: OverflowPolicy = .original) throws -> BoundedAudioBuffer {
        try BoundedAudioBuffer(maxChunks: maxChunks, maxBytes: 100, overflow: overflow, clock: clock)
    }

    @Test func aWaitEndsWithAChunk() throws {
        let ring = try ring()
        let waiter = try ThreadResult { try ring.waitForChunks(timeout: nil) }
        #expect(clock.waitUntilWaiting())
        ring.append([UInt8(1)])
        #expect(try waiter.value() == .ready)
        #expect(try ring.waitForChunks(timeout: .zero) == .ready)
    }

    @Test func aWaitEndsAtItsDeadline() throws {
        let ring = try ring()
        #expect(try ring.waitForChunks(timeout: .zero) == .timedOut)
        let waiter = try ThreadResult { try ring.waitForChunks(timeout: .milliseconds(100)) }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(99))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(1))
        #expect(try waiter.value() == .timedOut)
    }

    @Test func aWaitForSeveralChunksIsNotWokenEarlier() throws {
        let ring = try ring()
        let waiter = try ThreadResult { try ring.waitForChunks(3, timeout: nil) }
        #expect(clock.waitUntilWaiting())
        ring.append([UInt8(1)])
        ring.append([UInt8(1)])
        #expect(clock.waitsBegun == 1)
        ring.append([UInt8(1)])
        #expect(try waiter.value() == .ready)
        #expect(clock.waitsBegun == 1)
    }

    @Test func everyWaiterIsWokenByItsOwnNumber() throws {
        let ring = try ring()
        let few = try (0..<2).map { _ in try ThreadResult { try ring.waitForChunks(1, timeout: nil) } }
        #expect(clock.waitUntilWaiting(count: 2))
        let many = try ThreadResult { try ring.waitForChunks(3, timeout: nil) }
        #expect(clock.waitUntilWaiting(count: 3))
        ring.append([UInt8(1)])
        for waiter in few { #expect(try waiter.value() == .ready) }
        #expect(clock.waitUntilWaiting(count: 1))
        ring.append([UInt8(1)])
        ring.append([UInt8(1)])
        #expect(try many.value() == .ready)
    }

    @Test func oldSignalsDoNotWakeTheNext() throws {
        let ring = try ring()
        let first = try ring.beginWaiting(for: 1)
        for _ in 0..<100 { ring.append([UInt8(1)]) }
        ring.endWaiting(first)
        ring.removeAll()
        let waiter = try ThreadResult { try ring.waitForChunks(timeout: .seconds(1)) }
        #expect(clock.waitUntilWaiting())
        let begun = clock.waitsBegun
        clock.advance(by: .seconds(1))
        #expect(try waiter.value() == .timedOut)
        #expect(clock.waitsBegun == begun && begun == 1)
    }

    @Test func waitsThatCannotEndWellAreErrors() throws {
        let ring = try ring(10)
        for count in [0, -1, 11] {
            let error = #expect(throws: AudioError.self) { try ring.waitForChunks(count, timeout: nil) }
            #expect(error?.code == .invalidConfiguration)
        }
        let places = try (0..<16).map { _ in try ring.beginWaiting(for: 1) }
        let error = #expect(throws: AudioError.self) { try ring.waitForChunks(timeout: .zero) }
        #expect(error?.code == .limitReached)
        for place in places { ring.endWaiting(place) }
        #expect(try ring.waitForChunks(timeout: .zero) == .timedOut)
    }

    @Test func closingWakesEveryone() throws {
        let ring = try ring()
        let waiters = try (1...3).map { count in try ThreadResult { try ring.waitForChunks(count, timeout: nil) } }
        #expect(clock.waitUntilWaiting(count: 3))
        ring.close()
        for waiter in waiters { #expect(try waiter.value() == .closed) }
        #expect(ring.isClosed)
    }

    @Test func whatAClosedRingHoldsCanBeTaken() throws {
        let ring = try ring()
        ring.append([UInt8(1)])
        ring.close()
        #expect(try ring.waitForChunks(timeout: nil) == .ready)
        #expect(try ring.waitForChunks(2, timeout: nil) == .closed)
        #expect(try ring.popFirst()?.bytes == [1])
        #expect(try ring.waitForChunks(timeout: nil) == .closed)
    }

    @Test func aBlockedAppendGetsRoomFromAConsumer() throws {
        let ring = try ring(2, overflow: .uniform(.block(.seconds(1))))
        ring.append([UInt8(1)])
        ring.append([UInt8(2)])
        let appender = try ThreadResult { ring.append([UInt8(3)]) }
        #expect(clock.waitUntilWaiting())
        #expect(try ring.popFirst()?.bytes == [1])
        #expect(try appender.value() == .stored)
        #expect(try ring.drain().map(\.bytes) == [[2], [3]])
    }

    @Test func aBlockedAppendGetsRoomFromRemoveAll() throws {
        let ring = try ring(1, overflow: .uniform(.block(.seconds(1))))
        ring.append([UInt8(1)])
        let appender = try ThreadResult { ring.append([UInt8(3)]) }
        #expect(clock.waitUntilWaiting())
        #expect(ring.forceCleanup() == 1)
        #expect(try appender.value() == .stored)
    }

    @Test func aBlockedAppendGivesUpAtTheDeadlineOfItsCap() throws {
        let overflow = OverflowPolicy(atChunkCap: .block(.milliseconds(10)), atByteCap: .block(.milliseconds(500)))
        let ring = try ring(2, overflow: overflow)
        ring.append([UInt8](repeating: 1, count: 90))
        let atByteCap = try ThreadResult { ring.append([UInt8](repeating: 2, count: 20)) }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(499))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(1))
        #expect(try atByteCap.value() == .refused(.blockedTooLong))
        ring.append([UInt8(1)])
        let mark = clock.waitsBegun
        let atChunkCap = try ThreadResult { ring.append([UInt8(1)]) }
        #expect(clock.waitUntilWaiting(after: mark))
        clock.advance(by: .milliseconds(10))
        #expect(try atChunkCap.value() == .refused(.blockedTooLong))
        #expect(ring.statistics.refused(because: .blockedTooLong) == AudioCount(chunks: 2, frames: 21, bytes: 21))
    }

    @Test func closingEndsABlockedAppend() throws {
        let ring = try ring(1, overflow: .uniform(.block(.seconds(1))))
        ring.append([UInt8(1)])
        let appender = try ThreadResult { ring.append([UInt8(3)]) }
        #expect(clock.waitUntilWaiting())
        ring.close()
        #expect(try appender.value() == .refused(.closed))
    }

    @Test func anInterruptEndsABlockedCommit() throws {
        let ring = try BoundedAudioBuffer(
            maxChunks: 1, maxBytes: 10, overflow: .uniform(.block(.seconds(1))), maxChunkBytes: 4, clock: clock)
        ring.append([UInt8(1)])
        let interrupt = try WakeUp()
        let committer = try ThreadResult {
            var producer = try ring.takeProducer()
            // SAFETY: committed as it is.
            _ = unsafe producer.reserve()
            return producer.commit(
                byteCount: 4, captureTime: MonotonicInstant(nanoseconds: 0), interrupt: interrupt.descriptor)
        }
        #expect(clock.waitUntilWaiting())
        interrupt.signal()
        #expect(try committer.value() == .refused(.blockedTooLong))
    }

    /// The system's clock and threads: every chunk arrives, none waits for a signal that got lost.
    @Test func noWakeUpIsLost() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 4, maxBytes: 100, overflow: .uniform(.block(.seconds(30))))
        let consumer = try ThreadResult {
            var end = try ring.takeConsumer()
            var next = 0
            while try ring.waitForChunks(timeout: .seconds(30)) == .ready {
                while let chunk = end.popFirst() {
                    guard chunk.sequenceNumber == next, chunk.lossBefore == nil else { return -1 }
                    next += 1
                }
            }
            return next
        }
        for _ in 0..<20_000 { #expect(ring.append([UInt8(1)]) == .stored) }
        ring.close()
        #expect(try consumer.value() == 20_000)
    }
}
