import Glibc
import Synchronization
import VoiceAudio
import VoiceAudioCore

/// A processor, and a thread that writes what it captures.
final class Recorder: Sendable {
    let processor: AudioProcessor
    let path: String
    /// A file that nobody finishes stays open.
    private let kept = Lock<WeakBox?>(nil)
    private final class WeakBox: @unchecked Sendable {
        let writer: RecordingWriter
        init(_ writer: RecordingWriter) { self.writer = writer }
    }

    init(number: Int, in directory: String, isLazy: Bool, progress: Progress) throws {
        path = "\(directory)/\(number).\(number % 2 == 0 ? "wav" : "flac")"
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 1600 / 5 + number
        processor = AudioProcessor(source: SimulatedSource(toneHz: 440), configuration: configuration)
        let subscription = try processor.subscribe(chunks: 1000)
        _ = try WorkerThread(name: "reader") { [path, kept] in
            do {
                let box = WeakBox(try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0))
                if isLazy { kept.withLock { $0 = box } }
                var chunks = 0
                while let chunk = try subscription.next() {
                    try box.writer.append(chunk)
                    chunks += 1
                    if chunks == 3 { progress.readers.wrappingAdd(1, ordering: .relaxed) }
                }
                if !isLazy { try box.writer.finish() }
            } catch { write("reader: \(error)\n", to: STDERR_FILENO) }
        }
        try processor.arm(deadline: .seconds(60))
    }
}
