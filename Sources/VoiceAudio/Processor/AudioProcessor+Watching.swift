public import VoiceAudioCore
public import VoiceAudioIO

// How the processor stands: each a look, which changes nothing.
extension AudioProcessor {
    /// What the processor is doing.
    public var state: ProcessorState { ProcessorState(capturing.withLock { $0.currentState }) }

    /// What the source really gives; `nil` while nothing is open.
    public var captureReport: CaptureReport? { capturing.withLock { $0.capture?.report } }

    /// What the device delivered and lost since it was armed; it stays until the next capture.
    public var statistics: CaptureStatistics { capturing.withLock { $0.captureStatistics } }

    /// How loud the newest chunk is; silence while nothing is captured.
    public var level: AudioLevel { capturing.withLock { $0.capture?.counters.newestLevel ?? .silence } }

    /// How long the recording under way is, lost frames included; zero where there is none.
    public var recordingDuration: Duration {
        configuration.format.duration(ofFrames: capturing.withLock { $0.recordedFrameCount })
    }

    /// When the recording under way began, its pre-roll included, on the monotonic clock; `nil` where there is none.
    public var recordingStartTime: MonotonicInstant? {
        capturing.withLock { state in
            guard state.isRecording else { return nil }
            let preRoll = state.setup.configuration.format.duration(ofFrames: state.preRollFrameCount)
            return state.startCallTime?.advanced(by: .zero - preRoll)
        }
    }

    /// Capture threads that did not end in time and are left to themselves, with all that they use.
    public var quarantinedThreadCount: Int { capturing.withLock { $0.quarantinedThreadCount } }

    /// Memory, fill, drops and subscribers, now.
    public var memoryUsage: MemoryUsage { memoryUsage(processRSSBytes: ProcessMemory.residentBytes) }

    /// - Parameter processRSSBytes: What a report on many processors asks the system once.
    func memoryUsage(processRSSBytes: Int) -> MemoryUsage {
        capturing.withLock { $0.memoryUsage(at: clock.now, processRSSBytes: processRSSBytes) }
    }

    /// How the capture fares; `nil` while nothing is captured.
    ///
    /// Reconnecting is a health, not a state: a recording under way goes on, with a gap.
    public var health: CaptureHealth? { healthStatus?.health }

    /// How the capture fares, since when, and why; `nil` while nothing is captured.
    public var healthStatus: HealthStatus? { capturing.withLock { $0.health }.status(at: clock.now) }

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
        try capturing.withLock { (state) throws(AudioError) in try HealthWatch(state.health, clock: clock) }
    }

    /// Waits until the source is at its end (a file that does not loop) or the capture has failed.
    ///
    /// - Parameter timeout: Longest wait.
    /// - Returns: Whether the end came in time; `true` where nothing is captured.
    public func waitForSourceEnd(timeout: Duration) -> Bool {
        let deadline = clock.now.advanced(by: timeout)
        while let capture = runningCapture {
            guard capture.waitForEnd(by: deadline), waitForSuccessor(by: deadline) else { return false }
            if capture === runningCapture { return true }
        }
        return true
    }

    /// Waits, where a capture has ended so that another one can take its place, until that is done.
    func waitForSuccessor(by deadline: MonotonicInstant) -> Bool {
        guard capturing.withLock({ $0.isReplacing }) else { return true }
        do throws(AudioError) {
            try gate.perform("waiting for the source's end", by: deadline, clock: clock) {}
            return true
        } catch {
            return false
        }
    }
}
