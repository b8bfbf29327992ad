import VoiceAudio
import VoiceAudioMemory

/// Under the names that Prometheus' own clients use, where there are such:
/// https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
let processFamilies: [MetricFamily<ProcessReport>] = [
    .counter("process_cpu_seconds", "Processor time, in its own code and in the kernel.") {
        $0.cpu.userSeconds + $0.cpu.systemSeconds
    },
    .gauge("process_resident_memory_bytes", "What the process has in RAM.") { $0.memory.residentBytes },
    .gauge("process_open_fds", "Open descriptors.") { $0.descriptors.open },
    .gauge("process_max_fds", "The most descriptors that may be open.") { $0.descriptors.limit },
    .gauge("process_threads", "Threads, the library's and all others.") { $0.threads.count },
    .gauge("process_start_time_seconds", "When the process began, since 1970.") { $0.startedSecondsSince1970 },
    .gauge("voice_audio_process_resident_peak_bytes", "The most that the process ever had in RAM.") {
        $0.memory.peakResidentBytes
    },
    .gauge("voice_audio_process_resident_shared_bytes", "Shared memory in RAM: the rings.") {
        $0.memory.sharedResidentBytes
    },
    .gauge("voice_audio_process_swapped_bytes", "What was moved out to swap space.") { $0.memory.swappedBytes },
]

let diskFamilies: [MetricFamily<DiskReport>] = [
    .gauge("voice_audio_disk_free_bytes", "What may still be written where temporary files go.") { $0.freeBytes },
    .gauge("voice_audio_disk_size_bytes", "The whole file system where temporary files go.") { $0.totalBytes },
    .gauge("voice_audio_disk_is_memory", "Whether temporary files are kept in memory.") { $0.isMemory },
]

/// The library's own threads.
let threadFamilies: [MetricFamily<[ThreadReport]>] = [
    .gauge("voice_audio_threads", by: "role", "The library's threads.") { counts(of: $0) { _ in true } },
    .gauge("voice_audio_quarantined_threads", by: "role", "Those that did not end in time and are left to themselves.")
    {
        counts(of: $0, where: \.isQuarantined)
    },
]

/// How many there are of each role, 0 included: a series that comes only with its first thread hides that one's coming.
private func counts(of threads: [ThreadReport], where condition: (ThreadReport) -> Bool) -> [(word: String, value: Int)]
{
    var counts: [String: Int] = [:]
    for thread in threads { counts[thread.role.rawValue, default: 0] += condition(thread) ? 1 : 0 }
    return counts.sorted { $0.key < $1.key }.map { (word: $0.key, value: $0.value) }
}
