import CLinux
import Glibc
import VoiceAudio

/// What standard error can show.
struct Terminal {
    /// Whether a line can be replaced by another: a terminal that says that it knows how.
    let redraws: Bool
    let hasColor: Bool
    let isUTF8: Bool

    /// - Parameter variable: An environment variable's value.
    init(isTerminal: Bool, variable: (String) -> String?) {
        let type = variable("TERM") ?? ""
        redraws = isTerminal && !["", "dumb"].contains(type)
        // https://no-color.org: set to anything but nothing.
        hasColor = redraws && (variable("NO_COLOR") ?? "").isEmpty
        isUTF8 = voice_audio.isUTF8(localeOf: variable)
    }

    /// Standard error of this process.
    static var standardError: Terminal {
        Terminal(isTerminal: isatty(STDERR_FILENO) == 1, variable: environmentVariable)
    }

    /// Columns that it has now: a window may have changed its size at any moment. 80 where it does not tell.
    static var columnCount: Int {
        let count = Int(clinux_terminal_columns(STDERR_FILENO))
        return count > 0 ? count : 80
    }
}

/// Whether text may be more than ASCII, by the variables of the locale as setlocale(3) goes by them.
///
/// - Parameter variable: A variable's value.
func isUTF8(localeOf variable: (String) -> String?) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap(variable).first { !$0.isEmpty } ?? ""
    let codeset = locale.split(separator: ".").last.map { $0.lowercased() } ?? ""
    return ["utf-8", "utf8"].contains { codeset.hasPrefix($0) }
}
