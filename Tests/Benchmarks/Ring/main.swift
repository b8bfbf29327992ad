// Chunks from one thread to another, through the library's ring and through others'.
import Measuring
import Rings

let options = Options()
let rounds = options.rounds ?? (options.isQuick ? 20 : 300)
let pair = ThreadPair()
for kind in [RingCase.Kind.copied, .inPlace] {
    let results = try [320, 2048, 16384].map { byteCount in
        let ringCase = RingCase(kind: kind, shape: ChunkShape(byteCount: byteCount), pair: pair, peers: options.peers)
        return (byteCount, try ringCase.measure(rounds: rounds))
    }
    RingTable(kind: kind, results: results).print(peers: options.peers, places: pair.places, rounds: rounds)
}
