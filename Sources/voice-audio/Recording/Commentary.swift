import VoiceAudio

/// What is said while something is captured: how the capture fares, and what it lost, as it happens.
///
/// Losses that follow one another closely are summed up: one line a second at most, however often a device stumbles.
struct Commentary {
    private static let pause = Duration.seconds(1)

    private let watch: HealthWatch
    private let clock = SystemClock()
    private let sampleRateHz: Int
    private var health = CaptureHealth.flowing
    private var untold: [AudioLoss.Cause: (frames: Int, isExact: Bool)] = [:]
    private var newestLine: MonotonicInstant?
    /// Whether the capture has ended, as was found when something was said last.
    private(set) var isOver = false

    /// Readable when there may be something to say.
    var descriptor: Int32 { watch.descriptor }

    /// - Throws: `limitReached`, or `outOfResources`.
    init(on processor: AudioProcessor) throws(AudioError) {
        watch = try processor.watchHealth()
        sampleRateHz = processor.configuration.sampleRateHz
    }

    /// Takes a loss in.
    mutating func note(_ loss: AudioLoss) {
        let before = untold[loss.cause] ?? (frames: 0, isExact: true)
        untold[loss.cause] = (before.frames + loss.frames, before.isExact && loss.isExact)
    }

    /// Says what there is to say.
    mutating func speak() throws(AudioError) {
        while let status = try change() {
            defer { health = status.health }
            // Who records wants to hear of trouble, and of its end.
            if status.health == .flowing && health == .flowing { continue }
            printError(status.reason.map { "\(status.health.rawValue): \($0)" } ?? "\(status.health.rawValue) again")
        }
        try sayLosses()
    }

    private mutating func change() throws(AudioError) -> HealthStatus? {
        do throws(AudioError) {
            let status = try watch.next(timeout: .zero)
            isOver = status == nil
            return status
        } catch {
            guard error.code == .timedOut else { throw error }
            return nil
        }
    }

    private mutating func sayLosses() throws(AudioError) {
        guard !untold.isEmpty else { return }
        let now = clock.now
        if let newestLine, newestLine.duration(to: now) < Self.pause { return }
        newestLine = now
        for (cause, loss) in untold.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            let milliseconds = loss.frames * 1000 / sampleRateHz
            printError(
                "lost \(loss.isExact ? "" : "about ")\(loss.frames) frames (\(milliseconds) ms): \(cause.rawValue)")
        }
        untold = [:]
    }
}
