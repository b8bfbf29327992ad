import VoiceAudioCore

/// Ends many sessions by one deadline: a few threads take one after the other, and more come while none of them gets on.
///
/// So sessions that end at once cost a few threads, and those that hang hold up nobody but themselves.
final class ParallelEnding: Sendable {
    /// A session to end, and why.
    struct Order: Sendable {
        let core: SessionCore
        let reason: SessionEndReason
    }

    private enum Outcome: Sendable {
        case pending
        case done(EndedSessionReport)
        /// Somebody else ends it.
        case elsewhere
        /// It was to expire, and came to life before its turn.
        case spared
    }

    private struct State: Sendable {
        var next = 0
        var outcomes: [Outcome]
    }

    /// Threads at first.
    static let firstThreads = 4
    /// How long nothing may end before there are as many threads again.
    static let patience = Duration.milliseconds(50)

    private let orders: [Order]
    private let store: SessionStore
    private let state: Lock<State>

    init(_ orders: [Order], in store: SessionStore) {
        self.orders = orders
        self.store = store
        state = Lock(State(outcomes: Array(repeating: .pending, count: orders.count)))
    }

    /// Ends them, and returns by the deadline with what came of each.
    func run(by deadline: MonotonicInstant) -> EndedSessionsReport {
        let clock = store.clock
        let progress: WakeUp
        do throws(AudioError) {
            progress = try WakeUp()
        } catch {
            // Without a descriptor there is no waiting: one after the other, here.
            work(by: deadline, progress: nil)
            return report(at: clock.now)
        }
        let captureDeadline = store.captureDeadline(for: deadline)
        var threads: [WorkerThread] = []
        addThreads(Self.firstThreads, to: &threads, by: captureDeadline, progress)
        var descriptors = DescriptorSet(count: 1)
        descriptors.watch(progress.descriptor, at: 0)
        while pendingCount > 0, clock.now < deadline {
            let slice = hasMore ? min(deadline, clock.now.advanced(by: Self.patience)) : deadline
            if clock.wait(for: descriptors, until: slice) > 0 {
                progress.clear()
            } else if hasMore {
                addThreads(max(1, threads.count), to: &threads, by: captureDeadline, progress)
            }
        }
        // Those whose work is done end at once; the others are left to themselves.
        if pendingCount == 0 { for thread in threads { _ = thread.join(by: deadline, clock: clock) } }
        return report(at: clock.now)
    }

    private func addThreads(
        _ count: Int, to threads: inout [WorkerThread], by deadline: MonotonicInstant, _ progress: WakeUp
    ) {
        for _ in 0..<min(count, orders.count - threads.count) {
            do throws(AudioError) {
                threads.append(
                    try WorkerThread(name: "va-session-end") { self.work(by: deadline, progress: progress) })
            } catch {
                if threads.isEmpty { work(by: deadline, progress: progress) }
                return
            }
        }
    }

    /// Takes one after the other.
    private func work(by deadline: MonotonicInstant, progress: WakeUp?) {
        while let place = takeNext() {
            let order = orders[place]
            if order.reason.isExpiry, let end = order.core.expectedEnd, end.time > store.clock.now {
                state.withLock { $0.outcomes[place] = .spared }
                progress?.signal()
                continue
            }
            let usedBytes = order.core.budget.usedBytes
            if var report = store.endAndTell(order.core, because: order.reason, by: deadline) {
                report.freedBytes = max(0, usedBytes - order.core.budget.usedBytes)
                store.logEnd(report)
                state.withLock { $0.outcomes[place] = .done(report) }
                progress?.signal()
            } else {
                state.withLock { $0.outcomes[place] = .elsewhere }
                if let progress { order.core.tellEnd(to: progress) }
            }
        }
    }

    private func takeNext() -> Int? {
        state.withLock { state in
            guard state.next < orders.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private var hasMore: Bool { state.withLock { $0.next < orders.count } }

    /// Sessions that have not ended yet, whoever ends them.
    private var pendingCount: Int {
        zip(orders, state.withLock { $0.outcomes }).count { order, outcome in
            switch outcome {
            case .pending: true
            case .done, .spared: false
            case .elsewhere: !order.core.hasEnded
            }
        }
    }

    private func report(at now: MonotonicInstant) -> EndedSessionsReport {
        let outcomes = state.withLock { $0.outcomes }
        let sessions = zip(orders, outcomes).compactMap { order, outcome -> EndedSessionReport? in
            var report = EndedSessionReport(
                name: order.core.name, reason: order.reason,
                ageSeconds: order.core.start.duration(to: now) / .seconds(1))
            let hasEnded: Bool
            switch outcome {
            case .done(let done): return done
            case .spared: return nil
            case .pending: hasEnded = false
            case .elsewhere: hasEnded = order.core.hasEnded
            }
            if !hasEnded {
                report.leftToItself = [.closing]
                store.logLeftovers(report)
            }
            return report
        }
        return EndedSessionsReport(sessions: sessions)
    }
}
