import CAllocationCounter
import CLinux
import VoiceAudioCore
import XCTest

/// The ends of a ring allocate nothing, whatever the ring does: counted.
final class RingAllocationTests: XCTestCase {
    private static let chunkCount = 100_000

    /// Allocations and frees of this thread while `body` runs.
    private func allocations(_ body: () throws -> Void) throws -> (allocated: Int, freed: Int) {
        try XCTSkipUnless(allocationCounterIsActive(), "under a sanitizer allocations cannot be counted")
        allocationCounterStart(clinux_gettid())
        defer { allocationCounterStop() }
        try body()
        return (allocationCounterCount(), allocationCounterFreeCount())
    }

    func testTheCounterCounts() throws {
        var kept: [[UInt8]] = []
        kept.reserveCapacity(10)
        func keepTen() { for size in 100..<110 { kept.append([UInt8](repeating: 1, count: size)) } }
        // The first time the runtime allocates for itself, too.
        keepTen()
        kept.removeAll(keepingCapacity: true)
        let counts = try allocations(keepTen)
        XCTAssertEqual(counts.allocated, 10)
        XCTAssertEqual(counts.freed, 0)
        XCTAssertEqual(kept.count, 10)
        let freed = try allocations { kept.removeAll(keepingCapacity: true) }
        XCTAssertEqual(freed.freed, 10)
        XCTAssertEqual(freed.allocated, 0)
    }

    func testTheCounterLeavesOtherThreadsOut() throws {
        let counts = try allocations {
            let thread = Thread { for size in 100..<10_000 { _ = [UInt8](repeating: 1, count: size) } }
            thread.start()
            while !thread.isFinished { sched_yield() }
        }
        XCTAssertLessThan(counts.allocated, 100)
    }

    func testTheEndsAllocateNothing() throws {
        for rule in [OverflowPolicy.Rule.dropOldest, .dropNewest, .keepNewestHalf] {
            let overflow = OverflowPolicy.uniform(rule)
            let ring = try BoundedAudioBuffer(maxChunks: 16, maxBytes: 16_000, overflow: overflow, maxChunkBytes: 2048)
            var producer = try ring.takeProducer()
            var consumer = try ring.takeConsumer()
            let bytes = [UInt8](repeating: 7, count: 2048)
            let time = MonotonicInstant(nanoseconds: 1)
            var sum = 0
            func pass(_ number: Int) {
                // SAFETY: the bytes of an array that lives through the call.
                let chunk = unsafe bytes.span.bytes.extracting(first: 1 + number % 2000)
                _ = producer.append(chunk, captureTime: time)
                if number % 7 == 0 { producer.noteLoss(AudioLoss(frames: 3, cause: .deviceGap)) }
                if let place = unsafe producer.reserve() {
                    // SAFETY: reserved until the commit.
                    unsafe place[0] = 1
                    _ = producer.commit(byteCount: 1 + number % 2000, captureTime: time)
                } else {
                    producer.noteUnplaced(byteCount: 1)
                }
                if number % 3 != 0 { consumer.withOldest { header, bytes in sum += header.frameCount } }
                if number % 2 == 0 { consumer.consumeOldest { _, bytes in sum += bytes.byteCount } }
                if number % 50 == 0 { consumer.consumeAll { _, bytes in sum += bytes.byteCount } }
                if number % 1000 == 0 { ring.removeAll() }
            }
            let counts = try allocations { for number in 0..<Self.chunkCount { pass(number) } }
            XCTAssertEqual(counts.allocated, 0, "under \(rule)")
            XCTAssertEqual(counts.freed, 0, "under \(rule)")
            XCTAssertGreaterThan(sum, 0)
        }
    }

    /// A waiting consumer is woken by a system call, not by an allocation.
    func testWakingAllocatesNothing() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 16, maxBytes: 16_000, overflow: .uniform(.dropOldest))
        var producer = try ring.takeProducer()
        let wakeUp = try ring.beginWaiting(for: 1)
        defer { ring.endWaiting(wakeUp) }
        let bytes = [UInt8](repeating: 7, count: 320)
        let counts = try allocations {
            for number in 0..<10_000 {
                // SAFETY: the bytes of an array that lives through the call.
                producer.append(unsafe bytes.span.bytes, captureTime: MonotonicInstant(nanoseconds: Int64(number)))
            }
        }
        XCTAssertEqual(counts.allocated, 0)
    }
}
