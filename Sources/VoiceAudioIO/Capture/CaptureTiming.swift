/// Where the capture times of a stream come from.
public enum CaptureClock: String, Sendable, Hashable, CaseIterable, Codable {
    /// The device stamps its frames on the monotonic clock.
    case monotonic
    /// The device stamps on the boot-time clock, which goes on while the machine sleeps; converted.
    case bootTime = "boot time"
    /// The device stamps on the wall clock, which may be set; converted at each stamp.
    case realtime
    /// The device stamps on the monotonic clock without the corrections of a time server; converted.
    case monotonicRaw = "monotonic raw"
    /// The device has no stamps of use: a frame counts as captured so long before its arrival as it and what waits
    /// behind it last.
    case arrival
}

/// What is known of a stream's times.
public struct CaptureTiming: Sendable, Hashable {
    /// Where capture times come from. All are given on the monotonic clock, and never run backward.
    public var clock: CaptureClock
    /// How much faster the device's sample clock runs than its rate says by the monotonic clock, in parts per million;
    /// negative where it is slower. `nil` until 10 s were measured without a gap.
    ///
    /// A period's uncertainty over the time measured: after 10 s, at periods of 10 ms, 1000 ppm; after an hour, 3.
    public var driftPPM: Double?

    /// Timing of the values given: by arrival, unless told otherwise.
    public init(clock: CaptureClock = .arrival, driftPPM: Double? = nil) {
        self.clock = clock
        self.driftPPM = driftPPM
    }
}
