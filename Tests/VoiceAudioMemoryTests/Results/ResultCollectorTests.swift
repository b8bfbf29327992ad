import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

struct ResultCollectorTests {
    private struct Transcript: Codable, Sendable, Equatable {
        var text: String
        var confidence: Double
        var words: [String]
    }

    @Test func resultsComeBackInOrderFromMemoryAndDisk() throws {
        let results = byteCollector()
        #expect(results.isEmpty && results.memoryByteCount == 0)
        try append(0..<1000, to: results)
        #expect(results.count == 1000)
        #expect(results.spilledByteCount > 1 << 20)
        #expect(results.report.spilledCount < 1000)
        expectNumbered(results, 1000)
        for index in [0, 1, 22, 500, 990, 999] { #expect(try results.result(at: index) == numberedBytes(index)) }
        let error = expectError(.invalidConfiguration) { try results.result(at: 1000) }
        #expect(error?.message == "there is no result 1000: accepted are 0 and more, below 1000")
        expectError(.invalidConfiguration) { try results.result(at: -1) }
    }

    @Test func whateverIsCodableIsHeldAsJSON() throws {
        let results = ResultCollector<Transcript>(budget: .bytes(smallBudget), spill: ResultSpill(minimumFreeBytes: 0))
        let transcripts = (0..<200).map { number in
            Transcript(text: "größer \(number) \u{0}", confidence: .infinity, words: ["a", "ß", "\(number)"])
        }
        for transcript in transcripts { try results.append(transcript) }
        #expect(try results.freeMemory(.shrink) > 0)
        #expect(try results.map { try $0.get() } == transcripts)
        let numbers = ResultCollector<Double>(budget: .bytes(smallBudget))
        try numbers.append(.nan)
        #expect(try numbers.result(at: 0).isNaN)
    }

    @Test func whatCannotBeEncodedOrDecodedIsTold() throws {
        struct Fault: Error {}
        let coding = ResultCoding<Int>(
            encode: { number in
                if number == 1 { throw Fault() }
                return [UInt8(number)]
            },
            decode: { bytes in
                if bytes == [2] { throw Fault() }
                return Int(bytes[0])
            })
        let results = ResultCollector(budget: .bytes(smallBudget), coding: coding)
        try results.append(0)
        expectError(.resultNotEncodable) { try results.append(1) }
        try results.append(2)
        try results.append(3)
        let codes = results.map(\.code)
        #expect(codes == [nil, .damagedResult, nil])
        #expect(results.report.refusedCount == 1 && results.report.damagedCount == 1)
    }

    @Test func aResultMayBeLargerThanABlockButNotThanTheBudget() throws {
        let results = byteCollector()
        let large = [UInt8](repeating: 7, count: smallBudget - 4096)
        try append(0..<30, to: results)
        try results.append(large)
        #expect(results.memoryByteCount <= smallBudget)
        let error = expectError(.resultTooLarge) { try results.append([UInt8](repeating: 7, count: smallBudget)) }
        #expect(error?.message.contains("largest block, 131072 bytes") == true)
        try results.append(numberedBytes(31))
        #expect(try results.result(at: 30) == large)
        #expect(
            try results.map { try $0.get().count } == (0..<30).map { numberedBytes($0).count } + [
                large.count, numberedBytes(31).count,
            ])
    }

    @Test func anIteratorSeesWhatWasThereAndEndsAtARemoval() throws {
        let results = byteCollector()
        try append(0..<100, to: results)
        let iterator = results.makeIterator()
        for number in 0..<50 { #expect(try iterator.next()?.get() == numberedBytes(number)) }
        try append(100..<400, to: results)
        #expect(try results.freeMemory(.shrink) > 0)
        for number in 50..<100 { #expect(try iterator.next()?.get() == numberedBytes(number)) }
        #expect(iterator.next() == nil)

        let other = results.makeIterator()
        for number in 0..<5 { #expect(try other.next()?.get() == numberedBytes(number)) }
        #expect(results.removeAll() == 400)
        #expect(results.memoryByteCount == 0 && results.spilledByteCount == 0 && results.isEmpty)
        try append(0..<400, to: results)
        // What its block holds may still come, and nothing of what is there now.
        let rest = try Array(IteratorSequence(other)).map { try $0.get() }
        #expect(rest == (5..<5 + rest.count).map(numberedBytes) && rest.count < 30)
        expectNumbered(results, 400)
    }

    @Test func aRemovalEndsWhateverReads() throws {
        let results = byteCollector()
        try append(0..<400, to: results)
        let codes = results.map { result in
            results.removeAll()
            return result.code
        }
        #expect((1..<30).contains(codes.count) && codes.allSatisfy { $0 == nil })
    }

    @Test func aClosedOneTakesNothing() throws {
        let results = byteCollector()
        try append(0..<200, to: results)
        results.close()
        results.close()
        #expect(results.isEmpty && results.memoryByteCount == 0 && results.makeIterator().next() == nil)
        expectError(.invalidState) { try results.append([1]) }
    }

    @Test func settingsThatAreNotAcceptedAreToldByTheFirstAppend() throws {
        func message(_ budget: ResultBudget, _ spill: ResultSpill = ResultSpill()) -> String? {
            expectError(.invalidConfiguration) {
                try ResultCollector<[UInt8]>(budget: budget, spill: spill).append([1])
            }?.message
        }
        #expect(
            message(.bytes(smallBudget - 1)) == "a result budget of 131071 bytes is not accepted: 131072 and more are")
        for percent in [0, -1, 101, .nan] {
            #expect(
                message(.percentOfAvailable(percent))
                    == "a result budget of \(percent) % is not accepted: above 0 and up to 100 are")
        }
        #expect(
            message(.bytes(smallBudget), ResultSpill(maximumBytes: -1))
                == "the spill's maximumBytes is -1: accepted are 0 and more bytes")
        #expect(message(.bytes(smallBudget), ResultSpill(minimumFreeBytes: -1))?.contains("minimumFreeBytes") == true)
        let results = ResultCollector<[UInt8]>(budget: .percentOfAvailable(101))
        #expect(results.report.memoryLimitBytes == 0 && results.makeIterator().next() == nil)
        expectError(.invalidConfiguration) { try results.freeMemory(.trim) }
    }

    @Test func aPercentageIsOfWhatTheProcessMayUse() throws {
        #expect(try ResultBudget.percentOfAvailable(20).limitBytes(of: 10 << 20) == 2 << 20)
        #expect(try ResultBudget.percentOfAvailable(100).limitBytes(of: 10 << 20) == 10 << 20)
        #expect(try ResultBudget.percentOfAvailable(100).limitBytes(of: .max) == .max)
        expectError(.outOfResources) { try ResultBudget.percentOfAvailable(20).limitBytes(of: nil) }
        expectError(.invalidConfiguration) { try ResultBudget.percentOfAvailable(1).limitBytes(of: 1 << 20) }
    }

    @Test func theReportHasTheKeysThatReadersKnow() throws {
        let results = byteCollector()
        try append(0..<100, to: results)
        let json = try JSONEncoder().encode(results.report)
        let keys = (try JSONSerialization.jsonObject(with: json) as? [String: Any])?.keys.sorted()
        #expect(
            keys == [
                "count", "damaged_count", "memory_bytes", "memory_limit_bytes", "name", "peak_memory_bytes",
                "refused_count",
                "spill_directory", "spill_limit_bytes", "spilled_bytes", "spilled_count",
                "temporary_directory_is_memory",
            ])
        #expect(try JSONDecoder().decode(ResultCollectorReport.self, from: json) == results.report)
    }
}
