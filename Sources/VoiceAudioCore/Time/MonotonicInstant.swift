/// A point on the monotonic clock (`CLOCK_MONOTONIC`): nanoseconds since an arbitrary start.
public struct MonotonicInstant: Sendable, Hashable, Comparable, InstantProtocol {
    /// Nanoseconds since the clock's start.
    public let nanoseconds: Int64

    /// The instant that many nanoseconds after the clock's start.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The instant `duration` later, or earlier where it is negative; the last or first there is where that overflows.
    public func advanced(by duration: Duration) -> Self {
        advanced(byNanoseconds: duration.clampedNanoseconds)
    }

    /// The same, for where a capture thread reckons: see ``AudioFormat/nanoseconds(ofFrames:)``.
    package func advanced(byNanoseconds count: Int64) -> Self {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(count)
        return Self(nanoseconds: overflow ? (count < 0 ? .min : .max) : sum)
    }

    /// How much later `other` is; negative where it is earlier.
    public func duration(to other: Self) -> Duration { .nanoseconds(other.nanoseconds) - .nanoseconds(nanoseconds) }

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// As the number of its nanoseconds.
extension MonotonicInstant: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(nanoseconds: try decoder.singleValueContainer().decode(Int64.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, cut off at ±292 years.
    package var clampedNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, tooLarge) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return tooLarge ? (seconds < 0 ? .min : .max) : sum
    }
}
