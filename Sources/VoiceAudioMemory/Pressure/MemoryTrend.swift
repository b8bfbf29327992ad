import VoiceAudioCore

/// Where memory is going, by the last ten samples.
///
/// The slope is that of the straight line with the least squares of distance to them, over the time at which each was
/// taken: `Σ(t − t̄)(u − ū) / Σ(t − t̄)²`. Of fewer than three samples it is taken for steady.
public struct MemoryTrend: Sendable, Hashable, Codable {
    /// What the slope amounts to.
    public enum Direction: String, Sendable, Hashable, CaseIterable, Codable {
        /// By more than 0.02 % of the limit a second.
        case rising
        /// Within 0.02 % of the limit a second, either way.
        case steady
        /// By more than 0.02 % of the limit a second.
        case falling
    }

    /// What the slope amounts to.
    public var direction: Direction
    /// The slope: used bytes a second.
    public var bytesPerSecond: Int
    /// When the level is `critical` at this rate; `nil` where it is not rising, 0 where it is critical now.
    public var secondsToCritical: Double?

    /// A trend of the values given.
    public init(direction: Direction = .steady, bytesPerSecond: Int = 0, secondsToCritical: Double? = nil) {
        self.direction = direction
        self.bytesPerSecond = bytesPerSecond
        self.secondsToCritical = secondsToCritical
    }

    enum CodingKeys: String, CodingKey {
        case direction
        case bytesPerSecond = "bytes_per_second"
        case secondsToCritical = "seconds_to_critical"
    }
}

/// The last samples: what part of the limit was used, and when.
struct MemoryHistory: Sendable {
    static let capacity = 10
    static let averaged = 5
    /// Slopes up to this part of the limit a second are none.
    static let deadBand = 0.0002

    private var points: [(time: MonotonicInstant, usedFraction: Double)] = []

    mutating func note(_ usedFraction: Double, at now: MonotonicInstant) {
        if points.count == Self.capacity { points.removeFirst() }
        points.append((now, usedFraction))
    }

    /// The mean of the last five.
    var average: Double {
        let last = points.suffix(Self.averaged)
        return last.isEmpty ? 0 : last.reduce(0) { $0 + $1.usedFraction } / Double(last.count)
    }

    /// By the last ten.
    ///
    /// - Parameter criticalBytes: Used bytes of `limit` from which on the level is critical.
    func trend(in limit: MemoryLimit, criticalBytes: Int) -> MemoryTrend {
        let slope = slope
        // Two samples may be a nanosecond apart.
        let bytesPerSecond = min(max(slope * Double(limit.limitBytes), -1e18), 1e18)
        guard abs(slope) > Self.deadBand else { return MemoryTrend(bytesPerSecond: Int(bytesPerSecond)) }
        guard slope > 0 else { return MemoryTrend(direction: .falling, bytesPerSecond: Int(bytesPerSecond)) }
        return MemoryTrend(
            direction: .rising, bytesPerSecond: Int(bytesPerSecond),
            secondsToCritical: max(0, Double(criticalBytes - limit.usedBytes)) / bytesPerSecond)
    }

    /// Part of the limit a second.
    private var slope: Double {
        guard points.count >= 3, let start = points.first?.time else { return 0 }
        let times = points.map { Double(start.duration(to: $0.time).clampedNanoseconds) / 1e9 }
        let meanTime = times.reduce(0, +) / Double(times.count)
        let mean = points.reduce(0) { $0 + $1.usedFraction } / Double(points.count)
        var products = 0.0
        var squares = 0.0
        for (time, point) in zip(times, points) {
            products += (time - meanTime) * (point.usedFraction - mean)
            squares += (time - meanTime) * (time - meanTime)
        }
        return squares > 0 ? products / squares : 0
    }
}
