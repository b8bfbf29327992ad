import VoiceAudioCore

/// Finds out on which clock a PCM stamps, and how old its stamps are.
///
/// Plugins stamp on whatever clock they like, whatever was asked for, or not at all: only a stamp that a clock could
/// have shown in the last moments counts.
struct PCMTimestamps {
    private(set) var clock = CaptureClock.arrival
    /// Nanoseconds that a stamp may be old.
    private let patience: Int64
    /// A stamp is taken a moment before the clock is read; a clock with coarse ticks may still seem to be ahead.
    private static let tolerance: Int64 = 1_000_000
    private static let clocks: [(CaptureClock, SystemClockID)] = [
        (.monotonic, .monotonic), (.bootTime, .bootTime), (.realtime, .realtime), (.monotonicRaw, .monotonicRaw),
    ]
    private var systemClock: SystemClockID?
    /// Useless stamps in a row; after some, the clock is looked for again, and at last no more.
    private var uselessStamps = 0
    private static let uselessLimit = 8
    private static let searchLimit = 100

    init(patience: Duration) { self.patience = patience.clampedNanoseconds }

    /// How long ago the device stamped, in nanoseconds; `nil` where the stamp is of no use.
    mutating func age(of stamp: Int64, calls: any ALSACalls) -> Int64? {
        guard stamp > 0 else { return noteUseless() }
        if let systemClock {
            if let age = plausibleAge(of: stamp, on: systemClock, calls: calls) { return age }
            return noteUseless()
        }
        guard uselessStamps < Self.searchLimit else { return nil }
        for (name, id) in Self.clocks {
            if let age = plausibleAge(of: stamp, on: id, calls: calls) {
                clock = name
                systemClock = id
                return age
            }
        }
        return noteUseless()
    }

    private mutating func plausibleAge(of stamp: Int64, on clock: SystemClockID, calls: any ALSACalls) -> Int64? {
        let age = calls.reading(of: clock) &- stamp
        guard age >= -Self.tolerance, age <= patience else { return nil }
        uselessStamps = 0
        return max(0, age)
    }

    private mutating func noteUseless() -> Int64? {
        uselessStamps += 1
        if uselessStamps >= Self.uselessLimit {
            systemClock = nil
            clock = .arrival
        }
        return nil
    }
}
