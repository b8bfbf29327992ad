import Foundation
import TestSupport
import VoiceAudioMemory
import XCTest

/// What results take of the process. `VOICEAUDIO_RESULTS=1000000` holds that many, under a budget of 20 MiB.
final class ResultMemoryTests: XCTestCase {
    private func collector(budgetBytes: Int) -> ResultCollector<[UInt8]> {
        ResultCollector(
            budget: .bytes(budgetBytes), spill: ResultSpill(directory: NSTemporaryDirectory(), minimumFreeBytes: 0))
    }

    /// 1 KiB that begins with its number.
    private func result(_ number: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: UInt8(number & 255), count: 1024)
        for place in 0..<4 { bytes[place] = UInt8(number >> (8 * place) & 255) }
        return bytes
    }

    func testResidentBytesFollowTheBudget() throws {
        let count = ProcessInfo.processInfo.environment["VOICEAUDIO_RESULTS"].flatMap { Int($0) } ?? 20_000
        let budgetBytes = count * 1024 / 50
        // Whatever else is needed is there then.
        try collector(budgetBytes: budgetBytes).append(result(0))
        let results = collector(budgetBytes: budgetBytes)
        let before = ProcessCounts.residentBytes
        var growth = 0
        for number in 0..<count {
            try results.append(result(number))
            if number % 1000 == 0 { growth = max(growth, ProcessCounts.residentBytes - before) }
        }
        var next = 0
        for read in results {
            guard try read.get() == result(next) else { return XCTFail("result \(next) is another") }
            next += 1
            if next % 1000 == 0 { growth = max(growth, ProcessCounts.residentBytes - before) }
        }
        XCTAssertEqual(next, count)
        let report = results.report
        print("\(count) results: resident memory grew by \(growth / 1024) KiB; \(report)")
        XCTAssertGreaterThan(report.spilledBytes, 9 * budgetBytes)
        XCTAssertLessThanOrEqual(report.peakMemoryBytes, budgetBytes)
        // The budget, the block that is read, the index, and what malloc keeps.
        if !ProcessCounts.isSanitized { XCTAssertLessThan(growth, budgetBytes + 2 << 20) }
    }

    func testMemoryIsGivenBack() throws {
        let results = collector(budgetBytes: 16 << 20)
        let before = ProcessCounts.residentBytes
        for number in 0..<12_000 { try results.append(result(number)) }
        let full = ProcessCounts.residentBytes - before
        let freed = try results.freeMemory(.shrink)
        XCTAssertEqual(freed, 12 << 20)
        XCTAssertEqual(results.memoryByteCount, 0)
        if !ProcessCounts.isSanitized {
            XCTAssertGreaterThan(full, 11 << 20)
            XCTAssertLessThan(ProcessCounts.residentBytes - before, full - freed + 1 << 20)
        }
    }

    func testCollectorsLeaveNothing() throws {
        func use(_ rounds: Int) throws {
            for round in 0..<rounds {
                let results = collector(budgetBytes: 128 << 10)
                for number in 0..<200 { try results.append(result(number)) }
                XCTAssertEqual(results.reduce(0) { count, _ in count + 1 }, 200)
                if round % 3 == 0 { results.close() }
                if round % 3 == 1 { results.removeAll() }
            }
        }
        try use(10)
        let descriptors = ProcessCounts.descriptors
        let resident = ProcessCounts.residentBytes
        try use(100)
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - resident, 1 << 20) }
    }
}
