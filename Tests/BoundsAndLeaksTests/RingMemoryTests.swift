import Foundation
import VoiceAudioCore
import XCTest

/// Memory taken never exceeds its limit, and memory in use follows what is held, not the cap.
final class RingMemoryTests: XCTestCase {
    private static let mebibyte = 1 << 20

    func testAllocationStaysBelowItsLimit() throws {
        for maxChunks in [1, 2, 63, 64, 65, 300, 100_000] {
            for maxBytes in [1, 4095, 4096, 4097, 1 << 20, 100 << 20] {
                for chunkLimit in [nil, 1, 3200, 4096, 1 << 20] {
                    let ring = try BoundedAudioBuffer(
                        maxChunks: maxChunks, maxBytes: maxBytes, maxChunkBytes: chunkLimit)
                    XCTAssertEqual(
                        ring.allocationLimitBytes, maxBytes + (chunkLimit ?? 0) + 64 * maxChunks + 64 * 1024)
                    XCTAssertLessThanOrEqual(ring.allocatedBytes, ring.allocationLimitBytes)
                    XCTAssertEqual(ring.residentBytes, 0, "an unused ring takes no memory")
                }
            }
        }
    }

    func testMemoryIsSizedByTheChunksWhereTheirSizeIsKnown() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 300, maxBytes: 100 * Self.mebibyte, maxChunkBytes: 3200)
        XCTAssertLessThan(ring.allocatedBytes, 301 * 3200 + 300 * 64 + 3 * 4096)
    }

    /// Nobody reads: evictions alone walk through a large memory.
    func testResidentBytesFollowWhatAnEvictingRingHolds() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 300, maxBytes: 100 * Self.mebibyte)
        let chunk = [UInt8](repeating: 1, count: 3200)
        for number in 0..<100_000 {
            ring.append(chunk)
            if number % 1000 == 0 { XCTAssertLessThanOrEqual(ring.residentBytes, ring.byteCount + 3 * Self.mebibyte) }
        }
        XCTAssertEqual(ring.statistics.refused, AudioCount())
    }

    /// A reader who is always about 1 MiB behind, by the plain methods and by the ends.
    func testResidentBytesFollowWhatALaggingReaderLeaves() throws {
        for takesEnds in [false, true] {
            let ring = try BoundedAudioBuffer(maxChunks: 1000, maxBytes: 100 * Self.mebibyte)
            var producer = takesEnds ? try ring.takeProducer() : nil
            var consumer = takesEnds ? try ring.takeConsumer() : nil
            let chunk = [UInt8](repeating: 1, count: 5000)
            for number in 0..<60_000 {
                if producer == nil {
                    ring.append(chunk)
                } else {
                    // SAFETY: the bytes of an array that lives through the call.
                    producer!.append(unsafe chunk.span.bytes, captureTime: MonotonicInstant(nanoseconds: 0))
                }
                if ring.byteCount > Self.mebibyte {
                    let taken: Void? =
                        consumer == nil ? try ring.consumeOldest { _, _ in } : consumer!.consumeOldest { _, _ in }
                    XCTAssertNotNil(taken)
                }
                if number % 1000 == 0 {
                    XCTAssertLessThanOrEqual(ring.residentBytes, ring.byteCount + 4 * Self.mebibyte)
                }
            }
            XCTAssertEqual(ring.statistics.refused, AudioCount())
        }
    }

    /// A reader who catches up: what was full is given back though nothing more arrives.
    func testResidentBytesFollowAReaderWhoCatchesUp() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 1000, maxBytes: 64 * Self.mebibyte)
        let chunk = [UInt8](repeating: 1, count: 100_000)
        while ring.append(chunk) == .stored {}
        XCTAssertGreaterThan(ring.residentBytes, 63 * Self.mebibyte)
        while ring.count > 0 { _ = try ring.consumeOldest { _, _ in } }
        XCTAssertLessThanOrEqual(ring.residentBytes, 3 * Self.mebibyte)
    }

    /// A ring that is emptied each time stays at the front of its memory.
    func testAnEmptyRingStartsAgainAtTheFront() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 1000, maxBytes: 3 * Self.mebibyte)
        let chunk = [UInt8](repeating: 1, count: 5000)
        for _ in 0..<2000 {
            ring.append(chunk)
            ring.append(chunk)
            _ = try ring.drain()
        }
        XCTAssertLessThanOrEqual(ring.residentBytes, 3 * 4096)
    }

    /// What is held survives that pages around it are given back, wherever it lies.
    func testGivingPagesBackLeavesWhatIsHeld() throws {
        let ring = try BoundedAudioBuffer(maxChunks: 8, maxBytes: 40_000, overflow: .uniform(.dropOldest))
        for number in 0..<500 {
            ring.append([UInt8](repeating: UInt8(number % 250 + 1), count: 3000 + number))
            ring.releaseUnusedPages()
            XCTAssertLessThanOrEqual(ring.residentBytes, ring.byteCount + 2 * 4096)
            _ = try ring.withOldest { header, bytes in
                let first = UInt8(header.sequenceNumber % 250 + 1)
                for index in stride(from: 0, to: bytes.byteCount, by: 97) {
                    // SAFETY: within the span.
                    XCTAssertEqual(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self), first)
                }
            }
        }
    }

    /// A consumer that gives pages back on the way must not wait for the producer that waits for it.
    func testAReaderMakesRoomForAPlainAppendThatBlocks() throws {
        let ring = try BoundedAudioBuffer(
            maxChunks: 100, maxBytes: 16 * Self.mebibyte, overflow: .uniform(.block(.seconds(60))))
        let small = [UInt8](repeating: 1, count: Self.mebibyte)
        for _ in 0..<16 { XCTAssertEqual(ring.append(small), .stored) }
        let large = [UInt8](repeating: 2, count: 8 * Self.mebibyte)
        let appended = expectation(description: "the large chunk is in")
        Thread.detachNewThread {
            XCTAssertEqual(ring.append(large), .stored)
            appended.fulfill()
        }
        while !ring.waitsForRoom { sched_yield() }
        for _ in 0..<8 { _ = try ring.popFirst() }
        wait(for: [appended], timeout: 60)
        XCTAssertEqual(ring.byteCount, 16 * Self.mebibyte)
    }
}
