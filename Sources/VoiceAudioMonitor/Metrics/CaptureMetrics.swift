import VoiceAudio

/// A capture: a processor's, labelled `processor`, or a session's, labelled `registry` and `session`. One family has both,
/// so that one rule watches all.
struct MeasuredCapture {
    /// In words: the first of them is the state, the others may say why.
    let state: String
    let level: AudioLevel
    let usage: MemoryUsage
}

let captureFamilies: [MetricFamily<MeasuredCapture>] = [
    .states(
        "voice_audio_capture_state", "state", ["idle", "ready", "recording", "paused", "processing", "failed"],
        "What the processor is doing."
    ) { String(decoding: $0.state.utf8.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self) },
    .states(
        "voice_audio_capture_health", "health", "How the capture fares; all 0 while nothing is captured."
    ) { $0.usage.health },
    .gauge("voice_audio_capture_level_rms_ratio", "Root mean square of the newest chunk, of full scale.") {
        Double($0.level.rms)
    },
    .gauge("voice_audio_capture_level_peak_ratio", "Largest sample of the newest chunk, of full scale.") {
        Double($0.level.peak)
    },
    .gauge("voice_audio_capture_sample_rate_hertz", "Frames per second.") { $0.usage.sampleRate },
    .gauge("voice_audio_capture_channels", "Samples in a frame.") { $0.usage.channels },
    .counter(
        "voice_audio_capture_lost_frames", by: "cause",
        "Frames that did not stay. ring_evicted is what a rolling history does all the time; cleaned_up was asked for.",
        [
            "device": { $0.usage.drops.device },
            "ring_evicted": { $0.usage.drops.ringEvicted.frames },
            "ring_refused": { $0.usage.drops.ringRefused.frames },
            "cleaned_up": { $0.usage.drops.cleanedUp.frames },
        ]),
    .gauge("voice_audio_capture_buffer_chunks", "Chunks in the history.") { $0.usage.bufferSize },
    .gauge("voice_audio_capture_buffer_limit_chunks", "The most chunks that the history may hold.") {
        $0.usage.maxBufferSize
    },
    .gauge("voice_audio_capture_buffer_bytes", "Bytes of samples in the history.") { $0.usage.memoryUsageBytes },
    .gauge("voice_audio_capture_buffer_limit_bytes", "The most bytes of samples that the history may hold.") {
        $0.usage.memoryLimitBytes
    },
    .gauge("voice_audio_capture_buffer_peak_bytes", "The most bytes of samples that were ever in the history.") {
        $0.usage.peakMemoryUsageBytes
    },
    .gauge("voice_audio_capture_allocated_bytes", "Memory taken for the history, touched or not.") {
        $0.usage.allocatedBytes
    },
    .gauge("voice_audio_capture_allocation_limit_bytes", "What the memory taken for the history never exceeds.") {
        $0.usage.allocationLimitBytes
    },
    .gauge("voice_audio_capture_resident_bytes", "What the system really gave of the history's memory.") {
        $0.usage.residentBytes
    },
    .gauge("voice_audio_capture_subscribers", "Subscribers that there are.") { $0.usage.subscribers.count },
    .gauge("voice_audio_capture_subscriber_bytes", "Bytes that wait for subscribers.") {
        $0.usage.subscribers.reduce(0) { $0 + $1.memoryUsageBytes }
    },
    .gauge("voice_audio_capture_subscriber_allocated_bytes", "Memory taken for subscribers, touched or not.") {
        $0.usage.subscribers.reduce(0) { $0 + $1.allocatedBytes }
    },
    // No counter: a subscriber that goes takes its losses along.
    .gauge("voice_audio_capture_subscriber_lost_frames", "Frames that the subscribers that there are missed.") {
        $0.usage.subscribers.reduce(0) { $0 + $1.dropped.frames }
    },
    .gauge("voice_audio_capture_quarantined_threads", "Capture threads that did not end in time.") {
        $0.usage.quarantinedThreads
    },
]
