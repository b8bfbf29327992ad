import Glibc
import Testing
import VoiceAudioCore

/// What a ring does at its caps, by example.
@Suite struct RingPolicyTests {
    private func ring(
        _ maxChunks: Int, _ maxBytes: Int, _ overflow: OverflowPolicy, holding sizes: [Int] = []
    ) throws -> BoundedAudioBuffer {
        let ring = try BoundedAudioBuffer(maxChunks: maxChunks, maxBytes: maxBytes, overflow: overflow)
        for size in sizes { #expect(append(size, to: ring) == .stored) }
        return ring
    }

    @discardableResult
    private func append(_ size: Int, to ring: BoundedAudioBuffer) -> AppendResult {
        ring.append([UInt8](repeating: UInt8(truncatingIfNeeded: size), count: size))
    }

    private func sizes(in ring: BoundedAudioBuffer) throws -> [Int] { try ring.drain().map(\.byteCount) }

    @Test func dropOldestAtTheChunkCap() throws {
        let ring = try ring(3, 100, .uniform(.dropOldest), holding: [1, 2, 3])
        #expect(append(4, to: ring) == .storedAfterEvicting(1))
        #expect(try sizes(in: ring) == [2, 3, 4])
    }

    @Test func dropOldestAtTheByteCap() throws {
        let ring = try ring(10, 10, .uniform(.dropOldest), holding: [1, 2, 3, 4])
        #expect(append(5, to: ring) == .storedAfterEvicting(3))
        #expect(try sizes(in: ring) == [4, 5])
        #expect(append(10, to: ring) == .stored)
        #expect(append(10, to: ring) == .storedAfterEvicting(1))
    }

    @Test func dropNewestAtTheChunkCap() throws {
        let ring = try ring(3, 100, .uniform(.dropNewest), holding: [1, 2, 3])
        #expect(append(4, to: ring) == .refused(.chunkCap))
        #expect(try sizes(in: ring) == [1, 2, 3])
    }

    @Test func dropNewestAtTheByteCap() throws {
        let ring = try ring(10, 10, .uniform(.dropNewest), holding: [4, 5])
        #expect(append(2, to: ring) == .refused(.byteCap))
        #expect(append(1, to: ring) == .stored)
        #expect(append(1, to: ring) == .refused(.byteCap))
        #expect(try sizes(in: ring) == [4, 5, 1])
    }

    @Test func keepNewestHalfAtTheChunkCap() throws {
        let ring = try ring(4, 100, .uniform(.keepNewestHalf), holding: [1, 2, 3, 4])
        #expect(append(5, to: ring) == .storedAfterEvicting(2))
        #expect(try sizes(in: ring) == [3, 4, 5])
        let single = try self.ring(1, 100, .uniform(.keepNewestHalf), holding: [1])
        #expect(append(2, to: single) == .storedAfterEvicting(1))
        #expect(try sizes(in: single) == [2])
    }

    @Test func keepNewestHalfAtTheByteCap() throws {
        let ring = try ring(10, 12, .uniform(.keepNewestHalf), holding: [3, 3, 3, 3])
        #expect(append(1, to: ring) == .storedAfterEvicting(2))
        #expect(append(9, to: ring) == .storedAfterEvicting(2))
        #expect(try sizes(in: ring) == [1, 9])
    }

    @Test func blockGivesUpAtOnceWithoutPatience() throws {
        let ring = try ring(2, 10, .uniform(.block(.zero)), holding: [4, 4])
        #expect(append(1, to: ring) == .refused(.blockedTooLong))
        _ = try ring.popFirst()
        #expect(append(7, to: ring) == .refused(.blockedTooLong))
        #expect(append(6, to: ring) == .stored)
    }

    @Test func whereOneCapRefusesTheOtherEvictsNothing() throws {
        let ring = try ring(3, 10, .original, holding: [3, 3, 3])
        #expect(append(5, to: ring) == .refused(.byteCap))
        #expect(append(4, to: ring) == .storedAfterEvicting(1))
        #expect(try sizes(in: ring) == [3, 3, 4])
        let turned = OverflowPolicy(atChunkCap: .dropNewest, atByteCap: .dropOldest)
        let other = try self.ring(2, 10, turned, holding: [5, 5])
        #expect(append(5, to: other) == .refused(.chunkCap))
        #expect(other.count == 2)
    }

    @Test func whatCanNeverFitIsRefusedByItsReason() throws {
        let ring = try BoundedAudioBuffer(
            maxChunks: 3, maxBytes: 100, overflow: .uniform(.dropOldest), format: .speech, maxChunkBytes: 50)
        #expect(append(50, to: ring) == .stored)
        #expect(append(52, to: ring) == .refused(.largerThanChunkLimit))
        #expect(append(102, to: ring) == .refused(.largerThanByteCap))
        #expect(append(3, to: ring) == .refused(.partialFrame))
        #expect(append(0, to: ring) == .refused(.partialFrame))
        ring.close()
        #expect(append(2, to: ring) == .refused(.closed))
        #expect(ring.count == 1)
        let statistics = ring.statistics
        #expect(statistics.refused == AudioCount(chunks: 5, frames: 26 + 51 + 1 + 0 + 1, bytes: 159))
        for reason in [RefusalReason.largerThanChunkLimit, .largerThanByteCap, .closed] {
            #expect(statistics.refused(because: reason).chunks == 1)
        }
        #expect(statistics.refused(because: .partialFrame) == AudioCount(chunks: 2, frames: 1, bytes: 3))
    }

    @Test func aChunkOfMoreThanAGibibyteIsRefused() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 3, maxBytes: 1 << 31, format: .speech)
        let byteCount = 1 << 30 + 2
        // SAFETY: addresses alone: the chunk is refused before anybody reads it.
        let chunk = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        try #require(unsafe chunk != MAP_FAILED)
        defer { unsafe munmap(chunk, byteCount) }
        let bytes = unsafe UnsafeRawBufferPointer(start: chunk, count: byteCount).bytes
        #expect(ring.append(bytes) == .refused(.largerThanChunkLimit))
        #expect(ring.statistics.refused(because: .largerThanChunkLimit).bytes == byteCount)
    }

    @Test func impossibleCapsAreErrorsThatNameThem() throws {
        for (chunks, bytes, limit) in [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1), (1 << 31, 1, 1), (1, 1 << 41, 1)] {
            let error = #expect(throws: AudioError.self) {
                _ = try BoundedAudioBuffer(maxChunks: chunks, maxBytes: bytes, maxChunkBytes: limit)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("accepted are 1 to") == true)
        }
    }

    @Test func aBorrowedOldestIsNeverEvicted() throws {
        for rule in [OverflowPolicy.Rule.dropOldest, .keepNewestHalf] {
            let ring = try ring(3, 100, .uniform(rule), holding: [1, 2])
            let sizes = try ring.withOldest { header, bytes in
                #expect(append(3, to: ring) == .stored)
                #expect(append(4, to: ring) == .refused(.oldestBorrowed))
                #expect(append(98, to: ring) == .refused(.oldestBorrowed))
                return (header.frameCount, bytes.byteCount)
            }
            #expect(sizes?.0 == 1 && sizes?.1 == 1)
            #expect(ring.count == 3)
            #expect(append(4, to: ring).isStored)
        }
    }

    @Test func aLossIsToldByTheCauseThatCostTheMost() throws {
        let ring = try ring(2, 100, .uniform(.dropNewest))
        var producer = try ring.takeProducer()
        func append(_ size: Int) -> AppendResult {
            producer.append([UInt8](repeating: 0, count: size))
        }
        _ = append(1)
        _ = append(1)
        producer.noteLoss(AudioLoss(frames: 25, cause: .deviceOverrun, isExact: false))
        // Ten small refusals together cost more than the one overrun.
        for _ in 0..<10 { #expect(append(3) == .refused(.chunkCap)) }
        #expect(ring.untoldLoss == AudioLoss(frames: 55, cause: .ringRefused, isExact: false))
        #expect(ring.removeAll() == 2)
        _ = append(1)
        let chunk = try #require(try ring.popFirst())
        #expect(chunk.lossBefore == AudioLoss(frames: 57, cause: .ringRefused, isExact: false))
        #expect(chunk.framePosition == 57 && chunk.sequenceNumber == 12)
        producer.noteLoss(AudioLoss(frames: -5, cause: .deviceGap))
        #expect(ring.nextNumbers.framePosition == 58)
    }

    @Test func everyCauseIsToldAsItIs() throws {
        let ring = try ring(2, 100, .original)
        var producer = try ring.takeProducer()
        for cause in AudioLoss.Cause.allCases {
            for isExact in [true, false] {
                let loss = AudioLoss(frames: 3, cause: cause, isExact: isExact)
                producer.noteLoss(loss)
                producer.append([UInt8(1)])
                #expect(try ring.popFirst()?.lossBefore == loss)
            }
        }
    }

    @Test func clearingIsToldAsSuch() throws {
        let ring = try ring(10, 100, .original, holding: [7, 8])
        #expect(ring.removeAll() == 2)
        append(1, to: ring)
        #expect(try ring.popFirst()?.lossBefore == AudioLoss(frames: 15, cause: .cleanedUp))
        append(1, to: ring)
        #expect(try ring.popFirst()?.lossBefore == nil)
    }

    @Test func anEvictedEstimateStaysAnEstimate() throws {
        let ring = try ring(1, 100, .uniform(.dropOldest))
        var producer = try ring.takeProducer()
        let bytes: [UInt8] = [1, 2, 3]
        producer.noteLoss(AudioLoss(frames: 10, cause: .deviceGap, isExact: false))
        producer.append(bytes)
        producer.append(bytes)
        #expect(try ring.popFirst()?.lossBefore == AudioLoss(frames: 13, cause: .ringEvicted, isExact: false))
        producer.append(bytes)
        producer.append(bytes)
        #expect(try ring.popFirst()?.lossBefore == AudioLoss(frames: 3, cause: .ringEvicted))
    }
}
