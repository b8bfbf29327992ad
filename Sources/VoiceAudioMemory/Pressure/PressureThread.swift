import Glibc
import VoiceAudioCore

/// The thread that samples: by the interval, and when the system says that it is short of memory.
final class PressureThread: Sendable {
    /// However many events there are, samples that follow them are this far apart.
    static let shortestTime = Duration.milliseconds(100)

    private let end: WakeUp
    private let thread: WorkerThread

    /// - Throws: `outOfResources`.
    init(_ core: PressureCore) throws(AudioError) {
        let end = try WakeUp()
        self.end = end
        thread = try WorkerThread(
            name: "va-pressure", ask: { _ = core.stop(within: .zero) }, body: { Self.run(core, until: end) })
    }

    /// - Returns: Whether it ended by `deadline`; also where this is the thread, which ends as soon as it can.
    func stop(by deadline: MonotonicInstant, clock: any AudioClock) -> Bool {
        end.signal()
        return thread.isCurrent || thread.join(by: deadline, clock: clock)
    }

    private static func run(_ core: PressureCore, until end: WakeUp) {
        let clock = core.clock
        var events = core.events
        var descriptors = DescriptorSet(count: 2)
        descriptors.watch(end.descriptor, at: 0)
        while true {
            core.takeSample()
            let last = clock.now
            var due = last.advanced(by: core.timeToNextSample)
            descriptors.watch(events?.descriptor ?? -1, at: 1, forPriority: events?.sign == .priority)
            while clock.now < due {
                guard clock.wait(for: descriptors, until: due) > 0 else { continue }
                if descriptors.isReady(at: 0) { return }
                if let watched = events, descriptors.isReady(at: 1) {
                    if descriptors.hasFailed(at: 1) || !watched.clear() {
                        events = nil
                        core.log(.notice, "the system tells no more of stalls for lack of memory: the interval is left")
                    } else {
                        due = min(due, max(clock.now, last.advanced(by: shortestTime)))
                    }
                    descriptors.watch(-1, at: 1)
                }
            }
            if end.isSignalled { return }
        }
    }
}

extension MemoryEvents {
    /// Takes what there is; whether more can come.
    fileprivate func clear() -> Bool {
        guard sign == .input else { return true }
        // SAFETY: the kernel writes within the count.
        let count = unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
    }
}
