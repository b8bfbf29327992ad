/// Where the library's log lines go. The library itself never prints.
///
/// Levels and shape are swift-log's, so that an adapter is five lines.
///
/// > Concurrency: Called from any thread, from the capture thread only when its device is lost or opened again; must not
/// > call back into the object that logs.
public protocol AudioLogSink: Sendable {
    /// Takes a line. Must return soon: whoever logs waits for it.
    ///
    /// - Parameters:
    ///   - level: How severe it is; those below the configuration's `logLevel` never come here.
    ///   - message: One sentence, made only when it is asked for.
    ///   - metadata: What it is about, by name.
    ///   - source: `VoiceAudio`, or `alsa-lib` for what that has to say.
    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String)
}

/// swift-log's levels.
public enum AudioLogLevel: String, Sendable, Hashable, CaseIterable, Comparable, Codable {
    case trace, debug, info, notice, warning, error, critical

    /// Whether `left` is less severe.
    public static func < (left: Self, right: Self) -> Bool { left.severity < right.severity }

    private var severity: Int {
        switch self {
        case .trace: 0
        case .debug: 1
        case .info: 2
        case .notice: 3
        case .warning: 4
        case .error: 5
        case .critical: 6
        }
    }
}

/// Drops every line: the default.
public struct SilentLogSink: AudioLogSink {
    /// A sink that drops everything.
    public init() {}

    /// Does nothing.
    public func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {}
}
