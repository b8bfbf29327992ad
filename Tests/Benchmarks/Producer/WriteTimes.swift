import CPeers
import Measuring
import Rings

/// The times of single writes, slice by slice, in nanoseconds.
struct WriteTimes {
    /// The shares of all writes that are told of; 1 is the slowest of all.
    static let shares = [0.5, 0.99, 0.9999, 1]

    /// A slice's time at each share.
    private(set) var slices: [[Double]] = []

    mutating func add(_ ticks: UnsafeMutableBufferPointer<UInt32>, nanosecondsPerTick: Double) {
        let series = Series(ticks.lazy.map { Double($0) * nanosecondsPerTick })
        slices.append(Self.shares.map(series.quantile))
    }

    /// The times at a share, slice by slice.
    func at(_ share: Double) -> [Double] { slices.map { $0[Self.shares.firstIndex(of: share)!] } }
}

/// Nanoseconds that a tick takes: as long as the monotonic clock says.
func measuredNanosecondsPerTick() -> Double {
    let (startTicks, start) = (ring_ticks(), seconds())
    while seconds() < start + 0.05 {}
    return (seconds() - start) * 1e9 / Double(ring_ticks() - startTicks)
}

/// What reading the clock twice takes, with nothing in between: it is in every time.
func clockNanoseconds(nanosecondsPerTick: Double) -> Double {
    Series((0..<10_000).map { _ in -Double(ring_ticks()) + Double(ring_ticks()) }).median * nanosecondsPerTick
}
