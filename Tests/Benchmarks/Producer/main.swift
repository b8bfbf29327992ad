// What one write takes at worst: the library's append under each rule, and what others write with.
import Measuring
import Rings
import VoiceAudio

let options = Options()
let rounds = options.rounds ?? (options.isQuick ? 12 : 150)
let pair = ThreadPair()
let nanosecondsPerTick = measuredNanosecondsPerTick()

var rings: [any TestedRing] = []
var missing: [(name: String, reason: String)] = []
for (module, name) in PeerRing.all {
    do {
        rings.append(try PeerRing(module: module, name: name, in: options.peers, shape: ProducerCase.shape))
    } catch { missing.append((name, error.reason)) }
}
let peerCount = rings.count
let rules: [(OverflowPolicy.Rule, String)] = [
    (.dropOldest, "dropOldest"), (.dropNewest, "dropNewest"), (.keepNewestHalf, "keepNewestHalf"),
    (.block(.seconds(1)), "block"),
]
for (rule, name) in rules {
    rings.append(try OwnRing(name: "VoiceAudio, \(name)", rule: rule, shape: ProducerCase.shape))
}
let evicting: Set = ["VoiceAudio, dropOldest", "VoiceAudio, keepNewestHalf"]

let idleNote = "Under the rules that evict, the ring is full and each write evicts."
let hammeringNote = "The consumer takes out without a pause, so that the ring is nearly empty."

for kind in ProducerCase.Kind.allCases {
    let producerCase = ProducerCase(kind: kind, pair: pair, nanosecondsPerTick: nanosecondsPerTick)
    let times = try producerCase.measure(rings, evicting: evicting, rounds: rounds)
    let peers = times.prefix(peerCount).map { $0.at(0.9999) }
    let best = peers.min { Series($0).median < Series($1).median }
    var table = Table(
        "Producer: one write of 2 KiB, consumer \(kind == .idle ? "idle" : "hammering")",
        columns: ["contestant", "p50, ns", "p99, ns", "p99.99, ns", "max, ns", "p99.99 × the best peer's", "goal: 1 ×"])
    for (index, ring) in rings.enumerated() {
        var cells = [ring.name] + WriteTimes.shares.dropLast().map { short(Series(times[index].at($0)).median) }
        cells.append(short(times[index].at(1).max() ?? .nan))
        if let best, index >= peerCount {
            let ratios = pairedRatios(times[index].at(0.9999), to: best)
            cells += [spread(ratios), ratios.median <= 1 ? "met" : "missed"]
        }
        table.add(cells)
    }
    for peer in missing { table.add(missing: peer.name, because: peer.reason) }
    table.print(
        note: """
            Nanoseconds: less is better. \(rounds) slices of \(ProducerCase.writes) writes each, in turns: the median of the
            slices' figures, the slowest of all writes, and the median of paired ratios. Two readings of the clock are in each
            figure: \(short(clockNanoseconds(nanosecondsPerTick: nanosecondsPerTick))) ns; \(pair.places). Interruptions
            by the machine and its host are in the figures: a slice that takes longer meets more of them, which p99.99 shows. \(kind == .idle ? idleNote : hammeringNote) `RingAllocationTests` counts the
            allocations of an append: none, under every rule but block, which it leaves out.
            """)
}
