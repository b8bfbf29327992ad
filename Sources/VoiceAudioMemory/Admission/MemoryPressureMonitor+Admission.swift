public import VoiceAudioCore

// What to begin, and how much of it, at the present pressure.
extension MemoryPressureMonitor {
    /// Whether `operation` may take `estimatedBytes` now. Reserves nothing: ask before each step.
    ///
    /// | level | allowed |
    /// |---|---|
    /// | `low`, `moderate` | what is no more than the headroom |
    /// | `high` | what is no more than an eighth of the headroom |
    /// | `critical`, and while processing is paused | nothing |
    ///
    /// The headroom is ``MemoryPressureStatus/headroomBytes``: the free memory beyond the minimum that is to stay free. Where
    /// no sample could be taken yet there is none.
    ///
    /// - Parameters:
    ///   - operation: What the reason calls it: "transcription".
    ///   - estimatedBytes: What it will take on top of what is taken now, 0 or more; a negative number is refused.
    /// - Returns: Whether it may; if not, with a reason that names operation, bytes, headroom and level.
    ///
    /// > Concurrency: Safe from any thread.
    public func canProceed(_ operation: String, estimatedBytes: Int) -> MemoryAdmission {
        rules.admission(of: operation, estimatedBytes: estimatedBytes)
    }

    /// How many items to handle at once: the normal number at `low`, half of it at `moderate`, a quarter at `high`, one at
    /// `critical`.
    ///
    /// - Parameters:
    ///   - normal: The number without pressure; one below 2 comes back as it is.
    ///   - itemBytes: What one item takes, if the headroom is to bound their number, too.
    /// - Returns: At least 1: whether to go on at all, ``canProceed(_:estimatedBytes:)`` tells.
    ///
    /// > Concurrency: Safe from any thread.
    public func recommendedBatchSize(normal: Int, itemBytes: Int? = nil) -> Int {
        rules.batchSize(normal: normal, itemBytes: itemBytes)
    }

    /// How long to let pass between two pieces of work: the normal time at `low`, twice that at `moderate`, four times at
    /// `high`, eight times at `critical`.
    ///
    /// > Concurrency: Safe from any thread.
    public func recommendedInterval(normal: Duration) -> Duration { rules.interval(normal: normal) }

    /// What audio takes, in memory and on disk, while it is worked on in segments; it does not depend on the pressure.
    ///
    /// ```swift
    /// let estimate = try monitor.estimateRequirements(duration: .seconds(3600), format: .speech, segments: 120)
    /// guard monitor.canProceed("transcription", estimatedBytes: estimate.peakBytes).isAllowed else { … }
    /// ```
    ///
    /// - Parameters:
    ///   - duration: How much audio, at most 366 days.
    ///   - format: Its shape: 1 to 768,000 Hz, 1 to 64 channels.
    ///   - segments: Into how many pieces of equal length it is cut, 1 or more.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`.
    public func estimateRequirements(
        duration: Duration, format: AudioFormat, segments: Int = 1
    ) throws(AudioError) -> MemoryEstimate {
        try MemoryEstimate(duration: duration, format: format, segments: segments)
    }

    private var rules: AdmissionRules {
        let status = status
        return AdmissionRules(
            level: status.level, headroomBytes: status.headroomBytes,
            isProcessingPaused: status.isProcessingPaused, failure: status.failure)
    }
}
