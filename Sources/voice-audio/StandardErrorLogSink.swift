import VoiceAudio

/// Shows what the library logs, from warnings on: what the tool itself says is enough for the rest.
struct StandardErrorLogSink: AudioLogSink {
    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        guard level >= .warning, level < .error else { return }
        printError("\(level.rawValue): \(message())")
    }
}
