package import VoiceAudioCore

/// Keeps what is logged.
package final class LogCollector: AudioLogSink {
    package let lines = Lock<[String]>([])

    package init() {}

    package func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = message()
        lines.withLock { $0.append(line) }
    }
}
