import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// What a registry's `onEnd` was given.
final class EndedSessions: Sendable {
    private let ended = Lock<[EndedSession]>([])

    func add(_ session: EndedSession) { ended.withLock { $0.append(session) } }

    var all: [EndedSession] { ended.withLock { $0 } }

    /// Lets them go, with their recordings.
    func forget() { ended.withLock { $0 = [] } }
}

/// What happened, in its order.
final class Events: Sendable {
    private let events = Lock<[String]>([])

    func add(_ event: String) { events.withLock { $0.append(event) } }

    var all: [String] { events.withLock { $0 } }
}

/// A sink that keeps level, message and metadata of each line.
struct SessionLog: AudioLogSink {
    let lines = Lock<[(level: AudioLogLevel, message: String, metadata: [String: String])]>([])

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = (level, message(), metadata())
        lines.withLock { $0.append(line) }
    }

    func lines(_ message: String) -> [[String: String]] {
        lines.withLock { lines in lines.filter { $0.message == message }.map(\.metadata) }
    }
}

/// A thread that waits until it may go on.
final class Latch: Sendable {
    private let isOpen: WakeUp
    private let isAwaited: WakeUp

    init() throws {
        isOpen = try WakeUp()
        isAwaited = try WakeUp()
    }

    func open() { isOpen.signal() }

    func wait() {
        isAwaited.signal()
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(isOpen.descriptor, at: 0)
        _ = SystemClock().wait(for: descriptors, until: SystemClock().now.advanced(by: .seconds(60)))
    }

    /// Whether somebody waits, within a minute.
    func waitUntilAwaited() -> Bool { eventually { isAwaited.isSignalled } }
}

extension SessionRegistry {
    /// For ``ScriptedSource``s: 300 chunks of 100 frames at 1,000 Hz, 400 bytes each.
    static func scripted(
        sessions: Int = 8, memory: MemorySize = .mebibytes(8), clock: any AudioClock = SystemClock(),
        lifetime: Duration? = nil, idleTimeout: Duration? = .seconds(300), budget: MemoryBudget? = nil,
        log: any AudioLogSink = SilentLogSink(), onEnd: (@Sendable (EndedSession) -> Void)? = nil
    ) -> SessionRegistry {
        SessionRegistry(
            limits: .init(sessions: sessions, memory: memory), expectedDuration: .seconds(600), lifetime: lifetime,
            idleTimeout: idleTimeout, configuration: .scripted(), budget: budget, clock: clock, logSink: log,
            onEnd: onEnd)
    }
}

extension ScriptedSource {
    /// Gives frames, and waits until they are captured.
    func give(_ frames: Int) -> Bool {
        push(.frames(frames))
        return waitUntilTaken()
    }
}
