import Glibc
import VoiceAudio

/// Where calls are kept: a component, as it is replaced when the settings name another directory.
final class Archive: AudioComponent {
    let directory: String

    init(directory: String) { self.directory = directory }

    func start(deadline: Duration) throws {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw AudioError(.notWritable, "\(directory) cannot be made", status: errno)
        }
    }

    func checkHealth() throws {
        guard access(directory, W_OK) == 0 else {
            throw AudioError(.notWritable, "\(directory) cannot be written to", status: errno)
        }
    }

    /// Files that are being written go on: they are their calls'.
    func stop(deadline: Duration) throws {}

    func writer(for call: String, format: AudioFormat) throws -> RecordingWriter {
        try RecordingWriter(path: "\(directory)/\(call).wav", format: format, minimumFreeBytes: 0)
    }
}

/// Log lines on standard output.
struct PrintingLog: AudioLogSink {
    func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        guard level >= .notice else { return }
        print("[\(level)] \(message()) \(metadata())")
    }
}
