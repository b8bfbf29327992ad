import VoiceAudio

/// What `voice-audio record` tells at its end.
struct RecordReport: Encodable {
    /// The file; with rotation, the last one.
    let output: String
    let files: Int
    let frames: Int
    let durationSeconds: Double
    let lostFrames: Int
    /// Every gap, up to a thousand; and how many there are beyond.
    let losses: [RecordedLosses.Entry]
    let lossesLeftOut: Int
    /// What ended it early.
    let error: String?
    /// What the device was asked for and gave.
    let capture: CaptureReport?
    let device: CaptureStatistics
    let memory: MemoryUsage

    enum CodingKeys: String, CodingKey {
        case output
        case files
        case frames
        case durationSeconds = "duration_seconds"
        case lostFrames = "lost_frames"
        case losses
        case lossesLeftOut = "losses_left_out"
        case error
        case capture
        case device
        case memory
    }

    init(sink: RecordingSink, error: AudioError?, processor: AudioProcessor) {
        output = sink.path
        files = sink.fileCount
        frames = sink.frameCount
        durationSeconds = Double(sink.frameCount) / Double(processor.configuration.sampleRateHz)
        lostFrames = sink.lostFrameCount
        losses = sink.losses.entries
        lossesLeftOut = sink.losses.leftOutCount
        self.error = error?.message
        capture = processor.captureReport
        device = processor.statistics
        memory = processor.memoryUsage
    }

    /// The same for people, in a few lines.
    var text: String {
        let tenths = Int((durationSeconds * 10).rounded())
        let memory = self.memory
        let place = output == "-" ? "standard output" : files > 1 ? "\(output), the last of \(files) files" : output
        return """
            \(place): \(tenths / 10).\(tenths % 10) s, \(frames) frames, lost \(lostFrames)
            memory: at most \(memory.peakBufferSize) of \(memory.maxBufferSize) chunks and \
            \(memory.peakMemoryUsageBytes) of \(memory.memoryLimitBytes) bytes in the ring; \(memory.residentBytes) of \
            \(memory.allocatedBytes) bytes of it resident; process \(memory.processRSSBytes / 1024) KiB
            """
    }
}
