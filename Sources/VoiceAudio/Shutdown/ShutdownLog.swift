import VoiceAudioCore

/// Lines on their way to a sink, by a thread of their own: a sink that hangs keeps nobody from the rest.
final class ShutdownLog: Sendable {
    private struct Line: Sendable {
        let level: AudioLogLevel
        let message: String
        let metadata: [String: String]
    }

    private let lines = Lock([Line]())
    /// Signalled for each line, and at the end.
    private let news: WakeUp
    private let sink: any AudioLogSink

    /// - Throws: `outOfResources`.
    init(to sink: any AudioLogSink) throws(AudioError) {
        news = try WakeUp(counts: true)
        self.sink = sink
    }

    /// Takes a line; never waits for the sink.
    func line(_ level: AudioLogLevel, _ message: String, _ metadata: [String: String]) {
        lines.withLock { $0.append(Line(level: level, message: message, metadata: metadata)) }
        news.signal()
    }

    /// No line comes any more.
    func end() { news.signal() }

    /// Hands lines over until the end, on the thread of its own.
    func run() {
        let clock = SystemClock()
        while true {
            while !news.waitUntilSignalled(by: MonotonicInstant(nanoseconds: .max), clock: clock) {}
            news.clear()
            let line = lines.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            guard let line else { return }
            sink.log(level: line.level, message: line.message, metadata: line.metadata, source: "VoiceAudio")
        }
    }
}
