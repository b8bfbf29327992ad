import VoiceAudioCore

/// Drops log lines that are less severe than the configuration asks for.
struct LevelFilter: AudioLogSink {
    let sink: any AudioLogSink
    let leastSevere: AudioLogLevel

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        guard level >= leastSevere else { return }
        sink.log(level: level, message: message(), metadata: metadata(), source: source())
    }
}
