import Synchronization
package import VoiceAudioCore

/// Where a capture thread leaves what its health follows from, and others read it.
///
/// A stall is nobody's event: it follows from the time that passed since the newest frames. So it is seen even where the
/// thread itself hangs in a driver.
package final class HealthBoard: Sendable {
    /// The most watches at a time.
    static let capacity = 16

    private struct State: Sendable {
        var outage: CaptureOutage?
        /// What the capture failed with, and when.
        var failure: (error: AudioError, time: MonotonicInstant)?
        var isOver = false
        var watchers: [WakeUp] = []

        func tellWatchers() { for watcher in watchers { watcher.signal() } }
    }

    // Instants in nanoseconds; 0 stands for none.
    private let newestFrames = Atomic<Int64>(0)
    private let flowingSince = Atomic<Int64>(0)
    private let silentSince = Atomic<Int64>(0)
    /// How long no frames may come before that is a stall, and how long at the beginning.
    private let stallLimit = Atomic<Int64>(0)
    private let usualStallLimit = Atomic<Int64>(0)
    /// Whether watchers are still to be told of a change.
    private let isUntold = Atomic<Bool>(false)
    private let state = Lock(State())

    package init() {}

    // MARK: The capture thread's side

    /// The source is open, and frames are due from now on.
    func noteOpened(_ report: CaptureReport, at now: MonotonicInstant) {
        let shortest = Duration.milliseconds(report.countsLossExactly ? 100 : 500)
        let limit = max(shortest, report.format.duration(ofFrames: 8 * report.periodFrames))
        usualStallLimit.store(limit.clampedNanoseconds, ordering: .relaxed)
        // A device may take its time to begin.
        stallLimit.store(max(limit, .seconds(1)).clampedNanoseconds, ordering: .relaxed)
        flowingSince.store(now.nanoseconds, ordering: .relaxed)
        newestFrames.store(now.nanoseconds, ordering: .releasing)
        tell()
    }

    /// Frames came, the newest of which was captured at `now`.
    ///
    /// > Real-time: Safe: never waits for a lock.
    func noteFrames(at now: MonotonicInstant) {
        let last = newestFrames.load(ordering: .relaxed)
        guard now.nanoseconds >= last else { return }
        let wasStalled = now.nanoseconds - last > stallLimit.load(ordering: .relaxed)
        if wasStalled { flowingSince.store(now.nanoseconds, ordering: .relaxed) }
        stallLimit.store(usualStallLimit.load(ordering: .relaxed), ordering: .relaxed)
        newestFrames.store(now.nanoseconds, ordering: .releasing)
        if wasStalled || isUntold.load(ordering: .relaxed) { tell() }
    }

    /// All samples are zero since then, or are not any more.
    ///
    /// > Real-time: Safe: never waits for a lock.
    func noteSilence(since: MonotonicInstant?, at now: MonotonicInstant) {
        let value = since?.nanoseconds ?? 0
        guard silentSince.load(ordering: .relaxed) != value else { return }
        if since == nil { flowingSince.store(now.nanoseconds, ordering: .relaxed) }
        silentSince.store(value, ordering: .releasing)
        tell()
    }

    /// The source is away, or is back. Nothing flows: here a lock is no matter.
    func noteOutage(_ outage: CaptureOutage?, at now: MonotonicInstant) {
        if outage == nil { flowingSince.store(now.nanoseconds, ordering: .relaxed) }
        state.withLock { $0.outage = outage }
        tell()
    }

    /// The capture is over.
    func noteEnd(because failure: AudioError?, at now: MonotonicInstant) {
        state.withLock { $0.failure = failure.map { ($0, now) } }
        close()
    }

    /// Wakes the watchers; where one of them is looking in this moment, at the next frames.
    private func tell() {
        let hasTold: Void? = state.withLockIfFree { $0.tellWatchers() }
        isUntold.store(hasTold == nil, ordering: .relaxed)
    }

    // MARK: The others' side

    /// No more will come: of a capture that never began, or that was left to itself.
    package func close() {
        state.withLock { state in
            state.isOver = true
            state.tellWatchers()
        }
    }

    /// When the newest frames were captured, or the source was opened where none came yet; `nil` where none was.
    package var newestFrameTime: MonotonicInstant? {
        let newest = newestFrames.load(ordering: .acquiring)
        return newest == 0 ? nil : MonotonicInstant(nanoseconds: newest)
    }

    /// How the capture fares at `now`; `nil` where nothing was opened, or all is over and nothing failed.
    package func status(at now: MonotonicInstant) -> HealthStatus? { look(at: now).status }

    /// The status, when it may become a stall, and whether nothing will change it any more.
    func look(at now: MonotonicInstant) -> (status: HealthStatus?, stallsAt: MonotonicInstant?, isOver: Bool) {
        let (outage, failure, isOver) = state.withLock { ($0.outage, $0.failure, $0.isOver) }
        if let failure {
            return (HealthStatus(health: .lost, since: failure.time, reason: failure.error.message), nil, true)
        }
        let newest = newestFrames.load(ordering: .acquiring)
        guard newest != 0, !isOver else { return (nil, nil, isOver) }
        if let outage {
            let reason = outage.newestReason.map { "; \($0.message)" } ?? ""
            let status = HealthStatus(
                health: .reconnecting, since: outage.since, reason: outage.reason.message + reason)
            return (status, nil, false)
        }
        let stallsAt = MonotonicInstant(nanoseconds: newest + stallLimit.load(ordering: .relaxed))
        guard now <= stallsAt else {
            let since = MonotonicInstant(nanoseconds: newest)
            let reason = "the device is there, and delivers nothing"
            return (HealthStatus(health: .stalled, since: since, reason: reason), nil, false)
        }
        let silent = silentSince.load(ordering: .acquiring)
        guard silent == 0 else {
            let since = MonotonicInstant(nanoseconds: silent)
            let reason = "all samples are exactly zero, which no live microphone delivers"
            return (HealthStatus(health: .silent, since: since, reason: reason), stallsAt, false)
        }
        let since = MonotonicInstant(nanoseconds: flowingSince.load(ordering: .relaxed))
        return (HealthStatus(health: .flowing, since: since), stallsAt, false)
    }

    /// - Throws: `limitReached`.
    func add(_ watcher: WakeUp) throws(AudioError) {
        try state.withLock { (state) throws(AudioError) in
            guard state.watchers.count < Self.capacity else {
                throw AudioError(
                    .limitReached, "\(Self.capacity) watch the health already, the most there can be: end one first")
            }
            state.watchers.append(watcher)
        }
    }

    func remove(_ watcher: WakeUp) { state.withLock { state in state.watchers.removeAll { $0 === watcher } } }
}
