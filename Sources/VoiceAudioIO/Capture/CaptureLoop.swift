import Glibc
import Synchronization
import VoiceAudioCore

/// What the capture thread does from an open stream to its end. Everything here belongs to that thread.
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
    private var silence = SilenceDetector()
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

    /// Captures until asked to stop or the source ends.
    ///
    /// - Throws: What the stream throws. What was captured before is in the ring.
    mutating func run() throws(AudioError) {
        do throws(AudioError) {
            try stream.start()
            health.noteOpened(stream.report, at: clock.now)
            while try step() {}
            commit()
        } catch {
            commit()
            throw error
        }
    }

    /// One read, or one wait. Answers whether to go on.
    private mutating func step() throws(AudioError) -> Bool {
        if control.hasRequest {
            // What the device has in this moment belongs to what is ending, and so does what it lost.
            switch try read() {
            case .lost(let loss): lose(loss)
            case .reopened(let loss): reopen(after: loss)
            case .frames, .nothing, .ended: break
            }
            commit()
            control.wakeUp.clear()
            if control.takeStop() { return false }
            // A place that is still empty lies in the history that goes.
            unsafe place = nil
            control.exchange(&history)
        }
        switch try read() {
        case .frames(1..., _): break
        case .ended: return false
        case .lost(let loss): lose(loss)
        case .reopened(let loss): reopen(after: loss)
        case .nothing, .frames: try stream.wait(orFor: wakeUp)
        }
        return true
    }

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
        noteHealth(result)
        if case .frames(let count, let time) = result, count > 0 {
            guard count * bytesPerFrame <= span.byteCount else {
                throw AudioError(
                    .deviceFailed,
                    "the source says that it read \(count) frames where \(span.byteCount / bytesPerFrame) fit: "
                        + "a fault of the source")
            }
            if control.isPaused {
                commit()
                control.counters.noteDiscarded(count)
                return result
            }
            if filledByteCount == 0 { captureTime = time }
            filledByteCount += count * bytesPerFrame
            control.counters.noteFrames(count)
            if filledByteCount == chunkByteCount { commit() }
        }
        return result
    }

    /// Publishes what is filled, a whole chunk or less: subscribers first, as the place may be reused once it is history.
    private mutating func commit() {
        guard let place = unsafe place, filledByteCount > 0 else { return }
        // SAFETY: still reserved.
        let filled = unsafe UnsafeRawBufferPointer(rebasing: place[..<filledByteCount])
        control.counters.noteTiming(stream.timing)
        let level = unsafe AudioLevel.measure(filled, format: format.sampleFormat)
        control.counters.level.store(level, ordering: .relaxed)
        health.noteSilence(since: silence.note(AudioLevel(bits: level), at: captureTime), at: captureTime)
        subscribers.append(unsafe filled.bytes, numbers: history.buffer.nextNumbers, captureTime: captureTime)
        _ = history.commit(
            byteCount: filledByteCount, captureTime: captureTime, interrupt: control.wakeUp.descriptor)
        unsafe self.place = nil
        filledByteCount = 0
    }

    /// Leaves what the health follows from where others see it.
    private mutating func noteHealth(_ result: CaptureRead) {
        if case .frames(let count, let time) = result, count > 0 {
            // What waits in a device that has fallen silent came before: it is no sign of life.
            health.noteFrames(at: min(clock.now, time.advanced(by: format.duration(ofFrames: count))))
            if toldAttempts == nil { return }
        }
        let outage = stream.outage
        guard outage?.attempts != toldAttempts else { return }
        toldAttempts = outage?.attempts
        health.noteOutage(outage, at: clock.now)
    }

    /// Opening took its time already: here a lock is no matter.
    private mutating func reopen(after loss: AudioLoss) {
        lose(loss)
        control.counters.noteReopening()
        control.report.withLock { $0 = stream.report }
        health.noteOpened(stream.report, at: clock.now)
    }

    /// Marks a gap: a chunk never hides one inside it.
    private mutating func lose(_ loss: AudioLoss) {
        commit()
        guard !control.isPaused, loss.frames > 0 else { return }
        control.counters.noteLoss(loss)
        history.noteLoss(loss)
        subscribers.noteLoss(loss)
    }
}
