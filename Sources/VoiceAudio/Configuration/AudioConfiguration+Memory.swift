public import VoiceAudioCore
public import VoiceAudioMemory

extension AudioConfiguration {
    /// From where on memory is short, as set here; the rest as it is by default.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where the percentages are not accepted.
    public var memoryPressure: MemoryPressureConfiguration {
        get throws(AudioError) {
            try MemoryPressureConfiguration(
                moderatePercent: pressureModeratePercent, highPercent: pressureHighPercent,
                criticalPercent: pressureCriticalPercent)
        }
    }

    /// How much memory a ``ResultCollector`` may hold results in, as set here.
    public var resultBudget: ResultBudget { .percentOfAvailable(Double(resultMemoryPercent)) }

    /// Where a ``ResultCollector`` puts results that its memory has no room for, by the settings of temporary files: another
    /// directory where that is memory.
    public var resultSpill: ResultSpill {
        ResultSpill(temporaryDirectory: temporaryDirectory, minimumFreeBytes: minimumFreeDiskBytes)
    }
}

extension MemoryPressureMonitor {
    /// A monitor by the program's settings: the percentages of memory pressure, and the least severe log level.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming what is not accepted.
    public convenience init(
        configuration: AudioConfiguration, source: any MemorySource = SystemMemorySource(),
        clock: any AudioClock = SystemClock(), logSink: any AudioLogSink = SilentLogSink()
    ) throws(AudioError) {
        try configuration.validate()
        self.init(
            configuration: try configuration.memoryPressure, source: source, clock: clock,
            logSink: LevelFilter(sink: logSink, leastSevere: configuration.logLevel))
    }
}
