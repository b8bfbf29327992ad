public import VoiceAudioCore
public import VoiceAudioIO

/// What came of ``AudioProcessor/reconfigure(deadline:_:)``.
public enum Reconfiguration: Sendable {
    /// The new settings hold.
    case replaced
    /// The old settings hold, because of that error. What was captured is there; the old capture goes on. Where it had to
    /// be ended for the new one, and could not be begun again either, the processor's state is `failed`.
    case rolledBack(AudioError)

    /// Whether the new settings hold.
    public var isReplaced: Bool {
        switch self {
        case .replaced: true
        case .rolledBack: false
        }
    }
}

// Other settings for a capture that goes on.
extension AudioProcessor {
    /// Changes settings, while recording, too.
    ///
    /// ```swift
    /// switch processor.reconfigure({ $0.device = "hw:CARD=Mic2" }) {
    /// case .replaced: break
    /// case .rolledBack(let error): log("kept the old microphone: \(error)")
    /// }
    /// ```
    ///
    /// What was captured stays, and so does the recording under way. Another source is opened beside the old one, and must
    /// deliver frames, before that is closed; only where both cannot be open at the same time is the old one closed before,
    /// and opened again if the new one fails. The gap between the two is told as a loss, estimated. Other caps take what
    /// was captured over as far as it fits.
    ///
    /// Who listens goes on listening, unless frames have another format from now on: then subscriptions end, with
    /// `formatChanged`, and what was captured before is converted.
    ///
    /// From `idle`, the settings are those of the next capture.
    ///
    /// - Parameters:
    ///   - deadline: How long it may take. Going back comes besides: the `stopTimeout` for each capture that must be ended or
    ///     begun again for it.
    ///   - change: Gets the settings as they are. What it throws rolls back.
    /// - Returns: Whether the new settings hold. Errors are of the codes that `arm()` throws.
    ///
    /// > Concurrency: Safe from any thread. One that finds another call at work waits for it.
    @discardableResult
    public func reconfigure(
        deadline: Duration = .seconds(5), _ change: (inout AudioConfiguration) throws(AudioError) -> Void
    ) -> Reconfiguration {
        reconfigure(by: deadline) { (setup) throws(AudioError) in
            var configuration = setup.configuration
            try change(&configuration)
            return try setup.with(configuration)
        }
    }

    /// Goes on with another source of the program's own; as ``reconfigure(deadline:_:)``.
    @discardableResult
    public func reconfigure(
        source: any CaptureSource, deadline: Duration = .seconds(5),
        _ change: (inout AudioConfiguration) throws(AudioError) -> Void = { (_) in }
    ) -> Reconfiguration {
        reconfigure(by: deadline) { (setup) throws(AudioError) in
            var configuration = setup.configuration
            try change(&configuration)
            return try setup.with(configuration, source: source)
        }
    }

    private func reconfigure(
        by deadline: Duration, _ change: (CaptureSetup) throws(AudioError) -> CaptureSetup
    ) -> Reconfiguration {
        do throws(AudioError) {
            try perform("reconfigure()", deadline) { (deadline) throws(AudioError) in
                let old = setup
                try use(try change(old), insteadOf: old, by: deadline)
            }
            log(.info, "reconfigured", ["source": setup.source.name])
            return .replaced
        } catch {
            log(.warning, "not reconfigured: the old settings hold", ["error": "\(error)"])
            return .rolledBack(error)
        }
    }

    private func use(
        _ setup: CaptureSetup, insteadOf old: CaptureSetup, by deadline: MonotonicInstant
    ) throws(AudioError) {
        let (state, capture) = capturing.withLock { ($0.currentState, $0.capture) }
        switch state {
        case .idle: break
        case .ready, .recording, .paused:
            guard let capture, case .running = capture.outcome else {
                guard setup.needsOtherCapture(than: old) || setup.needsOtherHistory(than: old) else { break }
                throw Self.atItsEnd
            }
            if setup.needsOtherCapture(than: old) {
                return try replace(capture, of: old, with: setup, by: deadline)
            }
            if setup.needsOtherHistory(than: old) { try changeHistory(of: capture, for: setup, by: deadline) }
        case .processing, .failed:
            throw AudioError(
                .invalidState, "reconfigure() does not fit the state \(ProcessorState(state)): call cleanup() first")
        }
        capturing.withLock { $0.use(setup) }
    }

    private static var atItsEnd: AudioError {
        AudioError(.invalidState, "the source is at its end: call stop() or cleanup() first")
    }

    /// Other caps for the same capture.
    private func changeHistory(
        of capture: Capture, for setup: CaptureSetup, by deadline: MonotonicInstant
    ) throws(AudioError) {
        let next = try makeHistory(setup)
        guard capture.exchangeHistory(for: try next.takeProducer(), movingContent: true, by: deadline) else {
            switch capture.outcome {
            case .failed(let error): throw error
            case .ended: throw Self.atItsEnd
            case .running: throw Self.noAnswer
            }
        }
        capturing.withLock { $0.exchangedHistory(for: next, of: capture) }
    }
}
