public import VoiceAudioCore

/// From where on memory is short, and how often a ``MemoryPressureMonitor`` looks.
///
/// It has been checked: there is none with values that are not accepted.
public struct MemoryPressureConfiguration: Sendable, Hashable {
    /// 70, 80 and 90 %; the minimum of free memory follows from the limit; every 2 s.
    public static let standard = MemoryPressureConfiguration()

    /// Percent of what may be used from which on the level is `moderate`.
    public let moderatePercent: Int
    /// Percent from which on it is `high`.
    public let highPercent: Int
    /// Percent from which on it is `critical`.
    public let criticalPercent: Int
    /// Bytes to be kept free; `nil` where that follows from the limit, see ``minimumFreeBytes(ofLimit:)``.
    public let minimumFreeBytes: Int?
    /// Time between two samples at level `low`.
    public let interval: Duration

    private init() {
        moderatePercent = 70
        highPercent = 80
        criticalPercent = 90
        minimumFreeBytes = nil
        interval = .seconds(2)
    }

    /// A configuration of the values given.
    ///
    /// - Parameters:
    ///   - moderatePercent: 1 to 99, and less than `highPercent`.
    ///   - highPercent: Less than `criticalPercent`.
    ///   - criticalPercent: 99 at most.
    ///   - minimumFreeBytes: 0 or more, taken as it is; `nil` has it follow from the limit.
    ///   - interval: 100 ms to one hour.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming what was wrong and what is accepted.
    public init(
        moderatePercent: Int = 70, highPercent: Int = 80, criticalPercent: Int = 90, minimumFreeBytes: Int? = nil,
        interval: Duration = .seconds(2)
    ) throws(AudioError) {
        let percents = [moderatePercent, highPercent, criticalPercent]
        guard percents.allSatisfy((1...99).contains), moderatePercent < highPercent, highPercent < criticalPercent
        else {
            throw AudioError(
                .invalidConfiguration,
                """
                the memory pressure is to be moderate from \(moderatePercent) %, high from \(highPercent) % and critical \
                from \(criticalPercent) %: accepted are ascending values from 1 to 99
                """)
        }
        guard minimumFreeBytes ?? 0 >= 0 else {
            throw AudioError(
                .invalidConfiguration,
                "the minimum of free memory is \(minimumFreeBytes ?? 0) bytes: accepted are 0 and more")
        }
        guard (.milliseconds(100)...Duration.seconds(3600)).contains(interval) else {
            throw AudioError(
                .invalidConfiguration, "memory is to be sampled every \(interval): accepted are 100 ms to 1 hour")
        }
        self.moderatePercent = moderatePercent
        self.highPercent = highPercent
        self.criticalPercent = criticalPercent
        self.minimumFreeBytes = minimumFreeBytes
        self.interval = interval
    }

    /// Bytes to be kept free of a limit: what is set here, or else a tenth of the limit and at least 1 GiB, but never more
    /// than an eighth of the limit.
    ///
    /// So it is 10 % from 10 GiB on, 1 GiB from 8 GiB on, and 12.5 % of less: a cgroup of 512 MiB keeps 64 MiB free.
    public func minimumFreeBytes(ofLimit limitBytes: Int) -> Int {
        minimumFreeBytes ?? min(max(limitBytes / 10, 1 << 30), limitBytes / 8)
    }

    /// The percentage from which on the level is `level` at least.
    func percent(of level: MemoryPressureLevel) -> Int {
        switch level {
        case .low: 0
        case .moderate: moderatePercent
        case .high: highPercent
        case .critical: criticalPercent
        }
    }

    /// The level that a limit's use stands for.
    ///
    /// - Parameter easing: Percent of the limit by which all thresholds are lower; one below 10 % by half of itself.
    func level(of limit: MemoryLimit, easing: Int = 0) -> MemoryPressureLevel {
        MemoryPressureLevel.allCases.last { limit.usedBytes >= threshold(of: $0, in: limit, easing: easing) } ?? .low
    }

    /// Used bytes from which on the level is `level` at least: its percentage, or sooner where less than the minimum is
    /// free (`high`), or less than half of it (`critical`).
    func threshold(of level: MemoryPressureLevel, in limit: MemoryLimit, easing: Int = 0) -> Int {
        let minimum = minimumFreeBytes(ofLimit: limit.limitBytes)
        let percent = percent(of: level)
        let byPercent = part(percent - min(easing, percent / 2), of: limit.limitBytes)
        // The first used byte with which less than that is free.
        let eased = limit.limitBytes - part(easing, of: limit.limitBytes) + 1
        return switch level {
        case .low: .min
        case .moderate: byPercent
        case .high: min(byPercent, eased - minimum)
        case .critical: min(byPercent, eased - minimum / 2)
        }
    }

    /// Used bytes of a limit of that size from which on the level is `level` at least; 0 where there is no limit yet.
    package func thresholdBytes(of level: MemoryPressureLevel, ofLimit limitBytes: Int) -> Int {
        let limit = MemoryLimit(origin: .machine, limitBytes: limitBytes, usedBytes: 0)
        return limitBytes > 0 ? max(0, threshold(of: level, in: limit)) : 0
    }

    /// Percent of a limit, rounded up, without overflow.
    private func part(_ percent: Int, of limitBytes: Int) -> Int {
        limitBytes / 100 * percent + (limitBytes % 100 * percent + 99) / 100
    }
}
