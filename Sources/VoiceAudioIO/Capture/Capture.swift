package import VoiceAudioCore

/// One run of a source, from opening to closing.
///
/// Where the source has to be waited for, a thread of its own opens, reads and closes it, and nobody else touches it. A
/// thread that does not come back in time is left alone with all that it uses, and cleans up when its call returns. Where
/// frames are pushed, there is no thread: whoever pushes takes the frames in.
package final class Capture: Sendable {
    /// How a capture stands.
    package enum Outcome: Sendable {
        case running
        /// The source came to its end, or the capture was stopped.
        case ended
        case failed(AudioError)
    }

    /// What takes frames from the source.
    private enum Driver: Sendable {
        case thread(WorkerThread)
        case pushes(PushedLoop)
    }

    /// What the source really gives.
    package var report: CaptureReport { control.report.withLock { $0 } ?? openedReport }
    private let openedReport: CaptureReport
    package let control: CaptureControl
    /// Why the thread does not run with the priority asked for; `nil` where it does.
    package let priorityRefusal: AudioError?
    private let driver: Driver
    private let outcomeLock: Lock<Outcome>
    private let plan: CapturePlan

    package var counters: CaptureCounters { control.counters }

    private var clock: any AudioClock { plan.environment.clock }

    /// Opens the source and waits until it runs.
    ///
    /// - Parameters:
    ///   - plan: What to capture, and how.
    ///   - history: The ring to fill; its producer's end must be free, its chunk limit the request's chunk.
    ///   - isHeld: Whether frames reach nobody until ``takeOver(from:history:by:)``.
    ///   - abort: Gives up the wait when readable.
    ///   - abandon: Gets the thread where it is left to itself: it closes the source when its call returns at last.
    /// - Throws: What the source throws; `timedOut` or `cancelled` with the thread left to itself; `outOfResources`.
    package init(
        _ plan: CapturePlan, history: BoundedAudioBuffer, isHeld: Bool = false, by deadline: MonotonicInstant,
        abort: WakeUp, abandon: (WorkerThread) -> Void
    ) throws(AudioError) {
        self.plan = plan
        let clock = plan.environment.clock
        let control = try CaptureControl(isHeld: isHeld)
        let outcome = Lock(Outcome.running)
        self.control = control
        outcomeLock = outcome
        if let source = plan.source as? PushSource {
            // What may fail comes before what would have to be closed again.
            let finished = try WakeUp()
            let producer = try history.takeProducer()
            let stream = try source.openPushed(plan.request, in: plan.environment)
            let loop = PushedLoop(
                try plan.start(stream, history: producer, control: control), of: stream, control: control,
                outcome: outcome, finished: finished)
            openedReport = loop.report
            priorityRefusal = nil
            driver = .pushes(loop)
            source.connect(loop)
            return
        }
        let opening = CaptureOpening(latch: control.answer)
        let start = CaptureThreadStart(plan, control: control, history: try history.takeProducer())
        let thread = try WorkerThread(
            name: "va-capture", ask: { control.requestStop() }, body: { start.run(opening: opening, outcome: outcome) })
        do throws(AudioError) {
            let opened = try opening.wait(by: deadline, clock: clock, abort: abort, sourceName: plan.source.name)
            openedReport = opened.report
            priorityRefusal = opened.priorityRefusal
            driver = .thread(thread)
        } catch {
            // What failed ends by itself; what hangs is left alone.
            let hasEnded = opening.hasFailed && thread.join(by: deadline, clock: clock)
            if !hasEnded { abandon(thread) }
            throw error
        }
    }

    /// How the capture stands now.
    package var outcome: Outcome { outcomeLock.withLock { $0 } }

    /// Becomes readable at the capture's end; for `poll`. Not to be read or closed.
    package var endDescriptor: Int32 {
        switch driver {
        case .thread(let thread): thread.endDescriptor
        case .pushes(let loop): loop.endDescriptor
        }
    }

    /// Waits until the source is at its end or has failed.
    package func waitForEnd(by deadline: MonotonicInstant) -> Bool {
        switch driver {
        case .thread(let thread): thread.join(by: deadline, clock: clock)
        case .pushes(let loop): loop.waitForEnd(by: deadline, clock: clock)
        }
    }

    /// From now on those who listen are not at their end when this capture is: another one takes over, or has not yet.
    package func beginHandover() { control.setHasSuccessor(true) }

    /// No other capture takes over after all.
    package func cancelHandover() {
        control.setHasSuccessor(false)
        // It may have ended meanwhile, and thought that another goes on.
        switch outcome {
        case .running: break
        case .ended: endListening(because: nil)
        case .failed(let error): endListening(because: error)
        }
    }

    /// Stops it.
    ///
    /// - Parameter abandon: Gets the thread where it did not end by `deadline`. Where another capture takes over, it hands
    ///   nothing to anybody any more.
    /// - Returns: Whether it ended by `deadline`. If not, it is left to itself.
    package func stop(by deadline: MonotonicInstant, abandon: (WorkerThread) -> Void = { _ in }) -> Bool {
        control.requestStop()
        // Who pushes is not held up any more.
        if case .pushes(let loop) = driver { loop.serve() }
        if waitForEnd(by: deadline) { return true }
        if !control.endsWithoutSuccessor { control.cutOff() }
        if case .thread(let thread) = driver { abandon(thread) }
        return false
    }

    /// Goes on with another history, which continues the old one's numbers.
    ///
    /// - Parameter movesContent: Whether it takes over what the old one holds, copied by the capture thread.
    /// - Returns: Whether it did by `deadline`. If not, it stays with the old one, and the new one's end is free again.
    package func exchangeHistory(
        for next: consuming BoundedAudioBuffer.Producer, movingContent movesContent: Bool = false,
        by deadline: MonotonicInstant
    ) -> Bool {
        control.requestExchange(for: next, movesContent: movesContent)
        return waitForExchange(by: deadline)
    }

    /// Ends being held: frames go to `history` from now on, which has numbers of its own.
    ///
    /// What came between the newest frame of `predecessor` and the first one here is told as a loss.
    ///
    /// - Parameter predecessor: Has ended, or was cut off.
    /// - Returns: As ``exchangeHistory(for:movingContent:by:)``.
    package func takeOver(
        from predecessor: Capture, history: consuming BoundedAudioBuffer.Producer, by deadline: MonotonicInstant
    ) -> Bool {
        control.requestExchange(for: history, takingOverFrom: predecessor.counters)
        guard waitForExchange(by: deadline) else { return false }
        // Those who listen are this one's from now on.
        cancelHandover()
        return true
    }

    private func waitForExchange(by deadline: MonotonicInstant) -> Bool {
        // Not for one that is held up while it pushes: it answers, too.
        if case .pushes(let loop) = driver { loop.serveUnlessBusy() }
        return control.waitForExchange(by: deadline, clock: clock, ended: endDescriptor)
    }

    /// Waits until a capture that is held has got its first frames.
    ///
    /// - Returns: `true` where they came, or where no device says when they are due.
    package func waitForDelivery(by deadline: MonotonicInstant) -> Bool {
        openedReport.bufferFrames == 0
            || control.waitForDelivery(by: deadline, clock: clock, ended: endDescriptor)
    }

    /// Ends a capture for good that was stopped for another, which cannot take over.
    package func fail(because error: AudioError) {
        outcomeLock.withLock { $0 = .failed(error) }
        endListening(because: error)
    }

    private func endListening(because failure: AudioError?) {
        plan.health.noteEnd(because: failure, at: clock.now)
        plan.subscribers.removeAll(because: failure)
    }
}
