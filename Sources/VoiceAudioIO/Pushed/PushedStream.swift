import VoiceAudioCore

/// What a capture reads where frames are pushed: the bytes of the push under way. Everything here belongs to whose turn it is.
@safe
final class PushedStream: CaptureStream {
    let report: CaptureReport

    private let converter: StreamConverter
    /// Bytes of a frame as it is pushed.
    private let bytesPerFrame: Int
    private let clock: any AudioClock
    private let onClose: () -> Void
    // SAFETY: the bytes of a push, which stay valid until it takes them back.
    private var bytes: UnsafeRawBufferPointer?
    private var framesRead = 0
    private var captureTime = MonotonicInstant(nanoseconds: 0)
    private var lostFrames = 0
    private var end: Result<Void, AudioError>?

    init(
        _ converter: StreamConverter, of format: StreamFormat, request: CaptureRequest, name: String,
        clock: any AudioClock,
        onClose: @escaping () -> Void
    ) {
        self.converter = converter
        bytesPerFrame = format.bytesPerFrame
        self.clock = clock
        self.onClose = onClose
        unsafe bytes = nil
        report = CaptureReport(
            source: name, format: request.format, conversions: converter.conversions,
            requestedPeriodFrames: request.chunkFrameCount, periodFrames: request.chunkFrameCount)
    }

    // MARK: The pushing side

    /// Whether something is there to be read.
    var hasMore: Bool { unsafe lostFrames > 0 || end != nil || framesRead * bytesPerFrame < bytes?.count ?? 0 }

    /// Lends the bytes of a push until ``takeBack()``.
    func lend(_ bytes: UnsafeRawBufferPointer, captureTime: MonotonicInstant?) {
        let duration = report.format.duration(ofFrames: bytes.count / bytesPerFrame)
        let time = captureTime ?? clock.now.advanced(by: .zero - duration)
        self.captureTime = max(self.captureTime, time)
        unsafe self.bytes = bytes
        framesRead = 0
    }

    /// - Returns: Frames that were read.
    func takeBack() -> Int {
        unsafe bytes = nil
        return framesRead
    }

    func lose(_ frameCount: Int) { lostFrames += frameCount }

    func finish(because failure: AudioError?) { end = failure.map(Result.failure) ?? .success(()) }

    // MARK: The capture's side

    func start() throws(AudioError) {}

    /// Nobody waits: whoever pushes has something to read.
    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {}

    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        if lostFrames > 0 {
            defer { lostFrames = 0 }
            return .lost(AudioLoss(frames: lostFrames, cause: .deviceGap))
        }
        let unread = unsafe (bytes?.count ?? 0) / bytesPerFrame - framesRead
        guard let bytes = unsafe bytes, unread > 0 else {
            guard let end else { return .nothing }
            try end.get()
            return .ended
        }
        // A read is for a chunk at most.
        let frameCount = min(unread, buffer.byteCount / report.format.bytesPerFrame, converter.maxFrameCount)
        // SAFETY: the bytes of the push under way; the buffer has room for so many frames.
        unsafe buffer.withUnsafeMutableBytes { room in
            unsafe converter.convert(
                UnsafeRawBufferPointer(rebasing: bytes[(framesRead * bytesPerFrame)...]), into: room,
                frameCount: frameCount)
        }
        let time = captureTime.advanced(by: report.format.duration(ofFrames: framesRead))
        framesRead += frameCount
        return .frames(frameCount, captureTime: time)
    }

    func close() { onClose() }
}
