import Measuring
import Rings

/// Chunks of one size through each ring, from one thread to another.
struct RingCase {
    enum Kind {
        /// Copied in, and copied out.
        case copied
        /// Copied in, and read where it lies.
        case inPlace
    }

    let kind: Kind
    let shape: ChunkShape
    let pair: ThreadPair
    let peers: String?

    /// Chunks of a turn: 10 to 30 ms.
    private var count: Int {
        switch shape.byteCount {
        case ...512: 100_000
        case ...4096: 50_000
        default: 8_000
        }
    }

    /// Nanoseconds a chunk, turn by turn, of each that takes part; the library first, one thread alone last.
    func measure(rounds: Int) throws -> [(name: String, nanoseconds: [Double])] {
        let own = try OwnRing(name: RingTable.own, rule: .dropNewest, shape: shape)
        var contestants = kind == .inPlace ? [wholesale(own), contestant(own)] : [contestant(own)]
        for (module, name) in PeerRing.all {
            // The table says why one is missing.
            guard let ring = try? PeerRing(module: module, name: name, in: peers, shape: shape) else { continue }
            contestants.append(contestant(ring))
            if kind == .inPlace { contestants.append(wholesale(ring)) }
        }
        contestants.append(oneThread)
        return zip(contestants, try byTurns(contestants, rounds: rounds)).map { ($0.name, $1) }
    }

    private func contestant(_ ring: some TestedRing) -> Contestant {
        turn(ring.name, produce: ring.produce, consume: kind == .copied ? ring.consume : ring.consumeInPlace)
    }

    private func wholesale(_ ring: some TestedRing) -> Contestant {
        turn(RingTable.wholesale(ring.name), produce: ring.produce, consume: ring.consumeAllInPlace)
    }

    private func turn(
        _ name: String, produce: @escaping (Int) -> Void, consume: @escaping (Int) -> UInt64
    ) -> Contestant {
        Contestant(name) {
            var sum: UInt64 = 0
            let time = pair.run({ produce(count) }, { sum = consume(count) })
            check(sum, of: name)
            return time / Double(count) * 1e9
        }
    }

    private var oneThread: Contestant {
        let copying = OneThread(shape: shape)
        return Contestant(RingTable.limit(kind)) {
            var sum: UInt64 = 0
            let time = pair.run({ sum = kind == .copied ? copying.copyTwice(count) : copying.copyAndSum(count) }, {})
            check(sum, of: "one thread")
            return time / Double(count) * 1e9
        }
    }

    private func check(_ sum: UInt64, of name: String) {
        let expected = kind == .copied ? shape.sumOfEnds(count) : shape.sumOfAll(count)
        precondition(sum == expected, "\(name): wrong bytes came out: their sum is \(sum), not \(expected)")
    }
}
