public import VoiceAudioCore

/// A source that the host feeds: frames of a call or a socket, from whichever thread has them.
///
/// ```swift
/// let source = PushSource(format: .g711uLaw8k)
/// let processor = AudioProcessor(source: source)        // 8,000 Hz, mono, s16
/// try processor.start()
/// source.push(rtpPayload)
/// ```
///
/// It needs no thread: whoever pushes copies the frames into the history and to the subscribers, and that is all the
/// memory there is. What happens where the history is full is the configuration's ``OverflowPolicy``; under `.block` the
/// pushing thread waits. What is pushed while nothing captures is refused, and kept nowhere.
///
/// One capture at a time takes its frames; a second one is refused as `busy`.
///
/// > Concurrency: Safe from any thread. Pushes take turns; frames are taken in as the turns come.
///
/// > Real-time: ``push(_:captureTime:)`` takes a lock, held by others for the length of a copy; it allocates nothing.
public final class PushSource: CaptureSource {
    /// What comes in.
    public let format: StreamFormat
    public let name: String

    /// The shape that it gives where nothing else is asked of it.
    public var nativeFormat: AudioFormat? { format.audioFormat }

    private struct State: Sendable {
        var loop: PushedLoop?
        var isOpen = false
        var refusedFrames = 0
    }

    private let state = Lock(State())
    private let owner = OwningProcess()

    /// A source that nobody captures from yet.
    ///
    /// - Parameters:
    ///   - format: What comes in. What a capture asks for has its rate; samples are converted, and channels mixed into one.
    ///   - name: What reports call it.
    public init(format: StreamFormat, name: String = "push") {
        self.format = format
        self.name = name
    }

    /// Takes frames in.
    ///
    /// - Parameters:
    ///   - bytes: Whole frames of ``format``.
    ///   - captureTime: When the first of them was captured; if not given, so long ago as they last. Never backward: an
    ///     earlier time than that of the push before is taken for the same.
    /// - Returns: What became of them. A refusal changes nothing but ``refusedFrameCount``.
    /// - Complexity: O(*n*) in the bytes, times one more than there are subscribers.
    @discardableResult
    public func push(_ bytes: RawSpan, captureTime: MonotonicInstant? = nil) -> PushResult {
        guard bytes.byteCount % format.bytesPerFrame == 0 else {
            return refuse(.partialFrame, frameCount: bytes.byteCount / format.bytesPerFrame)
        }
        let frameCount = bytes.byteCount / format.bytesPerFrame
        guard let loop = connected else { return refuse(.notCapturing, frameCount: frameCount) }
        // SAFETY: the span is valid for the length of the call, and so is what the loop uses of it.
        let taken = unsafe bytes.withUnsafeBytes { unsafe loop.take($0, captureTime: captureTime) }
        return taken == frameCount ? .taken : refuse(.notCapturing, frameCount: frameCount - taken)
    }

    /// Takes samples or bytes in; see ``push(_:captureTime:)-(RawSpan,_)``.
    @discardableResult
    public func push<Sample: BitwiseCopyable>(
        _ samples: [Sample], captureTime: MonotonicInstant? = nil
    ) -> PushResult {
        // SAFETY: the bytes of initialised plain values.
        push(unsafe samples.span.bytes, captureTime: captureTime)
    }

    /// Says that so many frames are missing before what is pushed next: packets that never came.
    ///
    /// They are in the ledger as a gap of the device. More than 2⁴⁰ count as so many.
    ///
    /// - Returns: `.taken`, or `.refused` where nothing captures.
    @discardableResult
    public func noteLoss(frameCount: Int) -> PushResult {
        guard frameCount > 0 else { return .taken }
        guard let loop = connected, loop.lose(min(frameCount, 1 << 40)) else { return .refused(.notCapturing) }
        return .taken
    }

    /// Ends the capture under way: what was pushed before is all there is.
    ///
    /// - Parameter failure: Why, where that was no good end: the capture has then failed with it.
    public func finish(because failure: AudioError? = nil) { connected?.finish(because: failure) }

    /// Frames that were pushed while nothing captured, or that were no whole number.
    public var refusedFrameCount: Int { state.withLock { $0.refusedFrames } }

    private var connected: PushedLoop? {
        guard owner.isCurrent else { return nil }
        return state.withLock { $0.loop }
    }

    private func refuse(_ reason: PushResult.Refusal, frameCount: Int) -> PushResult {
        if owner.isCurrent { state.withLock { $0.refusedFrames += frameCount } }
        return .refused(reason)
    }

    // MARK: The capture's side

    public func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream {
        try openPushed(request, in: environment)
    }

    func openPushed(_ request: CaptureRequest, in environment: CaptureEnvironment) throws(AudioError) -> PushedStream {
        try owner.check("the source \"\(name)\"")
        let converter = try StreamConverter(
            from: format, to: request.format, mono: request.monoChannel, maxFrameCount: request.chunkFrameCount,
            name: name)
        try state.withLock { (state) throws(AudioError) in
            guard !state.isOpen else {
                throw AudioError(.busy, "\"\(name)\" is captured from already, and gives its frames to one at a time")
            }
            state.isOpen = true
        }
        return PushedStream(converter, of: format, request: request, name: name, clock: environment.clock) { [state] in
            state.withLock { state in
                state.loop = nil
                state.isOpen = false
            }
        }
    }

    /// Frames that are pushed from now on go to this capture.
    func connect(_ loop: PushedLoop) { state.withLock { if $0.isOpen { $0.loop = loop } } }
}
