import TestSupport
import VoiceAudioCore

@testable import VoiceAudioIO

/// A capture through the real alsa-lib from a numbered PCM that misbehaves as it was told: what it went through.
struct FaultRun {
    /// The healths told, one after the other.
    private(set) var healths: [CaptureHealth] = []
    /// Frames delivered, those told lost, and those that the frames' numbers miss.
    private(set) var delivered = 0
    private(set) var told = 0
    private(set) var missing = 0
    /// As many as come from the capture time of the first one to that of the last.
    private(set) var due = 0
    private(set) var causes: Set<AudioLoss.Cause> = []
    /// The longest time between two chunks.
    private(set) var longestPause = Duration.zero
    /// Whether the frames are numbered without a step back, and those that are zeros aside.
    private(set) var isInOrder = true
    private(set) var reopenings = 0
    /// What the capture ended with before it had run its time.
    private(set) var failure: AudioError?

    static let rate = 16_000
    static let format = AudioFormat(sampleRateHz: rate, channelCount: 1, sampleFormat: .s32)

    /// - Parameters:
    ///   - seconds: How long to capture, lost frames included.
    ///   - budget: Of reconnecting; `nil` fails at once.
    init(_ device: String, seconds: Double, budget: Duration? = .seconds(20)) throws {
        let clock = SystemClock()
        let history = try BoundedAudioBuffer(
            maxChunks: 4096, maxBytes: 4096 * 640, overflow: .uniform(.dropNewest), format: Self.format,
            maxChunkBytes: 640)
        let board = HealthBoard()
        let watch = try HealthWatch(board, clock: clock)
        let policy = budget.map { RecoveryPolicy.reconnect(budget: $0) } ?? .fail
        let deadline = clock.now.advanced(by: .seconds(30))
        let plan = CapturePlan(
            source: ALSASource(device: device, recovery: policy),
            request: CaptureRequest(format: Self.format, chunkFrameCount: 160), health: board)
        let capture = try Capture(plan, history: history, by: deadline, abort: try WakeUp(), abandon: { _ in })
        var newest: (number: Int, time: MonotonicInstant)?
        /// When the first chunk was there, and when it was captured.
        var begin: (here: MonotonicInstant, captured: MonotonicInstant)?
        while begin.map({ $0.here.duration(to: clock.now) < .seconds(seconds) }) ?? true, clock.now < deadline {
            _ = try history.waitForChunks(1, timeout: nil, interrupt: watch.descriptor)
            try hear(watch)
            while let chunk = try history.popFirst() {
                let now = clock.now
                if let newest { longestPause = max(longestPause, newest.time.duration(to: now)) }
                let first = begin ?? (now, chunk.captureTime)
                begin = first
                let seconds = first.captured.duration(to: chunk.captureTime) / .seconds(1)
                due = Int(seconds * Double(Self.rate)) + chunk.frameCount
                note(chunk, &newest)
                newest?.time = now
            }
            if case .failed(let error) = capture.outcome {
                failure = error
                break
            }
        }
        reopenings = capture.counters.statistics.reopenings
        guard capture.stop(by: clock.now.advanced(by: .seconds(10))) else { throw Unexpected("it does not end") }
        try hear(watch)
    }

    private mutating func hear(_ watch: HealthWatch) throws {
        while let health = watch.look().change?.health { healths.append(health) }
    }

    private mutating func note(_ chunk: AudioChunk, _ newest: inout (number: Int, time: MonotonicInstant)?) {
        if let loss = chunk.lossBefore {
            told += loss.frames
            causes.insert(loss.cause)
        }
        delivered += chunk.frameCount
        chunk.withSamples(as: Int32.self) { samples in
            for index in samples.indices where samples[index] != 0 {
                // Numbers below 2³² each have a sample of their own.
                let number = Self.number(of: samples[index])
                if let last = newest?.number {
                    // Opened anew, a PCM numbers its frames from the beginning.
                    if number == last { isInOrder = false }
                    if number > last { missing += number - last - 1 }
                }
                newest = (number, newest?.time ?? chunk.captureTime)
            }
        }
    }

    /// The inverse of the numbered PCM's sample, for numbers below 2³².
    private static func number(of sample: Int32) -> Int {
        let factor: UInt32 = 0x9E37_79B1
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        return Int(UInt32(bitPattern: sample) &* inverse)
    }
}
