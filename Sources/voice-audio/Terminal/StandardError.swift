import Glibc
import VoiceAudio

/// Standard error, which messages of several threads share with a line that is redrawn in place.
///
/// Of the terminal's modes none is changed, so that nothing is to be restored, however the process ends.
enum StandardError {
    private static let isLineStanding = Lock(false)

    /// Writes text as it is, in place of a line that stands there.
    static func write(_ text: String) {
        isLineStanding.withLock { isStanding in
            put((isStanding ? "\r\u{1B}[K" : "") + text)
            isStanding = false
        }
    }

    /// Writes text that may be left out: whoever does not read it stops no recording by that.
    static func offer(_ text: String) { if isWritable { write(text) } }

    /// Draws a line in place of the one that stands there.
    static func redraw(_ line: String) {
        // Who stopped the terminal's output with Ctrl-S wants to read, and not to stop the recording.
        guard isWritable else { return }
        isLineStanding.withLock { isStanding in
            put("\r" + line + "\u{1B}[K")
            isStanding = true
        }
    }

    /// Leaves a line as it stands, and goes on below.
    static func leaveLine() {
        isLineStanding.withLock { isStanding in
            if isStanding { put("\n") }
            isStanding = false
        }
    }

    private static var isWritable: Bool {
        var descriptor = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        // SAFETY: one local entry.
        return unsafe poll(&descriptor, 1, 0) == 1
    }

    private static func put(_ text: String) {
        // SAFETY: the string lives through the call; a failure has nowhere to be told.
        _ = unsafe text.withCString { unsafe Glibc.write(STDERR_FILENO, $0, strlen($0)) }
    }
}
