import VoiceAudioCore

/// Reads frames from a descriptor as they arrive.
final class DescriptorStream: CaptureStream {
    private(set) var report: CaptureReport

    private var descriptor: OwnedDescriptor?
    private let number: Int32
    private let isFile: Bool
    private let request: CaptureRequest
    private let clock: any AudioClock
    private let logSink: any AudioLogSink

    /// What comes before the frames; `nil` once it was read, or where nothing does.
    private var header: WAVStreamHeader?
    /// `nil` until the header was read.
    private var intake: FrameIntake?
    private var sourceBytesPerFrame: Int

    // The descriptor and, in the last place, the wake-up; and each alone.
    private var descriptors = DescriptorSet(count: 2)
    private var descriptorAlone = DescriptorSet(count: 1)
    private var wakeUpAlone = DescriptorSet(count: 1)
    private var pace: StreamPace
    /// Whether there is something to read, or the end.
    private var isReadable = false
    private var captureTime = MonotonicInstant(nanoseconds: .min)

    /// - Throws: `noSuchDevice`, `unsupportedFormat`.
    init(
        _ descriptor: consuming OwnedDescriptor, contents: DescriptorSource.Contents, name: String,
        request: CaptureRequest, environment: CaptureEnvironment
    ) throws(AudioError) {
        number = descriptor.number
        isFile = try DescriptorCalls.check(descriptor.number, name: name)
        self.descriptor = consume descriptor
        self.request = request
        clock = environment.clock
        logSink = environment.logSink
        sourceBytesPerFrame = request.format.bytesPerFrame
        pace = StreamPace(request.format)
        report = CaptureReport(
            source: name, format: request.format, requestedPeriodFrames: request.chunkFrameCount,
            periodFrames: request.chunkFrameCount)
        descriptors.watch(number, at: 0)
        descriptorAlone.watch(number, at: 0)
        switch contents {
        case .raw(let format): try begin(format ?? StreamFormat(request.format))
        case .wav: header = WAVStreamHeader(name: name, mayBeRaw: false)
        case .automatic: header = WAVStreamHeader(name: name, mayBeRaw: true)
        }
    }

    /// Waits for the header. One that comes later is read as frames are.
    ///
    /// - Throws: As ``read(into:)``.
    func awaitHeader(until deadline: MonotonicInstant) throws(AudioError) {
        while header != nil, clock.now < deadline {
            isReadable = clock.wait(for: descriptorAlone, until: deadline) > 0
            try readHeader()
        }
    }

    func start() throws(AudioError) {}

    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError) {
        if clock.now < pace.due {
            wakeUpAlone.watch(wakeUp.descriptor, at: 0)
            _ = clock.wait(for: wakeUpAlone, until: pace.due)
            return
        }
        descriptors.watch(wakeUp.descriptor, at: 1)
        _ = clock.wait(for: descriptors, until: nil)
        isReadable = descriptors.isReady(at: 0)
    }

    /// - Throws: `deviceLost`, `deviceFailed`; before the first frame `unsupportedFormat`, `unreadableFile`.
    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead {
        if header != nil { try readHeader() }
        guard let intake else { return .nothing }
        if intake.hasEnded { return .ended }
        guard clock.now >= pace.due, canRead() else { return .nothing }
        // SAFETY: the room is lent for the call; the kernel writes within it.
        let result = try unsafe intake.read(into: &buffer) { room throws(AudioError) in
            try unsafe DescriptorCalls.read(number, into: room, name: report.source)
        }
        if intake.isDrained { isReadable = false }
        switch result {
        case .ended: return .ended
        case .nothing: return .nothing
        case .frames(let count): return .frames(count, captureTime: noteArrival(of: count))
        }
    }

    func close() {
        descriptor = nil
        guard let leftOver = intake?.leftOver else { return }
        if leftOver.missingByteCount > 0 {
            log("the stream ended \(leftOver.missingByteCount) bytes before the length that its header tells")
        }
        if leftOver.partialByteCount > 0 {
            log("the stream ended within a frame: its last \(leftOver.partialByteCount) bytes are none")
        }
    }

    private func log(_ message: String) {
        logSink.log(
            level: .warning, message: message, metadata: ["device": report.source], source: "VoiceAudio")
    }

    /// Asks the kernel where the last wait did not tell.
    private func canRead() -> Bool {
        if !isReadable { isReadable = descriptorAlone.poll(nanoseconds: 0) > 0 }
        return isReadable
    }

    /// Reads as much of the header as is there.
    private func readHeader() throws(AudioError) {
        while header != nil, canRead() {
            var isAtEnd = false
            // SAFETY: as in `read`.
            let step = try unsafe header?.take { room throws(AudioError) in
                let count = try unsafe DescriptorCalls.read(number, into: room, name: report.source)
                isAtEnd = count == 0
                return isAtEnd ? nil : count
            }
            // The next bytes may not be there yet.
            isReadable = false
            guard let outcome = isAtEnd ? try header?.end() : step?.outcome else { return }
            switch outcome {
            case .unfinished: if step?.didRead == false { return }
            case .wav(let format, let byteCount): try begin(format, byteCount: byteCount)
            case .raw(let bytes): try begin(StreamFormat(request.format), after: bytes)
            }
        }
    }

    /// From here on frames come.
    private func begin(_ format: StreamFormat, after bytes: [UInt8] = [], byteCount: Int? = nil) throws(AudioError) {
        let intake = try FrameIntake(
            format, for: request, beginning: bytes, byteCount: byteCount, name: report.source)
        self.intake = intake
        header = nil
        sourceBytesPerFrame = format.bytesPerFrame
        report.conversions = intake.conversions
        report.hardware = format == StreamFormat(request.format) ? nil : "\(format)"
    }

    /// A frame was captured so long before it came as it and what waits behind it last: that is never too early a time for
    /// a sender that keeps pace. One that is faster than time is held to what was told before.
    private func noteArrival(of frameCount: Int) -> MonotonicInstant {
        let waiting = isFile ? 0 : DescriptorCalls.waitingByteCount(number) / sourceBytesPerFrame
        let duration = request.format.duration(ofFrames: frameCount + waiting)
        let now = clock.now
        pace.note(frameCount, at: now)
        captureTime = max(captureTime, now.advanced(by: .zero - duration))
        return captureTime
    }
}
