import Glibc
import Synchronization
import VoiceAudioCore

/// Runs a capture's loop where frames are pushed: by whoever pushes, and by whoever asks something of the capture, one at a
/// time.
final class PushedLoop: @unchecked Sendable {
    /// What the source really gives.
    let report: CaptureReport

    private let turn = Lock(())
    private let control: CaptureControl
    private let outcome: Lock<Capture.Outcome>
    private let finished: WakeUp
    // Used only in one's turn; `nil` once the capture is over.
    private var loop: CaptureLoop?
    private let stream: PushedStream

    init(
        _ loop: consuming CaptureLoop, of stream: PushedStream, control: CaptureControl,
        outcome: Lock<Capture.Outcome>, finished: WakeUp
    ) {
        report = loop.report
        self.stream = stream
        self.control = control
        self.outcome = outcome
        self.finished = finished
        self.loop = consume loop
    }

    /// Takes the frames of a push in.
    ///
    /// - Parameter bytes: Whole frames.
    /// - Returns: How many were taken: all, but where the capture is over, ends meanwhile, or has not taken over yet from
    ///   the one before: then it would throw them away.
    func take(_ bytes: UnsafeRawBufferPointer, captureTime: MonotonicInstant?) -> Int {
        inTurn {
            guard loop != nil, !control.isHeld else { return 0 }
            // SAFETY: taken back before the call returns.
            unsafe stream.lend(bytes, captureTime: captureTime)
            goOn()
            return stream.takeBack()
        }
    }

    /// Marks a gap. Answers whether the capture is there to hear of it.
    func lose(_ frameCount: Int) -> Bool {
        inTurn {
            guard loop != nil, !control.isHeld else { return false }
            stream.lose(frameCount)
            goOn()
            return true
        }
    }

    /// The source is at its end.
    func finish(because failure: AudioError?) {
        inTurn {
            guard loop != nil else { return }
            stream.finish(because: failure)
            goOn()
        }
    }

    /// Does what was asked of the capture, once nobody else has the turn.
    func serve() { turn.withLock { _ in goOn() } }

    /// Does what was asked of the capture; or leaves it to whose turn it is, who may be held up for long by a full history,
    /// but looks for requests at every step and behind the last.
    func serveUnlessBusy() {
        repeat {
            // Either who has the turn sees the request on leaving, or we find the turn free.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
        } while turn.withLockIfFree { _ in isOverAfterGoingOn() } == false && control.hasRequest
    }

    private func inTurn<Result>(_ body: () -> Result) -> Result {
        let result = turn.withLock { _ in body() }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if control.hasRequest { serveUnlessBusy() }
        return result
    }

    private func isOverAfterGoingOn() -> Bool {
        goOn()
        return loop == nil
    }

    /// Becomes readable when the capture is over; for `poll`. Not to be read or closed.
    var endDescriptor: Int32 { finished.descriptor }

    func waitForEnd(by deadline: MonotonicInstant, clock: any AudioClock) -> Bool {
        finished.waitUntilSignalled(by: deadline, clock: clock)
    }

    /// Steps until nothing is left to be read.
    private func goOn() {
        while loop != nil {
            do throws(AudioError) {
                switch try loop!.step() {
                case .wentOn: break
                case .mustWait:
                    guard stream.hasMore else { return }
                    // The ring is giving its pages back, which takes microseconds.
                    sched_yield()
                case .ended: end(because: nil)
                }
            } catch {
                end(because: error)
            }
        }
    }

    private func end(because failure: AudioError?) {
        loop!.end(because: failure, outcome: outcome)
        // The history's end is free before anybody hears of this.
        loop = nil
        finished.signal()
    }
}
