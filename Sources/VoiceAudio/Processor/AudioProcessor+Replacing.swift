import VoiceAudioCore
import VoiceAudioIO

// One capture in another's place, without a moment in which neither can be gone back to.
extension AudioProcessor {
    /// How long a new capture may take to deliver its first frames.
    private static var deliveryTimeout: Duration { .seconds(2) }

    /// Goes on with another capture; where that fails, with the old one.
    ///
    /// - Throws: What the new one failed with.
    func replace(
        _ old: Capture, of oldSetup: CaptureSetup, with setup: CaptureSetup, by deadline: MonotonicInstant
    ) throws(AudioError) {
        // While nothing has happened yet: a budget may have no room.
        let history = setup.needsOtherHistory(than: oldSetup) ? try makeHistory(setup) : nil
        _ = try ContentConverter(from: oldSetup.configuration.format, to: setup.configuration.format)
        capturing.withLock { $0.beginReplacing() }
        defer { capturing.withLock { $0.endReplacing() } }
        old.beginHandover()
        var next: Capture?
        do throws(AudioError) {
            next = try openHeld(setup, by: deadline)
        } catch  where error.code == .busy {
            // Both cannot be had at the same time: the old one goes first.
        } catch {
            old.cancelHandover()
            throw error
        }
        let rest = clock.now.duration(to: deadline)
        let hasEnded = old.stop(by: clock.now.advanced(by: rest / 2), abandon: quarantine)
        var content = Content(setup: oldSetup, isFree: hasEnded)
        do throws(AudioError) {
            let successor = if let next { next } else { try openHeld(setup, by: deadline) }
            try handOver(from: old, to: successor, setup, history: history, of: &content, by: deadline)
        } catch {
            goBack(to: oldSetup, from: old, with: content)
            throw error
        }
    }

    /// Where what was captured lies while captures change.
    private struct Content {
        /// The ring; `nil` for the history.
        var ring: BoundedAudioBuffer?
        /// What it was made for.
        var setup: CaptureSetup
        /// Whether another capture may go on with the ring itself.
        var isFree: Bool

        func isReadable(by setup: CaptureSetup) -> Bool {
            self.setup.configuration.format == setup.configuration.format
        }
    }

    /// Opens a capture whose frames reach nobody yet, and waits until there are some.
    private func openHeld(_ setup: CaptureSetup, by deadline: MonotonicInstant) throws(AudioError) -> Capture {
        let nowhere = try BoundedAudioBuffer(
            maxChunks: 1, maxBytes: setup.configuration.chunkByteCount, overflow: .uniform(.dropOldest),
            format: setup.configuration.format, maxChunkBytes: setup.configuration.chunkByteCount, clock: clock)
        let (capture, _) = try openCapture(setup, into: nowhere, isHeld: true, by: deadline)
        if capture.waitForDelivery(by: min(deadline, clock.now.advanced(by: Self.deliveryTimeout))) { return capture }
        let failure = failure(
            of: capture,
            orElse: AudioError(
                .timedOut, "\"\(setup.source.name)\" opened, but delivered nothing within \(Self.deliveryTimeout)"))
        discard(capture)
        throw failure
    }

    /// Why a capture does not take over.
    private func failure(of capture: Capture, orElse silence: AudioError) -> AudioError {
        switch capture.outcome {
        case .failed(let error): error
        case .ended:
            AudioError(.deviceFailed, "\"\(capture.report.source)\" came to its end before it could take over")
        case .running: silence
        }
    }

    /// Lets a capture that is held take over.
    ///
    /// - Parameters:
    ///   - history: The ring to go on with; `nil` for the one there is.
    ///   - content: What was captured; afterwards where it lies.
    private func handOver(
        from old: Capture, to next: Capture, _ setup: CaptureSetup, history: BoundedAudioBuffer?,
        of content: inout Content, by deadline: MonotonicInstant
    ) throws(AudioError) {
        do throws(AudioError) {
            // Who listens now may be the next capture's.
            guard runningCapture === old else { throw cancellation(of: setup) }
            let producer = try producer(for: setup, history: history, taking: &content)
            let ring = producer.buffer
            capturing.withLock { $0.use(setup) }
            // Before its first frame comes.
            next.control.setPaused(capturing.withLock { $0.isPaused })
            guard next.takeOver(from: old, history: producer, by: deadline) else {
                throw failure(of: next, orElse: Self.noAnswer)
            }
            let isInstalled = capturing.withLock { $0.install(next, history: ring, replacing: old) }
            guard isInstalled else { throw cancellation(of: setup) }
        } catch {
            discard(next)
            throw error
        }
    }

    /// The end of the ring to go on with, which holds all that was captured.
    private func producer(
        for setup: CaptureSetup, history: BoundedAudioBuffer?, taking content: inout Content
    ) throws(AudioError) -> BoundedAudioBuffer.Producer {
        guard let ring = content.ring ?? capturing.withLock({ $0.history }) else { throw cancellation(of: setup) }
        if content.isFree, history == nil { return try ring.takeProducer() }
        let target = if let history { history } else { try makeHistory(setup) }
        var producer = try target.takeProducer()
        let (format, newFormat) = (content.setup.configuration.format, setup.configuration.format)
        if format == newFormat {
            producer.takeContent(of: ring)
        } else {
            try ContentConverter(from: format, to: newFormat).copyContent(of: ring, into: &producer)
        }
        content = Content(ring: target, setup: setup, isFree: false)
        return producer
    }

    /// Opens the old source again; where that fails, too, the capture has failed.
    private func goBack(to setup: CaptureSetup, from old: Capture, with content: Content) {
        var content = content
        let deadline = clock.now.advanced(by: setup.configuration.stopTimeout)
        do throws(AudioError) {
            let history = content.setup.needsOtherHistory(than: setup) ? try makeHistory(setup) : nil
            let again = try openHeld(setup, by: deadline)
            try handOver(from: old, to: again, setup, history: history, of: &content, by: deadline)
        } catch {
            // What was captured is to be read by the settings that hold: it becomes again what it was, if that can be.
            if !content.isReadable(by: setup) { convertBack(&content, to: setup) }
            capturing.withLock { state in
                state.use(content.isReadable(by: setup) ? setup : content.setup)
                if let ring = content.ring { state.exchangedHistory(for: ring, of: old) }
            }
            old.fail(because: error)
            log(.error, "the old capture could not be begun again", ["error": "\(error)"])
        }
    }

    private func convertBack(_ content: inout Content, to setup: CaptureSetup) {
        do throws(AudioError) {
            _ = try producer(for: setup, history: nil, taking: &content)
        } catch {
            log(.error, "what was captured stays in the new format", ["error": "\(error)"])
        }
    }

    /// Ends a capture that is not to reach anybody.
    private func discard(_ capture: Capture) {
        let deadline = clock.now.advanced(by: configuration.stopTimeout)
        capture.beginHandover()
        _ = capture.stop(by: deadline, abandon: quarantine)
    }
}
