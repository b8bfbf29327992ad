import VoiceAudio
import XCTest

final class BoundsTests: XCTestCase {
    func testCapsHold() throws {
        let buffer = try BoundedAudioBuffer(maxChunks: 300, maxBytes: 1 << 20, overflow: .uniform(.dropOldest))
        for _ in 0..<10_000 { buffer.append([UInt8](repeating: 1, count: 4096)) }
        XCTAssertLessThanOrEqual(buffer.byteCount, 1 << 20)
        XCTAssertEqual(buffer.count, 256)
        XCTAssertEqual(buffer.removeAll(), 256)
        XCTAssertEqual(buffer.byteCount, 0)
        XCTAssertGreaterThan(buffer.residentBytes, 1 << 19)
        buffer.forceCleanup()
        XCTAssertLessThanOrEqual(buffer.residentBytes, 8192)
        XCTAssertLessThanOrEqual(buffer.allocatedBytes, buffer.allocationLimitBytes)
    }

    func testOriginalRules() throws {
        let buffer = try BoundedAudioBuffer(maxChunks: 3, maxBytes: 100)
        XCTAssertEqual(buffer.append([UInt8](repeating: 1, count: 40)), .stored)
        XCTAssertEqual(buffer.append([UInt8](repeating: 2, count: 40)), .stored)
        XCTAssertEqual(buffer.append([UInt8](repeating: 3, count: 40)), .refused(.byteCap))
        XCTAssertEqual(buffer.append([UInt8](repeating: 4, count: 10)), .stored)
        XCTAssertEqual(buffer.append([UInt8](repeating: 5, count: 30)), .storedAfterEvicting(1))
        XCTAssertEqual(buffer.append([UInt8](repeating: 5, count: 101)), .refused(.largerThanByteCap))
        XCTAssertEqual(buffer.count, 3)
        XCTAssertEqual(buffer.byteCount, 80)
        let chunk = try XCTUnwrap(buffer.popFirst())
        XCTAssertEqual(chunk.bytes, [UInt8](repeating: 2, count: 40))
        XCTAssertEqual(chunk.lossBefore, AudioLoss(frames: 40, cause: .ringEvicted))
        let next = try XCTUnwrap(buffer.popFirst())
        XCTAssertEqual(next.lossBefore, AudioLoss(frames: 40, cause: .ringRefused))
    }
}
