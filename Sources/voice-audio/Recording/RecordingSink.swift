import Glibc
import VoiceAudio

/// Where a recording is to go.
enum RecordingOutput {
    /// Raw samples to standard output.
    case pipe
    /// A file, or one after another.
    case file(String, RecordingFileType, RecordingRotation?)
}

/// Where recorded frames go: a file in place, one after another, or a pipe.
struct RecordingSink {
    private enum Target {
        case pipe
        case file(RecordingWriter)
        case series(RecordingSeries)
    }

    /// Frames missing between those written, whatever the cause.
    private(set) var lostFrameCount = 0
    /// The gaps that these make, earliest first.
    private(set) var losses = RecordedLosses()
    private let target: Target
    private let bytesPerFrame: Int
    private var pipedFrameCount = 0

    /// - Throws: As ``RecordingWriter`` and ``RecordingSeries``.
    init(output: RecordingOutput, configuration: AudioConfiguration) throws(AudioError) {
        bytesPerFrame = configuration.format.bytesPerFrame
        switch output {
        case .pipe:
            target = .pipe
        case .file(let path, let type, nil):
            let writer = try RecordingWriter(
                path: path, format: configuration.format, type: type,
                minimumFreeBytes: configuration.minimumFreeDiskBytes)
            target = .file(writer)
        case .file(let path, let type, let rotation?):
            let series = try RecordingSeries(
                path: path, format: configuration.format, type: type, rotation: rotation,
                minimumFreeBytes: configuration.minimumFreeDiskBytes)
            target = .series(series)
        }
    }

    var isPipe: Bool { if case .pipe = target { true } else { false } }

    /// Frames written; after an error, those that are there.
    var frameCount: Int {
        switch target {
        case .pipe: pipedFrameCount
        case .file(let writer): writer.frameCount
        case .series(let series): series.frameCount
        }
    }

    /// The file that was written last.
    var path: String {
        switch target {
        case .pipe: "-"
        case .file(let writer): writer.path
        case .series(let series): series.currentPath
        }
    }

    /// How many files were written.
    var fileCount: Int {
        switch target {
        case .pipe: 0
        case .file: 1
        case .series(let series): series.fileCount
        }
    }

    /// Whether as much was recorded as was asked for, lost frames included: time has passed for them, too.
    func isFull(at frameLimit: Int?) -> Bool { frameLimit.map { frameCount + lostFrameCount >= $0 } ?? false }

    /// Writes a chunk, or as much of it as is asked for.
    mutating func append(_ header: AudioChunkHeader, _ bytes: RawSpan, frameLimit: Int?) throws(AudioError) {
        if let loss = header.lossBefore {
            losses.add(loss, at: frameCount + lostFrameCount)
            lostFrameCount += loss.frames
        }
        let room = frameLimit.map { max(0, $0 - frameCount - lostFrameCount) } ?? header.frameCount
        let frames = min(header.frameCount, room)
        let wanted = bytes.extracting(first: frames * bytesPerFrame)
        switch target {
        case .pipe:
            try writeToStandardOutput(wanted)
            pipedFrameCount += frames
        case .file(let writer): try writer.append(wanted)
        case .series(let series): try series.append(wanted)
        }
    }

    /// Finishes the file.
    func finish() throws(AudioError) {
        switch target {
        case .pipe: break
        case .file(let writer): try writer.finish()
        case .series(let series): try series.finish()
        }
    }

    private func writeToStandardOutput(_ bytes: RawSpan) throws(AudioError) {
        var written = 0
        while written < bytes.byteCount {
            // SAFETY: the span lives through the call.
            let count = unsafe bytes.extracting(written...).withUnsafeBytes { bytes in
                unsafe write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                let status = errno
                throw AudioError(
                    status == ENOSPC ? .diskFull : .notWritable,
                    "standard output: \(AudioError.text(ofSystemStatus: status))", status: status)
            }
            written += count
        }
    }
}

/// `voice-audio-20260131-235959.wav`, in local time.
func defaultFileName(suffix: String) -> String {
    var now = time(nil)
    // SAFETY: both are locals; the text ends within the buffer.
    var parts = unsafe tm()
    unsafe localtime_r(&now, &parts)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
        let length = unsafe strftime(text.baseAddress!, text.count, "voice-audio-%Y%m%d-%H%M%S.", &parts)
        return (length > 0 ? unsafe String(cString: text.baseAddress!) : "voice-audio.") + suffix
    }
}
