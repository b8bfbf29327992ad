import Foundation
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

struct ResultStressTests {
    /// The smallest budget, which is four blocks.
    private let budget = 128 << 10

    /// Two append, one iterates, one spills, and one removes all now and then.
    @Test(.timeLimit(.minutes(5))) func everythingAtOnce() throws {
        let results = ResultCollector<[UInt8]>(
            budget: .bytes(budget), spill: ResultSpill(directory: NSTemporaryDirectory(), minimumFreeBytes: 0))
        /// Which of the others have done enough.
        let done = Lock<Set<String>>([])
        let isOver = Lock(false)
        func others(_ name: String, until enough: Int, _ round: @escaping @Sendable () throws -> Int) throws
            -> ThreadResult<Int>
        {
            try ThreadResult {
                var sum = 0
                while !isOver.withLock({ $0 }) {
                    sum += try round()
                    if sum >= enough { _ = done.withLock { $0.insert(name) } }
                }
                return sum
            }
        }
        let appenders = try (0..<2).map { thread in
            try ThreadResult {
                var number = 0
                while number < 500 || done.withLock({ $0.count }) < 3 {
                    // All bytes of a result are the same, so that a mixture shows.
                    try results.append([UInt8](repeating: UInt8(number & 127 | thread << 7), count: 1 + number % 900))
                    number += 1
                }
                return number
            }
        }
        let reader = try others("reader", until: 1000) {
            try results.reduce(0) { count, result in
                let bytes = try result.get()
                if bytes != [UInt8](repeating: bytes[0], count: bytes.count) { Issue.record("results are mixed up") }
                return count + 1
            }
        }
        let spiller = try others("spiller", until: 10 * budget / 4) {
            usleep(300)
            return try results.freeMemory(.shrink)
        }
        let remover = try others("remover", until: 1000) {
            usleep(300)
            if results.memoryByteCount > budget { Issue.record("more is held than the budget") }
            return results.count > 500 ? results.removeAll() : 0
        }
        let appended = try appenders.map { try $0.value() }.reduce(0, +)
        isOver.withLock { $0 = true }
        #expect(try reader.value() >= 1000)
        #expect(try spiller.value() >= 10 * budget / 4)
        #expect(try remover.value() + results.count == appended)
        #expect(results.report.damagedCount == 0 && results.report.refusedCount == 0)
    }
}
