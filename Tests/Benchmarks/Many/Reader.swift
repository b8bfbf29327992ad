import Synchronization
import VoiceAudio

/// Reads the chunks of one session or capture in a task, and notes how late each comes and what is missing.
final class Reader: @unchecked Sendable {
    private let kind: Job.Kind
    /// Milliseconds, the first `used` of them. Written to when made: what they take is known, and does not count.
    private var delays: [Double]
    private var used = 0
    private let isMeasuring = Atomic(false)

    init(_ kind: Job.Kind, seconds: Double) {
        self.kind = kind
        delays = Array(repeating: 0, count: Int(seconds * 60) + 60)
    }

    /// What it takes itself.
    var byteCount: Int { delays.count * MemoryLayout<Double>.stride }

    func startMeasuring() { isMeasuring.store(true, ordering: .relaxed) }

    func endMeasuring() { isMeasuring.store(false, ordering: .relaxed) }

    func reading(_ processor: AudioProcessor) -> Task<Heard, any Error> {
        let chunks = processor.chunks(bounded: 50)
        return Task {
            var heard = Heard()
            var expected: UInt32?
            let clock = SystemClock()
            for try await chunk in chunks {
                let now = clock.now
                var lost = chunk.lossBefore?.frames ?? 0
                // The last chunk, as a capture ends, may be of one frame.
                if kind == .plugin, chunk.frameCount > 1 {
                    let number = chunk.withSamples(as: UInt16.self) { frameNumber($0[0], $0[1]) }
                    if let expected { lost = max(lost, frameGap(from: expected, to: number) ?? chunk.frameCount) }
                    expected = number &+ UInt32(chunk.frameCount)
                }
                heard.frames += chunk.frameCount
                guard isMeasuring.load(ordering: .relaxed), used < delays.count else { continue }
                heard.lost += lost
                delays[used] = delay(of: chunk, at: now)
                used += 1
            }
            let least = kind == .pushed ? 0 : delays[..<used].min() ?? 0
            heard.delays = delays[..<used].map { $0 - least }
            return heard
        }
    }

    /// Since the push; or, of a capture, since its last frame was due by its position in the stream, give or take what is
    /// the same for the whole stream: that goes in the end, as the least delay is made 0.
    private func delay(of chunk: AudioChunk, at now: MonotonicInstant) -> Double {
        guard kind != .pushed else { return chunk.captureTime.duration(to: now) / .milliseconds(1) }
        let end = chunk.framePosition + chunk.frameCount
        return Double(now.nanoseconds) / 1e6 - Double(end) * 1000 / Double(Job.rate)
    }
}

/// What readers heard while it was measured, but for the frames: all of them.
struct Heard: Sendable {
    var delays: [Double] = []
    var frames = 0
    var lost = 0

    static func += (sum: inout Self, part: Self) {
        sum.delays += part.delays
        sum.frames += part.frames
        sum.lost += part.lost
    }
}

/// The number of the first of two successive frames of the numbered PCM, by their samples.
private func frameNumber(_ first: UInt16, _ second: UInt16) -> UInt32 {
    let factor = second &- first
    // Newton's way to the inverse of an odd number: each step doubles the bits that are right.
    var inverse = factor
    for _ in 0..<4 { inverse = inverse &* (2 &- factor &* inverse) }
    return UInt32((factor &- 0x9E37) / 2) << 16 | UInt32(first &* inverse)
}

/// Frames from one number, of 31 bits, to another; `nil` where so many cannot be: then frames were overwritten between the two
/// that tell the number.
private func frameGap(from expected: UInt32, to number: UInt32) -> Int? {
    let gap = Int((number &- expected) & .max >> 1)
    return gap < 60 * Job.rate ? gap : nil
}
