import VoiceAudioCore

/// Says which chunks a listener gets that wants no more than so many a second: by capture time, so at any pace.
///
/// After a chunk the next one is due an interval after the one before was due, and no earlier than an interval after a
/// chunk's length ago. So the rate is met where chunks do not divide the interval, stamps that tremble cost no chunk, and a
/// gap is not made up for. In any second there is one chunk too many at most.
///
/// > Real-time: Safe.
struct ChunkSampler {
    private let interval: Int64
    private let nanosecondsPerByte: Double
    /// When the next chunk is due, in nanoseconds; `nil` before the first.
    private var due: Int64?

    /// - Parameters:
    ///   - interval: From chunk to chunk; more than zero.
    ///   - format: The shape of the frames.
    init(interval: Duration, format: AudioFormat) {
        self.interval = max(1, interval.clampedNanoseconds)
        nanosecondsPerByte = 1e9 / Double(format.bytesPerSecond)
    }

    /// Whether a chunk is due.
    func wants(_ captureTime: MonotonicInstant) -> Bool { due.map { captureTime.nanoseconds >= $0 } ?? true }

    /// Goes on to the next one, behind a chunk that was taken.
    mutating func noteTaken(_ captureTime: MonotonicInstant, byteCount: Int) {
        let time = captureTime.nanoseconds
        let length = Int64(Double(byteCount) * nanosecondsPerByte)
        // At first half a chunk early: stamps may tremble to both sides.
        due = max(due ?? time - length / 2, time - length) + interval
    }
}
