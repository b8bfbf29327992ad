import Synchronization
package import VoiceAudioCore

/// What a capture has delivered and lost. Written by the capture thread, read by anybody.
package final class CaptureCounters: Sendable {
    /// Frames of the stream so far: delivered and lost, without paused ones.
    let position = Atomic<Int>(0)
    let framesDelivered = Atomic<Int>(0)
    let framesDiscardedInPause = Atomic<Int>(0)
    let overruns = Atomic<Int>(0)
    let framesLostExactly = Atomic<Int>(0)
    let framesLostEstimated = Atomic<Int>(0)
    let reopenings = Atomic<Int>(0)
    /// Place of the clock among all, and the drift's bits; one that is not a number while unknown.
    private let clock = Atomic<Int>(CaptureCounters.place(of: .arrival))
    private let drift = Atomic<UInt64>(Double.nan.bitPattern)
    /// When the newest frame ended that was handed out, told to be lost, or left out in a pause; or the capture began. In
    /// nanoseconds of the monotonic clock.
    private let frameEnd = Atomic<Int64>(0)
    /// The newest chunk's level, for ``AudioLevel/init(bits:)``.
    let level = Atomic<UInt64>(0)

    /// Frames of the stream so far.
    package var streamPosition: Int { position.load(ordering: .acquiring) }

    /// The newest chunk's level.
    package var newestLevel: AudioLevel { AudioLevel(bits: level.load(ordering: .relaxed)) }

    /// When the newest frame ended that was handed out, told to be lost, or left out in a pause; or the capture began.
    var newestFrameEnd: MonotonicInstant { MonotonicInstant(nanoseconds: frameEnd.load(ordering: .acquiring)) }

    func noteStart(at now: MonotonicInstant) { frameEnd.store(now.nanoseconds, ordering: .releasing) }

    func noteFrames(_ count: Int) {
        Self.add(count, to: position)
        Self.add(count, to: framesDelivered)
    }

    /// Frames were handed out, or told to be lost.
    func noteHandedOut(until end: MonotonicInstant) { frameEnd.store(end.nanoseconds, ordering: .releasing) }

    /// Counts on from where another capture has ended.
    ///
    /// - Parameter position: The stream position of what comes next.
    func goOn(from earlier: CaptureCounters, at position: Int) {
        self.position.store(position, ordering: .releasing)
        framesDelivered.store(earlier.framesDelivered.load(ordering: .relaxed), ordering: .relaxed)
        framesDiscardedInPause.store(earlier.framesDiscardedInPause.load(ordering: .relaxed), ordering: .relaxed)
        overruns.store(earlier.overruns.load(ordering: .relaxed), ordering: .relaxed)
        framesLostExactly.store(earlier.framesLostExactly.load(ordering: .relaxed), ordering: .relaxed)
        framesLostEstimated.store(earlier.framesLostEstimated.load(ordering: .relaxed), ordering: .relaxed)
        reopenings.store(earlier.reopenings.load(ordering: .relaxed) + 1, ordering: .relaxed)
        frameEnd.store(earlier.newestFrameEnd.nanoseconds, ordering: .relaxed)
    }

    func noteDiscarded(_ count: Int, until end: MonotonicInstant) {
        Self.add(count, to: framesDiscardedInPause)
        frameEnd.store(end.nanoseconds, ordering: .releasing)
    }

    func noteLoss(_ loss: AudioLoss) {
        Self.add(loss.frames, to: position)
        if loss.isExact {
            Self.add(loss.frames, to: framesLostExactly)
        } else {
            Self.add(loss.frames, to: framesLostEstimated)
        }
        Self.add(1, to: overruns)
    }

    func noteReopening() { Self.add(1, to: reopenings) }

    func noteTiming(_ timing: CaptureTiming) {
        clock.store(Self.place(of: timing.clock), ordering: .relaxed)
        drift.store((timing.driftPPM ?? .nan).bitPattern, ordering: .relaxed)
    }

    private static func place(of clock: CaptureClock) -> Int {
        // In the order of all cases, which are an array, made at each use.
        switch clock {
        case .monotonic: 0
        case .bootTime: 1
        case .realtime: 2
        case .monotonicRaw: 3
        case .arrival: 4
        }
    }

    private var timing: CaptureTiming {
        let ppm = Double(bitPattern: drift.load(ordering: .relaxed))
        return CaptureTiming(
            clock: CaptureClock.allCases[clock.load(ordering: .relaxed)], driftPPM: ppm.isNaN ? nil : ppm)
    }

    /// One thread writes: no read-modify-write instruction is needed.
    private static func add(_ count: Int, to counter: borrowing Atomic<Int>) {
        counter.store(counter.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }

    /// What was delivered and lost so far.
    package var statistics: CaptureStatistics {
        let timing = timing
        return CaptureStatistics(
            framesDelivered: framesDelivered.load(ordering: .relaxed),
            framesDiscardedInPause: framesDiscardedInPause.load(ordering: .relaxed),
            overruns: overruns.load(ordering: .relaxed), framesLostExactly: framesLostExactly.load(ordering: .relaxed),
            framesLostEstimated: framesLostEstimated.load(ordering: .relaxed),
            reopenings: reopenings.load(ordering: .relaxed), clock: timing.clock, driftPPM: timing.driftPPM)
    }
}

/// What a capture has delivered and lost, since it was armed.
public struct CaptureStatistics: Sendable, Hashable, Codable {
    /// Frames that the device delivered.
    public var framesDelivered: Int
    /// Frames that the device delivered while paused; nobody got them.
    public var framesDiscardedInPause: Int
    /// How often the device lost frames.
    public var overruns: Int
    /// Frames that the device lost, where it could be counted.
    public var framesLostExactly: Int
    /// Frames that the device lost, where it could only be estimated as clock × rate.
    public var framesLostEstimated: Int
    /// How often the device was opened again after it was away, or because `default` came to mean another.
    public var reopenings: Int
    /// Where the frames' capture times come from.
    public var clock: CaptureClock
    /// How much faster the device's sample clock runs than its rate says, in parts per million by the monotonic clock;
    /// `nil` until it was measured for 10 s. See ``CaptureTiming/driftPPM``.
    public var driftPPM: Double?

    /// Statistics of the values given.
    public init(
        framesDelivered: Int = 0, framesDiscardedInPause: Int = 0, overruns: Int = 0, framesLostExactly: Int = 0,
        framesLostEstimated: Int = 0, reopenings: Int = 0, clock: CaptureClock = .arrival, driftPPM: Double? = nil
    ) {
        self.framesDelivered = framesDelivered
        self.framesDiscardedInPause = framesDiscardedInPause
        self.overruns = overruns
        self.framesLostExactly = framesLostExactly
        self.framesLostEstimated = framesLostEstimated
        self.reopenings = reopenings
        self.clock = clock
        self.driftPPM = driftPPM
    }

    /// All frames that the device lost.
    public var framesLost: Int { framesLostExactly + framesLostEstimated }

    enum CodingKeys: String, CodingKey {
        case framesDelivered = "frames_delivered"
        case framesDiscardedInPause = "frames_discarded_in_pause"
        case overruns
        case framesLostExactly = "frames_lost_exactly"
        case framesLostEstimated = "frames_lost_estimated"
        case reopenings
        case clock
        case driftPPM = "drift_ppm"
    }
}
