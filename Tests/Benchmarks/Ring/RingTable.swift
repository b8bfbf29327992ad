import Measuring
import Rings

/// What is printed of one kind: a row a contestant, two columns a size.
struct RingTable {
    static let own = "VoiceAudio"
    static func wholesale(_ name: String) -> String { "\(name), all there is at once" }
    static func limit(_ kind: RingCase.Kind) -> String {
        kind == .copied ? "memcpy twice, one thread" : "memcpy and reading, one thread"
    }

    let kind: RingCase.Kind
    /// The results of each size, by bytes.
    let results: [(byteCount: Int, contestants: [(name: String, nanoseconds: [Double])])]

    func print(peers: String?, places: String, rounds: Int) {
        let goal = kind == .copied ? 1.0 : 1.25
        let sizes = results.map { size($0.byteCount) }
        var table = Table(
            kind == .copied ? "Ring: copied in and out" : "Ring: copied in, consumed in place",
            columns: ["contestant"] + sizes.flatMap { ["\($0), ns", "× the first"] } + ["goal: \(short(goal)) ×"])
        var isMissed = false
        for name in results[0].contestants.map(\.name) {
            var cells = [name]
            var missed: [String] = []
            for (size, result) in zip(sizes, results) {
                let own = result.contestants[0].nanoseconds
                let theirs = result.contestants.first { $0.name == name }!.nanoseconds
                let ratios = pairedRatios(theirs, to: own)
                cells += [short(Series(theirs).median), name == result.contestants[0].name ? "" : spread(ratios)]
                if ratios.median < goal { missed.append(size) }
            }
            let isPeer = ![Self.own, Self.wholesale(Self.own), Self.limit(kind)].contains(name)
            if isPeer, !missed.isEmpty { isMissed = true }
            cells.append(!isPeer ? "" : missed.isEmpty ? "met" : "missed at " + missed.joined(separator: ", "))
            table.add(cells)
        }
        for (module, name) in PeerRing.all {
            let shape = ChunkShape(byteCount: results[0].byteCount)
            do { _ = try PeerRing(module: module, name: name, in: peers, shape: shape) } catch {
                table.add(missing: name, because: error.reason)
            }
        }
        table.print(note: note(places: places, rounds: rounds) + (isMissed ? "\n\n" + Self.whyMissed : ""))
    }

    private func size(_ byteCount: Int) -> String { byteCount < 1024 ? "\(byteCount) B" : "\(byteCount / 1024) KiB" }

    /// The reasons as they were found.
    private static let whyMissed = """
        Likely reasons for what is missed, read from the code and not shown by hardware counters: the larger a chunk, the more
        of the time goes into moving the cache lines of its bytes from core to core, in every ring alike. VoiceAudio moves
        one more, the chunk's descriptor (time, numbers, losses), by which the reader also sees that the chunk is there: the
        others move the writer's index for that. It keeps counts, and borrows by a compare-and-swap, which keeps a chunk from
        being evicted while it is read. The last row is what is left where nothing goes from core to core.
        """

    private func note(places: String, rounds: Int) -> String {
        """
        Nanoseconds a chunk from one thread to another, through \(ChunkShape.slots) slots: less is better. The second column
        of a size is the median of paired ratios to the first row, with its quarters: above 1, VoiceAudio is faster. Each had
        \(rounds) slices of at most 30 ms, in turns; \(places). All spin with a pause where the ring is full or empty;
        VoiceAudio's refuses the newest then, so that nothing is lost. The sums of the bytes are checked. PortAudio's rings
        have a power of two of slots, JACK's one of bytes.
        """
    }
}
