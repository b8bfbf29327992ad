import VoiceAudioCore
import VoiceAudioIO

/// What came of capturing for a while through the library itself.
struct Listening: Sendable {
    /// Why nothing came, or nothing more.
    var error: AudioError?
    /// `nil` where the device could not be opened.
    var report: CaptureReport?
    var statistics = CaptureStatistics()
    var priorityRefusal: AudioError?
    var meter: SignalMeter
    /// Frames that should have come.
    let wantedFrameCount: Int
    /// Whether the source came to its end, as a file does.
    var hasEnded = false

    /// Below this, a quiet room is as likely as a wrong setting: −60 dBFS.
    static let lowPeak: Float = 0.001

    /// Nothing heard yet.
    init(_ format: AudioFormat, wantedFrameCount: Int) {
        meter = SignalMeter(format)
        self.wantedFrameCount = wantedFrameCount
    }

    /// Captures from `source` for as long as `duration`, and a little patience.
    init(to source: any CaptureSource, configuration: AudioConfiguration, for duration: Duration, clock: any AudioClock)
    {
        var configuration = configuration
        // Chunks of 100 ms at most, for who listens for a second; a ring that holds nothing up.
        configuration.chunkFrameCount = min(configuration.chunkFrameCount, max(1, configuration.sampleRateHz / 10))
        configuration.overflow = .uniform(.dropOldest)
        self.init(configuration.format, wantedFrameCount: max(1, configuration.format.frameCount(in: duration)))
        let processor = AudioProcessor(source: source, configuration: configuration, clock: clock)
        defer { processor.cleanup(deadline: .seconds(2)) }
        do throws(AudioError) {
            let subscription = try processor.subscribe()
            try processor.arm()
            report = processor.captureReport
            priorityRefusal = processor.runningCapture?.priorityRefusal
            try listen(to: subscription, until: clock.now.advanced(by: duration + Self.patience), clock: clock)
        } catch {
            self.error = error
        }
        statistics = processor.statistics
    }

    /// How much later than in time the last frame may come: behind a sound server, buffers fill first.
    private static let patience = Duration.seconds(1)

    private mutating func listen(
        to subscription: AudioSubscription, until deadline: MonotonicInstant, clock: any AudioClock
    ) throws(AudioError) {
        while meter.frameCount < wantedFrameCount {
            let chunk: AudioChunk?
            do throws(AudioError) {
                chunk = try subscription.next(timeout: max(.zero, clock.now.duration(to: deadline)))
            } catch  where error.code == .timedOut {
                return
            }
            guard let chunk else {
                hasEnded = true
                return
            }
            // SAFETY: the bytes are initialised and plain.
            meter.add(unsafe chunk.bytes.span.bytes)
        }
    }

    /// Whether there was sound that is certainly more than nothing.
    var isAudible: Bool { (meter.level?.peak ?? 0) >= Self.lowPeak }
}
