import Glibc
import Synchronization
import VoiceAudio

/// Writes to standard output, without the buffer that a signal would leave unwritten.
func say(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

func write(_ text: String, to descriptor: Int32) {
    // SAFETY: the string lives through the call.
    _ = unsafe Glibc.write(descriptor, text, text.utf8.count)
}

struct StandardErrorSink: AudioLogSink {
    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        write("\(level.rawValue): \(message()) \(metadata())\n", to: STDERR_FILENO)
    }
}

/// Readers that have written something, and temporary files that are held.
final class Progress: Sendable {
    let readers = Atomic<Int>(0)
    let files = Atomic<Int>(0)
}

/// A sink that is stuck, as one that writes to a full pipe which nobody reads.
struct HangingSink: AudioLogSink {
    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        guard message().hasPrefix("the process ends") else { return }
        while true { pause() }
    }
}

/// Has SIGTERM do this where there is no hook.
func endAtSIGTERM(_ handler: sighandler_t?) {
    signal(SIGTERM, handler)
    signal(SIGINT, SIG_DFL)
}

/// Writes how many frames each got.
func note(_ recorders: [Recorder], in directory: String) {
    let lines = recorders.map { "\($0.path) \($0.processor.statistics.framesDelivered)\n" }.joined()
    // SAFETY: the path lives through the call.
    let file = unsafe open(directory + "/expected", O_WRONLY | O_CREAT, 0o600)
    write(lines, to: file)
    close(file)
}
