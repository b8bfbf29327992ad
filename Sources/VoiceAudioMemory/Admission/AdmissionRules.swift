/// What may be begun at which pressure: pure arithmetic over one look at the memory.
struct AdmissionRules {
    /// How near the process is to what it may use.
    let level: MemoryPressureLevel
    /// Free memory beyond the minimum that is to stay free, in bytes; 0 where that is used already.
    let headroomBytes: Int
    /// Whether memory stayed critical after everything was cleaned up.
    let isProcessingPaused: Bool
    /// What keeps the monitor from knowing better.
    let failure: String?

    /// See ``MemoryPressureMonitor/canProceed(_:estimatedBytes:)``.
    func admission(of operation: String, estimatedBytes: Int) -> MemoryAdmission {
        guard estimatedBytes >= 0 else {
            return .refused(
                reason: "\(operation): \(estimatedBytes) bytes are no estimate: accepted are 0 and more")
        }
        let asked = "\(operation) is estimated to take \(estimatedBytes) bytes"
        let known = "memory pressure is \(level.rawValue), with \(headroomBytes) bytes of headroom"
        let present = failure.map { "\(known) (\($0))" } ?? known
        if isProcessingPaused {
            return .refused(
                reason: "\(asked): processing is paused, as cleaning up was not enough; \(present)")
        }
        let shareAtHigh = headroomBytes / Self.partsAtHigh
        switch level {
        case .critical: return .refused(reason: "\(asked): \(present), and nothing may begin at critical")
        case .high where estimatedBytes > shareAtHigh:
            return .refused(
                reason: "\(asked): \(present), and one operation may take \(shareAtHigh) of them at high")
        case .low where estimatedBytes > headroomBytes, .moderate where estimatedBytes > headroomBytes:
            return .refused(reason: "\(asked): \(present)")
        case .low, .moderate, .high: return .allowed
        }
    }

    /// See ``MemoryPressureMonitor/recommendedBatchSize(normal:itemBytes:)``.
    func batchSize(normal: Int, itemBytes: Int?) -> Int {
        guard normal > 1 else { return normal }
        let byLevel =
            switch level {
            case .low: normal
            case .moderate: normal / 2
            case .high: normal / 4
            case .critical: 1
            }
        guard let itemBytes, itemBytes > 0 else { return max(1, byLevel) }
        return max(1, min(byLevel, headroomBytes / itemBytes))
    }

    /// See ``MemoryPressureMonitor/recommendedInterval(normal:)``.
    func interval(normal: Duration) -> Duration {
        switch level {
        case .low: normal
        case .moderate: normal * 2
        case .high: normal * 4
        case .critical: normal * 8
        }
    }

    /// At `high`, one operation may take one of so many parts of the headroom.
    private static let partsAtHigh = 8
}
