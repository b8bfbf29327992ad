import VoiceAudioCore

/// What the level is after each sample: a state machine without I/O.
///
/// - **Up, at once:** a sample at or above a level's threshold sets that level, whatever lies between.
/// - **Down, with patience:** a sample is *quiet* where it is more than 5 % of the limit below the threshold of the present
///   level. After three quiet samples in a row, the last at least 6 s after the first, the level falls to the highest that
///   any of them would hold by the same measure. One sample that is not quiet begins it all again.
///
/// - **Anew:** after a minute without a sample, or three intervals where those are longer, nothing from before counts.
///
/// So use that swings about a threshold changes the level once.
struct PressureLevels: Sendable {
    /// Percent of the limit by which thresholds are lower on the way down.
    static let easing = 5
    static let quietSamples = 3
    static let quietTime = Duration.seconds(6)
    static let longestGap = Duration.seconds(60)

    let configuration: MemoryPressureConfiguration
    private(set) var level = MemoryPressureLevel.low
    /// What the newest sample alone stands for.
    private(set) var newestLevel = MemoryPressureLevel.low
    private var history = MemoryHistory()
    private var quiet: Quiet?
    private var newestTime: MonotonicInstant?

    /// Quiet samples in a row.
    private struct Quiet: Sendable {
        let since: MonotonicInstant
        var count = 0
        /// The level that they would hold.
        var level = MemoryPressureLevel.low
    }

    init(configuration: MemoryPressureConfiguration) { self.configuration = configuration }

    /// Takes a sample, and answers how it stands. `nil`, and nothing changed, where the sample has no limit.
    mutating func note(_ sample: MemorySample, at now: MonotonicInstant) -> MemoryPressureStatus? {
        let sample = sample.clamped
        guard let limit = decidingLimit(of: sample) else { return nil }
        if let newestTime, newestTime.duration(to: now) > max(Self.longestGap, configuration.interval * 3) {
            self = PressureLevels(configuration: configuration)
        }
        newestTime = now
        newestLevel = configuration.level(of: limit)
        move(held: sample.limits.map { configuration.level(of: $0, easing: Self.easing) }.max() ?? .low, at: now)
        history.note(limit.usedFraction, at: now)
        var status = MemoryPressureStatus()
        status.level = level
        status.origin = limit.origin
        status.groupPath = limit.groupPath
        status.limitBytes = limit.limitBytes
        status.usedBytes = limit.usedBytes
        status.freeBytes = limit.freeBytes
        status.minimumFreeBytes = configuration.minimumFreeBytes(ofLimit: limit.limitBytes)
        status.headroomBytes = sample.limits.map(headroom).min() ?? 0
        status.capacityBytes = sample.capacityBytes
        status.usedPercent = limit.usedFraction * 100
        status.averagePercent = history.average * 100
        status.trend = history.trend(
            in: limit, criticalBytes: configuration.threshold(of: .critical, in: limit))
        status.processRSSBytes = sample.processRSSBytes
        status.sampledAt = now
        return status
    }

    private mutating func move(held: MemoryPressureLevel, at now: MonotonicInstant) {
        if newestLevel > level {
            level = newestLevel
            quiet = nil
        } else if held >= level {
            quiet = nil
        } else {
            var run = quiet ?? Quiet(since: now)
            run.count += 1
            run.level = max(run.level, held)
            quiet = run
            guard run.count >= Self.quietSamples, run.since.duration(to: now) >= Self.quietTime else { return }
            level = run.level
            quiet = nil
        }
    }

    /// The limit of the highest level, and of those the one of which the largest part is used.
    private func decidingLimit(of sample: MemorySample) -> MemoryLimit? {
        sample.limits.max {
            (configuration.level(of: $0), $0.usedFraction) < (configuration.level(of: $1), $1.usedFraction)
        }
    }

    private func headroom(of limit: MemoryLimit) -> Int {
        max(0, limit.freeBytes - configuration.minimumFreeBytes(ofLimit: limit.limitBytes))
    }
}

extension MemoryPressureStatus {
    /// How long to wait for the next sample: half the interval at `moderate`, or where `critical` is less than a minute away;
    /// a quarter at `high`, an eighth at `critical`.
    func timeToNextSample(at interval: Duration) -> Duration {
        switch level {
        case .low: trend.secondsToCritical.map { $0 < 60 } == true ? interval / 2 : interval
        case .moderate: interval / 2
        case .high: interval / 4
        case .critical: interval / 8
        }
    }
}
