/// One of those that are compared.
public struct Contestant {
    public let name: String
    /// Does it once, and answers what it took, in whatever unit all of them use.
    public let turn: () throws -> Double

    public init(_ name: String, turn: @escaping () throws -> Double) {
        (self.name, self.turn) = (name, turn)
    }
}

/// Gives each its turn, `rounds` times, and answers each one's numbers. The order goes forth and back, so that none is
/// always after the same other; a first round, which warms caches, does not count.
public func byTurns(_ contestants: [Contestant], rounds: Int) throws -> [[Double]] {
    var numbers = contestants.map { _ in [Double]() }
    for round in 0...rounds {
        let order = Array(contestants.indices)
        for index in round.isMultiple(of: 2) ? order : order.reversed() {
            let number = try contestants[index].turn()
            if round > 0 { numbers[index].append(number) }
        }
    }
    return numbers
}
