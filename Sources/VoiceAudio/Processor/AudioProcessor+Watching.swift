public import VoiceAudioCore
public import VoiceAudioIO

// How the processor stands: each a look, which changes nothing.
extension AudioProcessor {
    /// What the processor is doing.
    public var state: ProcessorState { ProcessorState(session.withLock { $0.currentState }) }

    /// What the source really gives; `nil` while nothing is open.
    public var captureReport: CaptureReport? { session.withLock { $0.capture?.report } }

    /// What the device delivered and lost since it was armed; it stays until the next capture.
    public var statistics: CaptureStatistics { session.withLock { $0.captureStatistics } }

    /// How loud the newest chunk is; silence while nothing is captured.
    public var level: AudioLevel { session.withLock { $0.capture?.counters.newestLevel ?? .silence } }

    /// How long the recording under way is, lost frames included; zero where there is none.
    public var recordingDuration: Duration {
        configuration.format.duration(ofFrames: session.withLock { $0.recordedFrameCount })
    }

    /// When the recording under way began, its pre-roll included, on the monotonic clock; `nil` where there is none.
    public var recordingStartTime: MonotonicInstant? {
        session.withLock { session in
            guard session.isRecording else { return nil }
            let preRoll = configuration.format.duration(ofFrames: session.preRollFrameCount)
            return session.startCallTime?.advanced(by: .zero - preRoll)
        }
    }

    /// Capture threads that did not end in time and are left to themselves, with all that they use.
    public var quarantinedThreadCount: Int { session.withLock { $0.quarantinedThreadCount } }

    /// Memory, fill, drops and subscribers, now.
    public var memoryUsage: MemoryUsage { session.withLock { $0.memoryUsage() } }

    /// Waits until the source is at its end (a file that does not loop) or the capture has failed.
    ///
    /// - Parameter timeout: Longest wait.
    /// - Returns: Whether the end came in time; `true` where nothing is captured.
    public func waitForSourceEnd(timeout: Duration) -> Bool {
        guard let capture = runningCapture else { return true }
        return capture.waitForEnd(by: clock.now.advanced(by: timeout))
    }
}
