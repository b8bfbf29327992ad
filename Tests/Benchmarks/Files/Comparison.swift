import Measuring

/// One of those that write a file: what a turn of it takes, in milliseconds a file.
struct Writer {
    let name: String
    /// How many times its speed ours is to have at least.
    var goal: Double?
    let turn: () throws -> Double
}

/// A table of what ours and the peers take for files of some sizes.
struct Comparison {
    private var table: Table

    init(_ title: String) {
        table = Table(title, columns: ["bytes", "contestant", "ms a file", "MB/s", "ours is × as fast", "goal"])
    }

    /// Gives each its turns. The first is ours.
    mutating func add(byteCount: Int, rounds: Int, _ writers: [Writer], missing: [(peer: String, reason: String)] = [])
        throws
    {
        let times = try byTurns(writers.map { Contestant($0.name, turn: $0.turn) }, rounds: rounds)
        for (writer, numbers) in zip(writers, times) {
            let median = Series(numbers).median
            let ratios = pairedRatios(numbers, to: times[0])
            table.add(
                sizeName(byteCount), writer.name, short(median), short(Double(byteCount) / 1000 / median),
                writer.name == writers[0].name ? "1" : spread(ratios),
                writer.goal.map { "\(short($0)): \(ratios.median >= $0 ? "met" : "missed")" } ?? "")
        }
        for (peer, reason) in missing { table.add(sizeName(byteCount), peer, "could not run: \(reason)") }
    }

    func print(note: String) { table.print(note: note) }
}

private func sizeName(_ byteCount: Int) -> String {
    byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB"
}
