import VoiceAudioMemory

/// Until there is a sample, state sets are all 0, and values are absent.
let pressureFamilies: [MetricFamily<MemoryPressureStatus>] = [
    .states("voice_audio_memory_pressure", "level", "How near the process is to the memory that it may use.") {
        $0.sampledAt == nil ? nil : $0.level
    },
    .states("voice_audio_memory_limit_origin", "origin", "Whose limit decides.") {
        $0.sampledAt == nil ? nil : $0.origin
    },
    .sampled("voice_audio_memory_limit_bytes", "The limit that decides.") { Double($0.limitBytes) },
    .sampled("voice_audio_memory_used_bytes", "What is used of it, by all whom it holds for.") { Double($0.usedBytes) },
    .sampled("voice_audio_memory_free_bytes", "What is left of it.") { Double($0.freeBytes) },
    .sampled("voice_audio_memory_minimum_free_bytes", "What is to be kept free of it.") { Double($0.minimumFreeBytes) },
    .sampled("voice_audio_memory_headroom_bytes", "What can be taken before a limit has less than its minimum free.") {
        Double($0.headroomBytes)
    },
    .sampled("voice_audio_memory_capacity_bytes", "The smallest of all limits.") { Double($0.capacityBytes) },
    .sampled("voice_audio_memory_used_ratio", "What is used of the limit that decides.") { $0.usedPercent / 100 },
    .sampled("voice_audio_memory_used_average_ratio", "The mean of the last five samples.") { $0.averagePercent / 100 },
    .states("voice_audio_memory_trend", "direction", "Where it is going.") {
        $0.sampledAt == nil ? nil : $0.trend.direction
    },
    .sampled("voice_audio_memory_trend_bytes_per_second", "How fast, by the last ten samples.") {
        Double($0.trend.bytesPerSecond)
    },
    .sampled(
        "voice_audio_memory_critical_in_seconds", "When it is critical at this rate; absent where it does not rise."
    ) {
        $0.trend.secondsToCritical
    },
    .gauge("voice_audio_memory_processing_paused", "Whether nothing new is to begin.") { $0.isProcessingPaused },
    .gauge("voice_audio_memory_sampling_failed", "Whether memory cannot be sampled; the rest is as it was before.") {
        $0.failure != nil
    },
]

extension MetricFamily<MemoryPressureStatus> {
    /// A gauge that is not there before the first sample.
    fileprivate static func sampled(
        _ name: String, _ help: String, _ value: @escaping @Sendable (MemoryPressureStatus) -> Double?
    ) -> Self {
        gauge(name, help) { $0.sampledAt == nil ? nil : value($0) }
    }
}

/// Budgets, labelled with the names from the root down: `calls/17`. Purposes are the program's own words and may be as many
/// as it likes: those are in the report alone.
let budgetFamilies: [MetricFamily<MemoryBudgetReport>] = [
    .gauge("voice_audio_budget_used_bytes", "Taken, here and below.") { $0.usedBytes },
    .gauge("voice_audio_budget_limit_bytes", "The most that may be taken.") { $0.limitBytes },
    .gauge("voice_audio_budget_peak_bytes", "The most that was ever taken.") { $0.peakBytes },
]

/// The budgets, and those below them.
func labelledBudgets(_ roots: [MemoryBudgetReport]) -> [Labelled<MemoryBudgetReport>] {
    var all: [(path: String, budget: MemoryBudgetReport)] = []
    func add(_ budget: MemoryBudgetReport, below path: String) {
        all.append((path + budget.name, budget))
        for child in budget.children { add(child, below: "\(path)\(budget.name)/") }
    }
    for root in roots { add(root, below: "") }
    return labelled(all, "budget") { $0.path }.map { Labelled(labels: $0.labels, part: $0.part.budget) }
}

let collectorFamilies: [MetricFamily<ResultCollectorReport>] = [
    .gauge("voice_audio_collector_results", "Results that are held.") { $0.count },
    .gauge("voice_audio_collector_memory_bytes", "Memory taken for results, used or not.") { $0.memoryBytes },
    .gauge("voice_audio_collector_memory_peak_bytes", "The most that it ever was.") { $0.peakMemoryBytes },
    .gauge("voice_audio_collector_memory_limit_bytes", "What it never exceeds.") { $0.memoryLimitBytes },
    .gauge("voice_audio_collector_spilled_results", "Results that are on disk.") { $0.spilledCount },
    .gauge("voice_audio_collector_spilled_bytes", "Bytes on disk.") { $0.spilledBytes },
    .gauge("voice_audio_collector_spill_limit_bytes", "What they never exceed.") { $0.spillLimitBytes },
    .counter("voice_audio_collector_refused_results", "Results that were not accepted.") { $0.refusedCount },
    .counter("voice_audio_collector_damaged_results", "Times that a result could not be read.") { $0.damagedCount },
]

/// Owners are the program's own words, too.
let trackerFamilies: [MetricFamily<AudioObjectReport>] = [
    .gauge("voice_audio_tracker_objects", "Audio objects alive.") { $0.objectCount },
    .gauge("voice_audio_tracker_bytes", "Their bytes.") { $0.byteCount },
    .gauge("voice_audio_tracker_peak_bytes", "The most bytes that there ever were.") { $0.peakByteCount },
    .counter("voice_audio_tracker_released_objects", "Objects that went.") { $0.releasedCount },
]
