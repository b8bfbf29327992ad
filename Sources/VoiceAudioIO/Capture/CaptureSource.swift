public import VoiceAudioCore

/// Something that audio can be captured from: a device, a file, a tone.
///
/// A source is a description; opening it gives a ``CaptureStream``. One source can be opened again and again.
public protocol CaptureSource: Sendable {
    /// What a person calls it: `default`, `hw:CARD=Mic`, `sim:`.
    var name: String { get }

    /// The shape that it gives where nothing else is asked of it; `nil` where it gives what is asked for. A configuration
    /// takes it where nothing was set.
    var nativeFormat: AudioFormat? { get }

    /// Opens the source and negotiates. Called on the capture thread, which alone uses the stream until it closes it.
    ///
    /// - Parameters:
    ///   - request: What is wanted.
    ///   - environment: Clock and log of the capture.
    /// - Returns: An open stream that has not started.
    /// - Throws: `noSuchDevice`, `busy`, `permissionDenied`, `unsupportedFormat`, `noSuchFile`, `unreadableFile`,
    ///   `deviceFailed` or `outOfResources`. What was opened on the way is closed again.
    func open(
        _ request: CaptureRequest, in environment: CaptureEnvironment
    ) throws(AudioError) -> any CaptureStream
}

extension CaptureSource {
    /// It gives what is asked for.
    public var nativeFormat: AudioFormat? { nil }
}

/// What a capture asks of its source.
public struct CaptureRequest: Sendable, Hashable {
    /// The shape of the frames to deliver. A source that cannot deliver it throws `unsupportedFormat`.
    public var format: AudioFormat
    /// Frames in a chunk; the device's period is asked to match.
    public var chunkFrameCount: Int
    /// What one channel is made of where the device has several and `format` has one.
    public var monoChannel: MonoChannel

    /// A request of the values given.
    public init(format: AudioFormat, chunkFrameCount: Int, monoChannel: MonoChannel = .mix) {
        self.format = format
        self.chunkFrameCount = chunkFrameCount
        self.monoChannel = monoChannel
    }
}

/// What surrounds a capture.
public struct CaptureEnvironment: Sendable {
    /// Deadlines, pace and time stamps go by it.
    public var clock: any AudioClock
    /// Where log lines go. Never used while frames flow: only when a stream is opened, again, too, and closed.
    public var logSink: any AudioLogSink

    /// The system's clock and no log, unless given.
    public init(clock: any AudioClock = SystemClock(), logSink: any AudioLogSink = SilentLogSink()) {
        self.clock = clock
        self.logSink = logSink
    }
}

/// An open source. Used by the capture thread alone.
///
/// > Real-time: After ``start()``, ``wait(orFor:)`` and ``read(into:)`` allocate nothing and make no system call but
/// > `poll`, the device's own and the clock.
public protocol CaptureStream: AnyObject {
    /// What the source really gives. Changes only with ``CaptureRead/reopened(_:)``, and the format never.
    var report: CaptureReport { get }

    /// What is known of the stream's times by now.
    var timing: CaptureTiming { get }

    /// What keeps the source from delivering while it tries to go on by itself; `nil` where nothing does.
    var outage: CaptureOutage? { get }

    /// Starts the flow of frames.
    ///
    /// - Throws: `deviceFailed` or `deviceLost`.
    func start() throws(AudioError)

    /// Waits until there may be frames to read, or `wakeUp` was signalled. May return early.
    ///
    /// - Throws: `deviceFailed` or `deviceLost`.
    func wait(orFor wakeUp: CaptureWakeUp) throws(AudioError)

    /// Copies frames into `buffer`, as many as there are and fit. Does not block.
    ///
    /// - Parameter buffer: Room for whole frames of the report's format.
    /// - Throws: `deviceFailed` or `deviceLost`.
    func read(into buffer: inout MutableRawSpan) throws(AudioError) -> CaptureRead

    /// Gives everything back. Called once.
    func close()
}

extension CaptureStream {
    /// Frames are stamped as they arrive.
    public var timing: CaptureTiming { CaptureTiming() }

    /// It goes on, or it fails.
    public var outage: CaptureOutage? { nil }
}

/// A source that is away, and tries to come back.
public struct CaptureOutage: Sendable, Hashable {
    /// What began it.
    public var reason: AudioError
    /// What ended the newest attempt to go on; `nil` before the first.
    public var newestReason: AudioError?
    /// When it began.
    public var since: MonotonicInstant
    /// Attempts to go on so far.
    public var attempts: Int

    /// An outage of the values given.
    public init(reason: AudioError, newestReason: AudioError? = nil, since: MonotonicInstant, attempts: Int = 0) {
        self.reason = reason
        self.newestReason = newestReason
        self.since = since
        self.attempts = attempts
    }
}

/// What one read brought.
public enum CaptureRead: Sendable, Hashable {
    /// Frames, now at the start of the buffer, and when the first of them was captured.
    case frames(Int, captureTime: MonotonicInstant)
    /// Nothing yet: wait.
    case nothing
    /// Frames are missing at this place of the stream; the buffer is untouched, read again.
    case lost(AudioLoss)
    /// The source was opened anew, the report may have changed, and frames are missing at this place of the stream; read
    /// again.
    case reopened(AudioLoss)
    /// The source is at its end: there will be no more frames.
    case ended
}

/// Wakes a capture thread from ``CaptureStream/wait(orFor:)``.
public struct CaptureWakeUp: Sendable {
    /// Readable when the capture thread is wanted; for `poll`. Not to be read or closed.
    public let descriptor: Int32
    private let owner: WakeUp?

    package init(_ wakeUp: WakeUp) {
        descriptor = wakeUp.descriptor
        owner = wakeUp
    }

    /// A descriptor that stays open for as long as this is used.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        owner = nil
    }
}
