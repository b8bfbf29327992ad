import VoiceAudioMemory

/// How much may be done at once: what a memory monitor says, or a test.
protocol SegmentPacing: Sendable {
    func canProceed(_ operation: String, estimatedBytes: Int) -> MemoryAdmission
    func recommendedBatchSize(normal: Int, itemBytes: Int?) -> Int
}

extension MemoryPressureMonitor: SegmentPacing {}
