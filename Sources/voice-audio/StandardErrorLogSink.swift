import VoiceAudio

/// Shows what the library logs on standard error.
///
/// Where the user asked for no log level, that is its own warnings, and what is critical: errors the tool tells itself, and
/// what alsa-lib says of its inner workings helps few.
struct StandardErrorLogSink: AudioLogSink {
    /// Whether all is shown that the settings' level lets through.
    private let showsAll: Bool
    /// That level: not all parts have the settings, and hold back what is below.
    private let leastSevere: AudioLogLevel

    init(for configuration: AudioConfiguration) {
        showsAll = configuration.origin(of: .logLevel) != .default
        leastSevere = configuration.logLevel
    }

    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let isShown =
            showsAll ? level >= leastSevere : [.warning, .critical].contains(level) && source() == "VoiceAudio"
        guard isShown else { return }
        let details = showsAll ? metadata().sorted { $0.key < $1.key }.map { " [\($0.key): \($0.value)]" } : []
        printError("\(level.rawValue): \(message())\(details.joined())")
    }
}
