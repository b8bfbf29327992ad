/// Numbers of one thing that was measured again and again.
public struct Series: Sendable {
    public private(set) var sorted: [Double]

    public init(_ numbers: some Sequence<Double>) { sorted = numbers.sorted() }

    public var median: Double { quantile(0.5) }
    public var mean: Double { sorted.reduce(0, +) / Double(sorted.count) }

    /// The number that a share of `part` of all is not above: the nearest rank. NaN where there is none.
    public func quantile(_ part: Double) -> Double {
        guard !sorted.isEmpty else { return .nan }
        let rank = (part * Double(sorted.count)).rounded(.up)
        return sorted[min(max(Int(rank) - 1, 0), sorted.count - 1)]
    }
}

/// Ratios of two contestants' numbers, turn by turn. A machine that grows slower for a while slows both of a pair, so that
/// the median of these says more than the ratio of two medians.
public func pairedRatios(_ some: [Double], to others: [Double]) -> Series {
    Series(zip(some, others).map { $0 / $1 })
}
