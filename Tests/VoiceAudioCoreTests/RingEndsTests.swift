import Synchronization
import Testing
import VoiceAudioCore

/// Calls in the wrong order, and ends that somebody has: typed errors and reasons, never a trap or a deadlock.
@Suite struct RingEndsTests {
    private struct Interruption: Error {}

    private final class Holders: Sendable { let count = Atomic<Int>(0) }

    private func ring() throws -> BoundedAudioBuffer {
        let ring = try BoundedAudioBuffer(maxChunks: 4, maxBytes: 100, maxChunkBytes: 10)
        for size in 1...3 { #expect(ring.append([UInt8](repeating: UInt8(size), count: size)) == .stored) }
        return ring
    }

    private func code(_ body: () throws -> Void) -> AudioError.Code? {
        do {
            try body()
            return nil
        } catch { return (error as? AudioError)?.code }
    }

    @Test func withinABorrowTakingIsAnError() throws {
        let ring = try ring()
        try ring.withOldest { _, _ in
            #expect(code { _ = try ring.popFirst() } == .borrowed)
            #expect(code { _ = try ring.drain() } == .borrowed)
            #expect(code { _ = try ring.withOldest { _, _ in } } == .borrowed)
            #expect(code { _ = try ring.consumeOldest { _, _ in } } == .borrowed)
            #expect(code { _ = try ring.takeConsumer() } == .endTaken)
            #expect(ring.removeAll() == 0)
            #expect(ring.forceCleanup() == 0)
            #expect(ring.append([UInt8(9)]) == .stored)
            #expect(ring.count == 4)
        }
        #expect(ring.removeAll() == 4)
    }

    @Test func aThrowingBorrowLeavesTheChunkAndTheRingUsable() throws {
        let ring = try ring()
        #expect(throws: Interruption.self) { try ring.withOldest { _, _ in throw Interruption() } }
        #expect(throws: Interruption.self) { try ring.consumeOldest { _, _ in throw Interruption() } }
        var consumer = try ring.takeConsumer()
        #expect(throws: Interruption.self) {
            try consumer.consumeOldest { _, _ throws(Interruption) in throw Interruption() }
        }
        #expect(consumer.drain().map(\.byteCount) == [1, 2, 3])
    }

    @Test func allAreTakenTogether() throws {
        let ring = try ring()
        var consumer = try ring.takeConsumer()
        var sizes: [Int] = []
        var losses: [AudioLoss?] = []
        func note(_ header: AudioChunkHeader, _ bytes: RawSpan) {
            sizes.append(bytes.byteCount)
            losses.append(header.lossBefore)
        }
        // What comes meanwhile is for the next time, and nothing goes: a chunk too many is refused.
        let taken = consumer.consumeAll { header, bytes in
            if sizes.isEmpty {
                #expect(ring.append([UInt8](repeating: 4, count: 4)) == .stored)
                #expect(ring.append([UInt8(5)]) == .refused(.oldestBorrowed))
                #expect(ring.removeAll() == 0)
            }
            note(header, bytes)
            #expect(ring.count == 4)
        }
        #expect(taken == 3 && sizes == [1, 2, 3] && ring.count == 1)
        #expect(ring.append([UInt8(6)]) == .stored)
        #expect(consumer.consumeAll(note) == 2 && sizes == [1, 2, 3, 4, 1])
        #expect(losses == [nil, nil, nil, nil, AudioLoss(frames: 1, cause: .ringRefused)])
        #expect(consumer.consumeAll(note) == 0)
        #expect(ring.statistics.delivered == AudioCount(chunks: 5, frames: 11, bytes: 11))
    }

    @Test func fromTheOneThatThrowsOnTheyStay() throws {
        let ring = try ring()
        var consumer = try ring.takeConsumer()
        var count = 0
        #expect(throws: Interruption.self) {
            try consumer.consumeAll { _, _ throws(Interruption) in
                if count == 2 { throw Interruption() }
                count += 1
            }
        }
        #expect(ring.count == 1 && ring.statistics.delivered.chunks == 2)
        #expect(consumer.popFirst()?.header.lossBefore == nil)
    }

    @Test func ofATakenProducerThePlainMethodRefuses() throws {
        let ring = try ring()
        do {
            var producer = try ring.takeProducer()
            #expect(ring.append([UInt8(9)]) == .refused(.endTaken))
            #expect(code { _ = try ring.takeProducer() } == .endTaken)
            producer.append([UInt8(7)])
            #expect(ring.statistics.refused(because: .endTaken) == AudioCount(chunks: 1, frames: 1, bytes: 1))
        }
        #expect(ring.append([UInt8(8)]) == .storedAfterEvicting(1))
        // Who was refused for the end had nothing to do with the stream: it misses nothing.
        #expect(try ring.drain().map(\.lossBefore) == [AudioLoss(frames: 1, cause: .ringEvicted), nil, nil, nil])
        _ = try ring.takeProducer()
        #expect(ring.append([UInt8(8)]) == .stored)
    }

    @Test func ofATakenConsumerThePlainMethodsRefuse() throws {
        let ring = try ring()
        do {
            var consumer = try ring.takeConsumer()
            #expect(code { _ = try ring.popFirst() } == .endTaken)
            #expect(code { _ = try ring.drain() } == .endTaken)
            #expect(code { _ = try ring.withOldest { _, _ in } } == .endTaken)
            #expect(code { _ = try ring.consumeOldest { _, _ in } } == .endTaken)
            #expect(code { _ = try ring.takeConsumer() } == .endTaken)
            consumer.withOldest { _, _ in
                #expect(ring.removeAll() == 0)
                #expect(code { _ = try ring.popFirst() } == .endTaken)
            }
            #expect(consumer.popFirst()?.byteCount == 1)
            #expect(ring.removeAll() == 2)
            #expect(consumer.popFirst() == nil)
        }
        #expect(try ring.popFirst() == nil)
    }

    @Test func whatIsFilledInPlaceStays() throws {
        let ring = try ring()
        var producer = try ring.takeProducer()
        // SAFETY: reserved until the commit.
        let place = unsafe try #require(producer.reserve())
        unsafe place[0] = 42
        ring.forceCleanup()
        #expect(ring.count == 0)
        // The ring is empty now and would start again at the front; the place must not move.
        let again = unsafe try #require(producer.reserve())
        #expect(unsafe again.baseAddress == place.baseAddress && again.count == 10)
        // SAFETY: as above.
        unsafe again[1] = 43
        #expect(producer.commit(byteCount: 2, captureTime: MonotonicInstant(nanoseconds: 5)) == .stored)
        #expect(try ring.popFirst()?.bytes == [42, 43])
    }

    @Test func aRefusedCommitIsCountedAndTheNextPlaceIsGood() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 1, maxBytes: 8, overflow: .uniform(.dropNewest), maxChunkBytes: 4)
        var producer = try ring.takeProducer()
        for number in 0..<3 {
            // SAFETY: reserved until the commit.
            let place = unsafe try #require(producer.reserve())
            unsafe place.copyBytes(from: [UInt8(number), 1, 2, 3])
            let result = producer.commit(byteCount: 4, captureTime: MonotonicInstant(nanoseconds: 0))
            #expect(result == (number == 0 ? .stored : .refused(.chunkCap)))
        }
        #expect(producer.noteUnplaced(byteCount: 4) == ())
        #expect(ring.statistics.refused(because: .reclaiming).chunks == 1)
        #expect(try ring.popFirst()?.bytes == [0, 1, 2, 3])
        #expect(ring.untoldLoss == AudioLoss(frames: 12, cause: .ringRefused))
    }

    @Test func onlyOneHasAnEndAtATime() async throws {
        let ring = try ring()
        let holders = Holders()
        let (taken, alone) = await withTaskGroup(of: (Int, Bool).self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var taken = 0
                    var alone = true
                    for _ in 0..<2000 {
                        guard let end = try? ring.takeConsumer() else { continue }
                        alone = holders.count.wrappingAdd(1, ordering: .relaxed).newValue == 1 && alone
                        holders.count.wrappingSubtract(1, ordering: .relaxed)
                        _ = consume end
                        taken += 1
                    }
                    return (taken, alone)
                }
            }
            return await group.reduce(into: (0, true)) { $0 = ($0.0 + $1.0, $0.1 && $1.1) }
        }
        #expect(taken > 0 && alone)
        _ = try ring.takeConsumer()
    }

    @Test func anEmptyRingLendsNothing() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 1, maxBytes: 1)
        #expect(try ring.popFirst() == nil)
        #expect(try ring.drain().isEmpty)
        #expect(try ring.withOldest { _, _ in 1 } == nil)
        #expect(try ring.consumeOldest { _, _ in 1 } == nil)
        #expect(ring.removeAll() == 0)
        #expect(ring.count == 0 && ring.byteCount == 0)
    }
}
