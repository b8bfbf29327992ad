import Measuring

/// Rivals that capture so many streams at once, by turns.
struct Contest {
    /// What one rival measured with one count, round by round; or why it could not.
    struct Outcome {
        var figures: [Figures] = []
        var failure: String?

        func median(_ number: (Figures) -> Double) -> Double { Series(figures.map(number)).median }
    }

    /// How much more than one stream alone each of many may take, for the line to be straight.
    static let mostGrowth = 1.1

    private let rivals: [Rival]
    private let counts: [Int]
    private let seconds: Double

    init(_ rivals: [Rival], counts: [Int], seconds: Double) {
        (self.rivals, self.counts, self.seconds) = (rivals, counts, seconds)
    }

    /// Outcomes by rival and count.
    func run(rounds: Int) -> [[Outcome]] {
        var outcomes = rivals.map { _ in counts.map { _ in Outcome() } }
        let turns = rivals.indices.flatMap { rival in counts.indices.map { (rival, $0) } }
        for round in 0..<rounds {
            // Forth and back, so that none is always after the same other.
            for (rival, place) in round.isMultiple(of: 2) ? turns : turns.reversed() where rivals[rival].lacking == nil
            {
                do {
                    let figures = try rivals[rival].run(count: counts[place], seconds: seconds)
                    outcomes[rival][place].figures.append(figures)
                } catch { outcomes[rival][place].failure = (error as? Missing)?.reason ?? "\(error)" }
            }
        }
        return outcomes
    }

    func table(_ title: String, _ outcomes: [[Outcome]]) -> Table {
        var table = Table(
            title,
            columns: [
                "contestant", "at once", "% of a core", "% for each", "each, to one alone",
                "straight line, nothing lost",
                "lost frames", "late, ms: p50, p99, max", "threads", "KiB for each more", "of it sound held",
            ])
        for (rival, outcomes) in zip(rivals, outcomes) {
            if let reason = rival.lacking {
                table.add(missing: rival.name, because: reason)
            } else {
                for (count, outcome) in zip(counts, outcomes) {
                    add(outcome, of: rival.name, count: count, besideOne: outcomes[0], to: &table)
                }
            }
        }
        return table
    }

    private func add(_ outcome: Outcome, of name: String, count: Int, besideOne one: Outcome, to table: inout Table) {
        if let failure = outcome.failure {
            return table.add(missing: "\(name), \(count) at once", because: failure)
        }
        let each = outcome.figures.map { $0.processorPercent / Double(count) }
        let growth = pairedRatios(each, to: one.figures.map(\.processorPercent))
        let lost = outcome.figures.map(\.lostFrames).reduce(0, +)
        let isMet = growth.median <= Self.mostGrowth && lost == 0
        let more = (outcome.median(\.residentKiB) - one.median(\.residentKiB)) / Double(count - 1)
        table.add(
            name, String(count), short(outcome.median(\.processorPercent)), short(Series(each).median),
            count == 1 ? "1" : spread(growth), isMet ? "met" : "missed", short(lost),
            (0..<3).map { place in short(outcome.median { $0.delays[place] }) }.joined(separator: ", "),
            String(Int(outcome.median(\.threads))), count == 1 ? "-" : short(more),
            short(outcome.median(\.ringKiB) / Double(count)))
    }
}
