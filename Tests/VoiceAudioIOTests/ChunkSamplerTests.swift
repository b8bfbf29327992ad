import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Which chunks a rate lets through.
struct ChunkSamplerTests {
    private let format = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s16)

    /// The chunks that are taken of 10 s, by number.
    ///
    /// - Parameter stamp: What is added to the time of each chunk, in microseconds.
    private func taken(chunkMilliseconds: Int, atMost rate: Double, stamp: (Int) -> Int = { _ in 0 }) -> [Int] {
        var sampler = ChunkSampler(interval: .seconds(1) / rate, format: format)
        return (0..<10_000 / chunkMilliseconds).filter { number in
            let time = 1_000_000 + number * chunkMilliseconds * 1000 + stamp(number)
            let captureTime = MonotonicInstant(nanoseconds: Int64(time) * 1000)
            guard sampler.wants(captureTime) else { return false }
            sampler.noteTaken(captureTime, byteCount: chunkMilliseconds * 32)
            return true
        }
    }

    @Test(arguments: [(10, 20.0), (30, 20), (7, 13), (20, 49), (50, 20), (3, 0.5)])
    func theRateIsMet(chunkMilliseconds: Int, rate: Double) {
        let taken = taken(chunkMilliseconds: chunkMilliseconds, atMost: rate)
        let limit = Int(10 * rate)
        #expect(limit - 1...limit + 1 ~= taken.count)
        // In no second more than one too many.
        let perSecond = 1000 / chunkMilliseconds
        for start in taken { #expect(taken.count { start..<start + perSecond ~= $0 } <= max(1, Int(rate)) + 1) }
    }

    @Test func allWhereChunksAreFewer() { #expect(taken(chunkMilliseconds: 100, atMost: 20).count == 100) }

    @Test func stampsThatTrembleCostNoChunk() {
        var generator = SeededGenerator(seed: 7)
        let tremble = (0..<200).map { _ in Int.random(in: -3000...3000, using: &generator) }
        #expect(taken(chunkMilliseconds: 50, atMost: 20) { tremble[$0] }.count >= 199)
        #expect((200...201) ~= taken(chunkMilliseconds: 10, atMost: 20) { tremble[$0 % 200] }.count)
    }

    @Test func aGapIsNotMadeUpFor() {
        let taken = taken(chunkMilliseconds: 10, atMost: 10) { $0 < 100 ? 0 : 60_000_000 }
        #expect(taken.count { 100..<110 ~= $0 } <= 2)
        #expect(100...102 ~= taken.count)
    }
}
