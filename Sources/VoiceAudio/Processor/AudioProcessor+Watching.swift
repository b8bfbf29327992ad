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
    public var memoryUsage: MemoryUsage { session.withLock { $0.memoryUsage(at: clock.now) } }

    /// How the capture fares; `nil` while nothing is captured.
    ///
    /// Reconnecting is a health, not a state: a recording under way goes on, with a gap.
    public var health: CaptureHealth? { healthStatus?.health }

    /// How the capture fares, since when, and why; `nil` while nothing is captured.
    public var healthStatus: HealthStatus? { session.withLock { $0.health }.status(at: clock.now) }

    /// The capture's health as it changes, beginning with how it is. From `idle`, that of the next capture.
    ///
    /// ```swift
    /// for try await status in processor.healthChanges() { log("\(status.health): \(status.reason ?? "")") }
    /// ```
    ///
    /// - Returns: A sequence that ends with the capture; where watching failed, it throws that at its first element.
    public func healthChanges() -> HealthSequence {
        do throws(AudioError) {
            return HealthSequence(watch: .success(try watchHealth()))
        } catch {
            return HealthSequence(watch: .failure(error))
        }
    }

    /// As ``healthChanges()``, without `async`. At most 16 watches at a time.
    ///
    /// - Throws: ``AudioError`` with code `limitReached` or `outOfResources`.
    public func watchHealth() throws(AudioError) -> HealthWatch {
        // Under the lock: else a capture that ends in this moment would leave behind who watches it.
        try session.withLock { (session) throws(AudioError) in try HealthWatch(session.health, clock: clock) }
    }

    /// Waits until the source is at its end (a file that does not loop) or the capture has failed.
    ///
    /// - Parameter timeout: Longest wait.
    /// - Returns: Whether the end came in time; `true` where nothing is captured.
    public func waitForSourceEnd(timeout: Duration) -> Bool {
        guard let capture = runningCapture else { return true }
        return capture.waitForEnd(by: clock.now.advanced(by: timeout))
    }
}
