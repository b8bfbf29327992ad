import Glibc
import VoiceAudio

/// Where recorded frames go: a WAV file in place, or a pipe.
struct RecordingSink {
    /// Frames written.
    private(set) var frameCount = 0
    /// Frames missing between them, whatever the cause.
    private(set) var lostFrameCount = 0
    /// The gaps that these make, earliest first.
    private(set) var losses = RecordedLosses()
    private let writer: RecordingWriter?
    private let bytesPerFrame: Int

    var isPipe: Bool { writer == nil }

    /// - Parameter output: A path, or `-` for raw samples to standard output.
    /// - Throws: As ``RecordingWriter``.
    init(output: String, configuration: AudioConfiguration) throws(AudioError) {
        bytesPerFrame = configuration.format.bytesPerFrame
        writer =
            output == "-"
            ? nil
            : try RecordingWriter(
                path: output, format: configuration.format, minimumFreeBytes: configuration.minimumFreeDiskBytes)
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
        if let writer { try writer.append(wanted) } else { try writeToStandardOutput(wanted) }
        frameCount += frames
    }

    /// Finishes the file.
    func finish() throws(AudioError) { try writer?.finish() }

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
func defaultFileName() -> String {
    var now = time(nil)
    // SAFETY: both are locals; the text ends within the buffer.
    var parts = unsafe tm()
    unsafe localtime_r(&now, &parts)
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
        let length = unsafe strftime(text.baseAddress!, text.count, "voice-audio-%Y%m%d-%H%M%S.wav", &parts)
        return length > 0 ? unsafe String(cString: text.baseAddress!) : "voice-audio.wav"
    }
}
