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
    /// Whole frames for a file that stays the same: written together, as a write of a chunk of 10 ms is mostly its beginning.
    private var gathered: [UInt8] = []
    private static let gatheredByteLimit = 1 << 16

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

    /// Frames written, or about to be; after an error, those that are there.
    var frameCount: Int {
        switch target {
        case .pipe: pipedFrameCount
        case .file(let writer): writer.frameCount + gathered.count / bytesPerFrame
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

    /// Frames still to come of those asked for; lost ones are none of them, as time has passed for them, too. `nil` for no end.
    func missingFrameCount(to frameLimit: Int?) -> Int? { frameLimit.map { max(0, $0 - frameCount - lostFrameCount) } }

    /// Whether as much was recorded as was asked for.
    func isFull(at frameLimit: Int?) -> Bool { missingFrameCount(to: frameLimit) == 0 }

    /// Writes a chunk, or as much of it as is asked for; at the latest with ``flush()``, which is to follow.
    mutating func append(_ header: AudioChunkHeader, _ bytes: RawSpan, frameLimit: Int?) throws(AudioError) {
        if let loss = header.lossBefore {
            losses.add(loss, at: frameCount + lostFrameCount)
            lostFrameCount += loss.frames
        }
        let frames = min(header.frameCount, missingFrameCount(to: frameLimit) ?? header.frameCount)
        let wanted = bytes.extracting(first: frames * bytesPerFrame)
        switch target {
        case .pipe:
            try writeToStandardOutput(wanted)
            pipedFrameCount += frames
        case .file:
            // SAFETY: the span lives through the call.
            unsafe wanted.withUnsafeBytes { unsafe gathered.append(contentsOf: $0) }
            if gathered.count >= Self.gatheredByteLimit { try flush() }
        case .series(let series): try series.append(wanted)
        }
    }

    /// Writes what was gathered.
    mutating func flush() throws(AudioError) {
        guard case .file(let writer) = target, !gathered.isEmpty else { return }
        // What does not fit is not there.
        defer { gathered.removeAll(keepingCapacity: true) }
        // SAFETY: the elements are plain bytes.
        try writer.append(unsafe gathered.span.bytes)
    }

    /// Finishes the file.
    mutating func finish() throws(AudioError) {
        // A failure is the writer's, which tells of it again.
        try? flush()
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
