import CPeers
import Measuring
import Rings

/// Single writes of 2 KiB: what each takes.
struct ProducerCase {
    enum Kind: CaseIterable {
        /// Nobody else is at the ring. The writing thread empties it now and then, where it would refuse.
        case idle
        /// Another thread takes out what there is, without a pause.
        case hammered
    }

    static let shape = ChunkShape(byteCount: 2048)
    /// Writes of a slice, of which p99.99 is the fifth slowest.
    static let writes = 50_000

    let kind: Kind
    let pair: ThreadPair
    let nanosecondsPerTick: Double
    let ticks = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: writes)
    private let stop = UnsafeMutablePointer<Int32>.allocate(capacity: 1)

    init(kind: Kind, pair: ThreadPair, nanosecondsPerTick: Double) {
        (self.kind, self.pair, self.nanosecondsPerTick) = (kind, pair, nanosecondsPerTick)
        ticks.initialize(repeating: 0)
    }

    /// The times of each, in turns. A first slice each does not count.
    func measure(_ rings: [any TestedRing], evicting: Set<String>, rounds: Int) throws -> [WriteTimes] {
        var times = rings.map { _ in WriteTimes() }
        for round in 0...rounds {
            let order = Array(rings.indices)
            for index in round.isMultiple(of: 2) ? order : order.reversed() {
                slice(rings[index], evicts: evicting.contains(rings[index].name))
                if round > 0 { times[index].add(ticks, nanosecondsPerTick: nanosecondsPerTick) }
            }
        }
        return times
    }

    private func slice(_ ring: any TestedRing, evicts: Bool) {
        ring_set(stop, 0)
        switch kind {
        case .hammered:
            pair.run(
                {
                    ring.produceTimed(ticks)
                    ring_set(stop, 1)
                }, { ring.hammer(until: stop) })
        case .idle where evicts: pair.run({ ring.produceTimed(ticks) }, {})
        case .idle:
            pair.run(
                {
                    for start in stride(from: 0, to: ticks.count, by: ChunkShape.slots) {
                        let end = min(start + ChunkShape.slots, ticks.count)
                        ring.produceTimed(UnsafeMutableBufferPointer(rebasing: ticks[start..<end]))
                        ring.empty()
                    }
                }, {})
        }
        ring.empty()
    }
}
