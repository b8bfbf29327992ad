import TestSupport
import Testing
import VoiceAudioCore

/// One ring takes another's content over.
@Suite struct MovingContentTests {
    private func ring() throws -> BoundedAudioBuffer {
        try BoundedAudioBuffer(
            maxChunks: 100, maxBytes: 200, overflow: .uniform(.dropOldest), format: .speech, maxChunkBytes: 2)
    }

    /// Who throws content away does not wait until it has moved.
    @Test func whatIsThrownAwayMeanwhileIsMissingWhereItWas() throws {
        for _ in 0..<500 {
            let old = try ring()
            for number in Int16(0)..<100 { old.append([number]) }
            let new = try ring()
            let cleaner = try ThreadResult {
                for kept in stride(from: 90, to: -1, by: -10) { old.removeAll(butNewest: kept) }
            }
            var producer = try new.takeProducer()
            producer.takeContent(of: old)
            try cleaner.value()
            #expect(producer.buffer.nextNumbers.framePosition == 100)
            while let chunk = try new.popFirst() {
                let number = chunk.withSamples(as: Int16.self) { Int($0[0]) }
                #expect(chunk.header.framePosition == number)
            }
        }
    }
}
