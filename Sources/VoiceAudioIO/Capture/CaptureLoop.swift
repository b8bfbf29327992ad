import Glibc
import Synchronization
import VoiceAudioCore

/// What a capture does from an open stream to its end. Everything here belongs to the capture thread; or, where frames are
/// pushed, to whose turn it is.
///
/// > Real-time: After the first chunk: no lock, no allocation, no system call but the stream's own, the clock and one
/// > `write(2)` to an eventfd where somebody waits.
@safe
struct CaptureLoop: ~Copyable {
    private let stream: any CaptureStream
    private let control: CaptureControl
    private let wakeUp: CaptureWakeUp
    private let subscribers: SubscriberTable
    private let health: HealthBoard
    private let clock: any AudioClock
    private let bytesPerFrame: Int
    private let chunkByteCount: Int
    private let format: AudioFormat

    private var history: BoundedAudioBuffer.Producer
    /// The reserved place of the chunk being filled, and how much of it is.
    // SAFETY: reserved in `history` until it is committed, and touched by this thread alone.
    private var place: UnsafeMutableRawBufferPointer?
    private var filledByteCount = 0
    private var captureTime = MonotonicInstant(nanoseconds: 0)
    private var filledUntil = MonotonicInstant(nanoseconds: 0)
    private var silence = SilenceDetector()
    /// Up to when a capture before this one has delivered, until frames come here.
    private var gapStart: MonotonicInstant?
    /// Attempts of the source's to come back, as last told; `nil` while it is not away.
    private var toldAttempts: Int?

    init(
        stream: any CaptureStream, history: consuming BoundedAudioBuffer.Producer, request: CaptureRequest,
        control: CaptureControl, subscribers: SubscriberTable, health: HealthBoard, clock: any AudioClock
    ) {
        self.stream = stream
        self.control = control
        wakeUp = CaptureWakeUp(control.wakeUp)
        self.subscribers = subscribers
        self.health = health
        self.clock = clock
        bytesPerFrame = request.format.bytesPerFrame
        chunkByteCount = request.chunkFrameCount * request.format.bytesPerFrame
        format = request.format
        self.history = history
        unsafe place = nil
    }

    /// What the source really gives.
    var report: CaptureReport { stream.report }

    /// Starts the flow of frames.
    mutating func start() throws(AudioError) {
        try stream.start()
        control.counters.noteStart(at: clock.now)
        if !control.isHeld { health.noteOpened(stream.report, at: clock.now) }
    }

    /// Captures until asked to stop or the source ends, and waits where nothing comes.
    ///
    /// - Throws: What the stream throws. What was captured before is in the ring.
    mutating func run() throws(AudioError) {
        while true {
            switch try step() {
            case .wentOn: break
            case .mustWait: try stream.wait(orFor: wakeUp)
            case .ended: return
            }
        }
    }

    /// What one step came to.
    enum Step {
        case wentOn
        /// Nothing is there to be read.
        case mustWait
        /// The source is at its end, or a stop was asked for.
        case ended
    }

    /// One read, after what is asked of the capture.
    mutating func step() throws(AudioError) -> Step {
        if control.hasRequest {
            // What the device has in this moment belongs to what is ending, and so does what it lost.
            switch try read() {
            case .lost(let loss): lose(loss)
            case .reopened(let loss): reopen(after: loss)
            case .frames, .nothing: break
            // It says so once; whoever asked finds it ended.
            case .ended: return .ended
            }
            commit()
            control.wakeUp.clear()
            if control.takeStop() { return .ended }
            // A place that is still empty lies in the history that goes.
            unsafe place = nil
            if let gapStart = control.exchange(&history) {
                // What is left out in a pause is not lost.
                self.gapStart = control.isPaused ? nil : gapStart
                takeHealthOver()
            }
            control.answerExchange()
        }
        switch try read() {
        case .frames(1..., _): break
        case .ended: return .ended
        case .lost(let loss): lose(loss)
        case .reopened(let loss): reopen(after: loss)
        case .nothing, .frames: return .mustWait
        }
        return .wentOn
    }

    /// Publishes what is left, says how the capture ended, and closes the stream: last, as that may hang.
    mutating func end(because failure: AudioError?, outcome: Lock<Capture.Outcome>) {
        commit()
        outcome.withLock { outcome in
            // One that was given up has failed with that.
            if case .running = outcome { outcome = failure.map(Capture.Outcome.failed) ?? .ended }
        }
        if control.endsWithoutSuccessor {
            health.noteEnd(because: failure, at: clock.now)
            subscribers.removeAll(because: failure)
        }
        stream.close()
    }

    /// Closes a stream of which nobody wants anything.
    func close() { stream.close() }

    /// Reads into the chunk being filled, and commits it when it is full.
    private mutating func read() throws(AudioError) -> CaptureRead {
        if unsafe place == nil {
            unsafe place = history.reserve()
            filledByteCount = 0
        }
        guard let place = unsafe place else {
            // The ring is giving its pages back, which takes microseconds: leave the processor to who does.
            return .nothing
        }
        // SAFETY: the reserved place, which is this thread's alone.
        let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: place[filledByteCount..<chunkByteCount])
        var span = unsafe rest.mutableBytes
        let result = try stream.read(into: &span)
        let end = end(of: result)
        noteHealth(framesUntil: end)
        if let end, case .frames(let count, let time) = result {
            guard count * bytesPerFrame <= span.byteCount else {
                throw AudioError(
                    .deviceFailed,
                    "the source says that it read \(count) frames where \(span.byteCount / bytesPerFrame) fit: "
                        + "a fault of the source")
            }
            if control.isHeld {
                control.noteDelivery()
                return result
            }
            if control.isPaused {
                // What is left out in a pause is not lost.
                gapStart = nil
                commit()
                control.counters.noteDiscarded(count, until: end)
                return result
            }
            if let gapStart {
                self.gapStart = nil
                noteGap(from: gapStart, to: time)
            }
            if filledByteCount == 0 { captureTime = time }
            filledByteCount += count * bytesPerFrame
            filledUntil = end
            control.counters.noteFrames(count)
            if filledByteCount == chunkByteCount { commit() }
        }
        return result
    }

    /// Publishes what is filled, a whole chunk or less: subscribers first, as the place may be reused once it is history.
    private mutating func commit() {
        guard let place = unsafe place, filledByteCount > 0, control.beginPublishing() else { return }
        defer { control.endPublishing() }
        // SAFETY: still reserved.
        let filled = unsafe UnsafeRawBufferPointer(rebasing: place[..<filledByteCount])
        control.counters.noteTiming(stream.timing)
        let level = unsafe AudioLevel.measure(filled, format: format.sampleFormat)
        control.counters.level.store(level, ordering: .relaxed)
        health.noteSilence(since: silence.note(AudioLevel(bits: level), at: captureTime), at: captureTime)
        subscribers.append(unsafe filled.bytes, numbers: history.buffer.nextNumbers, captureTime: captureTime)
        _ = history.commit(
            byteCount: filledByteCount, captureTime: captureTime, interrupt: control.wakeUp.descriptor)
        control.counters.noteHandedOut(until: filledUntil)
        unsafe self.place = nil
        filledByteCount = 0
    }

    /// From now on the health is this capture's; what kept the one before from delivering is over. It happens once: here a
    /// lock is no matter.
    private mutating func takeHealthOver() {
        health.noteOpened(stream.report, at: clock.now)
        toldAttempts = stream.outage?.attempts
        health.noteOutage(stream.outage, at: clock.now)
    }

    /// When the last of the frames read ends; `nil` where there are none.
    private func end(of result: CaptureRead) -> MonotonicInstant? {
        guard case .frames(let count, let time) = result, count > 0 else { return nil }
        return time.advanced(byNanoseconds: format.nanoseconds(ofFrames: count))
    }

    /// Leaves what the health follows from where others see it.
    private mutating func noteHealth(framesUntil end: MonotonicInstant?) {
        guard !control.isHeld, !control.isCutOff else { return }
        if let end {
            // What waits in a device that has fallen silent came before: it is no sign of life.
            health.noteFrames(at: min(clock.now, end))
            if toldAttempts == nil { return }
        }
        let outage = stream.outage
        guard outage?.attempts != toldAttempts else { return }
        toldAttempts = outage?.attempts
        health.noteOutage(outage, at: clock.now)
    }

    /// Opening took its time already: here a lock is no matter.
    private mutating func reopen(after loss: AudioLoss) {
        control.report.withLock { $0 = stream.report }
        guard !control.isHeld, !control.isCutOff else { return }
        lose(loss)
        control.counters.noteReopening()
        health.noteOpened(stream.report, at: clock.now)
    }

    /// What no device delivered while one took over from another.
    private mutating func noteGap(from start: MonotonicInstant, to end: MonotonicInstant) {
        let frames = format.frameCount(in: start.duration(to: end))
        lose(AudioLoss(frames: frames, cause: .deviceGap, isExact: false))
    }

    /// Marks a gap: a chunk never hides one inside it.
    private mutating func lose(_ loss: AudioLoss) {
        commit()
        guard !control.isPaused, !control.isHeld, loss.frames > 0, control.beginPublishing() else { return }
        defer { control.endPublishing() }
        control.counters.noteLoss(loss)
        // What was told is not told again, as part of a gap.
        let end = control.counters.newestFrameEnd.advanced(byNanoseconds: format.nanoseconds(ofFrames: loss.frames))
        control.counters.noteHandedOut(until: end)
        history.noteLoss(loss)
        subscribers.noteLoss(loss)
    }
}
