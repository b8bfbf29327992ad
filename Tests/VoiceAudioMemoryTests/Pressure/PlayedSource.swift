import VoiceAudioCore
import VoiceAudioMemory

/// Memory that is what the test says.
final class PlayedSource: MemorySource {
    struct Played: Sendable {
        var usedPercent = 50
        var failure: AudioError?
        /// Instead of one of `limitBytes`.
        var limits: [MemoryLimit]?
        var samples = 0
        /// Those that the monitor's thread took by itself, and no clean-up or question.
        var ownSamples = 0
        /// Happens within a sample, before it is made.
        var meanwhile: (@Sendable () -> Void)?
    }

    static let limitBytes = 1000 << 20
    let played = Lock(Played())
    let events: MemoryEvents?

    init(events: MemoryEvents? = nil) { self.events = events }

    func sample() throws(AudioError) -> MemorySample {
        played.withLock(\.meanwhile)?()
        let isOwn = KernelFiles.line(ofFile: "/proc/thread-self/comm") == "va-pressure"
        return try played.withLock { (played) throws(AudioError) in
            played.samples += 1
            if isOwn { played.ownSamples += 1 }
            if let failure = played.failure { throw failure }
            if let limits = played.limits { return MemorySample(limits: limits, processRSSBytes: 1 << 20) }
            let used = Self.limitBytes / 100 * played.usedPercent
            return MemorySample(
                limits: [MemoryLimit(origin: .cgroupV2, limitBytes: Self.limitBytes, usedBytes: used)],
                processRSSBytes: 1 << 20)
        }
    }

    var samples: Int { played.withLock(\.samples) }
    var ownSamples: Int { played.withLock(\.ownSamples) }
    func use(percent: Int) { played.withLock { $0.usedPercent = percent } }
    func fail(_ failure: AudioError?) { played.withLock { $0.failure = failure } }
}

/// Keeps the lines that it gets.
final class KeptLines: AudioLogSink {
    private let kept = Lock<[String]>([])
    var lines: [String] { kept.withLock(\.self) }

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = "\(level.rawValue): \(message())"
        kept.withLock { $0.append(line) }
    }
}

/// Notes what it is asked for.
final class NotingHandler: MemoryCleanupHandler {
    let cleanupName: String
    let cleanupPriority: Int
    private let noted = Lock<[MemoryCleanupStage]>([])
    private let act: @Sendable (MemoryCleanupStage) throws -> Int

    init(
        _ name: String = "noting", priority: Int = 0, _ act: @escaping @Sendable (MemoryCleanupStage) -> Void = { _ in }
    ) {
        cleanupName = name
        cleanupPriority = priority
        self.act = { stage in
            act(stage)
            return 0
        }
    }

    /// - Parameter result: Makes what it answers.
    init(_ name: String, priority: Int = 0, answering result: @escaping @Sendable @autoclosure () throws -> Int) {
        cleanupName = name
        cleanupPriority = priority
        act = { _ in try result() }
    }

    var stages: [MemoryCleanupStage] { noted.withLock(\.self) }

    func freeMemory(_ stage: MemoryCleanupStage) throws -> Int {
        noted.withLock { $0.append(stage) }
        return try act(stage)
    }
}
