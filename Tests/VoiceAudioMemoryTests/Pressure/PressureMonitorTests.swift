import Glibc
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// The monitor with a thread of its own, on a clock that the tests move.
struct PressureMonitorTests {
    private let clock = ManualClock()
    private let log = KeptLines()

    /// - Parameter slot: For tests that go on during clean-ups: a handler is not to lose its slot by that.
    private func monitor(_ source: PlayedSource, slot: Duration = .seconds(1)) -> MemoryPressureMonitor {
        MemoryPressureMonitor(source: source, clock: clock, logSink: log, cleanupSlot: slot)
    }

    /// Starts it, and waits until its first sample is taken.
    private func started(_ source: PlayedSource) throws -> MemoryPressureMonitor {
        let monitor = monitor(source)
        try monitor.start()
        #expect(clock.waitUntilWaiting())
        return monitor
    }

    /// Moves the hand to where the next sample is due, and waits until it is taken.
    private func advance(by duration: Duration, until source: PlayedSource) {
        let (mark, samples) = (clock.waitsBegun, source.ownSamples)
        clock.advance(by: duration)
        #expect(eventually { source.ownSamples == samples + 1 })
        // A clean-up waits on the clock, too, for its slot.
        #expect(clock.waitUntilWaiting(after: mark, dueWithin: .seconds(2)))
    }

    @Test func itSamplesTheFasterTheShorterMemoryIs() throws {
        let source = PlayedSource()
        let monitor = try started(source)
        let steps: [(percent: Int, milliseconds: Int, level: MemoryPressureLevel)] = [
            (50, 2000, .low), (70, 2000, .moderate), (80, 1000, .high), (90, 500, .critical), (90, 250, .critical),
        ]
        var samples = 1
        for step in steps {
            source.use(percent: step.percent)
            clock.advance(by: .milliseconds(step.milliseconds - 1))
            #expect(source.ownSamples == samples, "before \(step)")
            advance(by: .milliseconds(1), until: source)
            samples += 1
            #expect(source.ownSamples == samples && monitor.level == step.level, "\(step)")
        }
        #expect(monitor.stop())
    }

    @Test func whereCriticalIsLessThanAMinuteAwayItSamplesTwiceAsFast() throws {
        let source = PlayedSource()
        let monitor = try started(source)
        for percent in [52, 54] {
            source.use(percent: percent)
            advance(by: .seconds(2), until: source)
        }
        // 1 % a second, and 36 % to go.
        #expect(abs((monitor.status.trend.secondsToCritical ?? 0) - 36) < 0.01 && monitor.level == .low)
        source.use(percent: 55)
        advance(by: .seconds(1), until: source)
        #expect(source.samples == 4)
        monitor.stop()
    }

    @Test func withoutAThreadAQuestionIsAnsweredByASampleNoOlderThanTheInterval() {
        let source = PlayedSource()
        let monitor = monitor(source)
        #expect(source.samples == 0)
        #expect(monitor.level == .low && source.samples == 1)
        source.use(percent: 85)
        clock.advance(by: .seconds(2))
        #expect(monitor.level == .low && source.samples == 1)
        clock.advance(by: .nanoseconds(1))
        #expect(monitor.level == .high && source.samples == 2)
        #expect(monitor.status.sampledAt == clock.now)
    }

    @Test func aStormOfEventsIsASampleEveryHundredMilliseconds() throws {
        let event = try WakeUp()
        let source = PlayedSource(events: MemoryEvents(descriptor: event.descriptor, sign: .input))
        let monitor = try started(source)
        // At once where the last sample is older than that …
        clock.advance(by: .milliseconds(100))
        var mark = clock.waitsBegun
        event.signal()
        #expect(clock.waitUntilWaiting(after: mark))
        #expect(source.samples == 2 && !event.isSignalled)
        // … and else only then, however many there are.
        for expected in 3..<8 {
            mark = clock.waitsBegun
            event.signal()
            #expect(clock.waitUntilWaiting(after: mark))
            event.signal()
            clock.advance(by: .milliseconds(99))
            #expect(source.samples == expected - 1)
            event.clear()
            advance(by: .milliseconds(1), until: source)
            #expect(source.samples == expected)
        }
        monitor.stop()
    }

    @Test func eventsThatHaveEndedLeaveTheInterval() throws {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the array has room for the two.
        #expect(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        let source = PlayedSource(events: MemoryEvents(descriptor: ends[0], sign: .input))
        let monitor = try started(source)
        let mark = clock.waitsBegun
        close(ends[1])
        #expect(clock.waitUntilWaiting(after: mark))
        #expect(source.samples == 1 && log.lines.count == 1)
        advance(by: .seconds(2), until: source)
        advance(by: .seconds(2), until: source)
        #expect(source.samples == 3 && log.lines.count == 1, "\(log.lines)")
        monitor.stop()
    }

    @Test func aSourceThatFailsKeepsTheLevelAndIsToldOnce() throws {
        let source = PlayedSource()
        source.use(percent: 75)
        let monitor = try started(source)
        source.fail(AudioError(.memoryUnknown, "gone"))
        advance(by: .seconds(1), until: source)
        advance(by: .seconds(1), until: source)
        #expect(monitor.level == .moderate)
        #expect(monitor.status.failure == "memory cannot be sampled: gone" && monitor.status.usedPercent == 75)
        source.fail(nil)
        advance(by: .seconds(1), until: source)
        #expect(monitor.status.failure == nil)
        #expect(
            log.lines == [
                "notice: memory pressure is moderate, and was low", "warning: memory cannot be sampled: gone",
                "notice: memory is sampled again",
            ])
        monitor.stop()
    }

    @Test func aSourceThatTellsNoLimitAnyMoreHasFailed() throws {
        let source = PlayedSource()
        source.use(percent: 75)
        let monitor = try started(source)
        source.played.withLock { $0.limits = [] }
        for _ in 0..<2 { advance(by: .seconds(1), until: source) }
        #expect(monitor.level == .moderate)
        #expect(monitor.status.failure == "memory cannot be sampled: the source tells no limit")
        #expect(log.lines.count { $0.hasPrefix("warning") } == 1 && log.lines.count == 2, "\(log.lines)")
        monitor.stop()
    }

    // MARK: Changes

    @Test(.timeLimit(.minutes(5))) func aListenerGetsHowItIsAndThenEachChangeUntilTheEnd() async throws {
        let source = PlayedSource()
        let monitor = monitor(source)
        var changes = monitor.changes().makeAsyncIterator()
        #expect(try await changes.next()?.level == .low)
        #expect(clock.waitUntilWaiting())
        // None of these is a change.
        for percent in [60, 65, 69] {
            source.use(percent: percent)
            advance(by: .seconds(2), until: source)
        }
        source.use(percent: 85)
        clock.advance(by: .seconds(2))
        #expect(try await changes.next()?.usedPercent == 85)
        source.fail(AudioError(.memoryUnknown, "gone"))
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(500))
        #expect(try await changes.next()?.failure != nil)
        monitor.stop()
        #expect(try await changes.next() == nil)
        // One that comes later is told how it was, and no more.
        var late = monitor.changes().makeAsyncIterator()
        #expect(try await late.next()?.level == .high)
        #expect(try await late.next() == nil)
    }

    @Test(.timeLimit(.minutes(5))) func whoWaitsDoesNotKeepTheMonitorAndEndsWithIt() async throws {
        var monitor: MemoryPressureMonitor? = monitor(PlayedSource())
        let changes = try #require(monitor).changes()
        let told = Task { try await changes.reduce(into: []) { $0.append($1.level) } }
        #expect(clock.waitUntilWaiting())
        monitor = nil
        #expect(try await told.value.count <= 1)
        let cancelled = Task {
            let monitor = self.monitor(PlayedSource())
            for try await _ in monitor.changes() {}
        }
        cancelled.cancel()
        try await cancelled.value
    }

    // MARK: Beginning and end

    @Test func aMonitorThatGoesTakesItsThreadAlong() throws {
        var source: PlayedSource? = PlayedSource()
        weak let left = source
        var monitor: MemoryPressureMonitor? = try started(try #require(source))
        source = nil
        #expect(left != nil && monitor != nil)
        monitor = nil
        #expect(eventually { left == nil })
    }

    /// The last reference may go on either of its own threads.
    @Test func aMonitorMayGoOnItsOwnThread() throws {
        let holder = Lock<MemoryPressureMonitor?>(nil)
        let hasGone = try WakeUp()
        let source = PlayedSource()
        let monitor = try started(source)
        holder.withLock { $0 = monitor }
        source.played.withLock {
            $0.meanwhile = {
                guard holder.withLock({ $0 != nil }) else { return }
                _ = holder.withLock { held in held.take() }
                hasGone.signal()
            }
        }
        _ = consume monitor
        clock.advance(by: .seconds(2))
        #expect(eventually { hasGone.isSignalled })
    }

    @Test func itBeginsWithAHandlerAndAgainAfterAStopOnlyByStart() throws {
        let source = PlayedSource()
        let monitor = monitor(source)
        let handler = NotingHandler()
        monitor.register(handler)
        #expect(clock.waitUntilWaiting() && source.samples == 1)
        #expect(monitor.stop() && monitor.stop())
        let mark = clock.waitsBegun
        monitor.register(handler)
        clock.advance(by: .seconds(60))
        #expect(source.samples == 1 && clock.waitsBegun == mark)
        try monitor.start()
        try monitor.start()
        #expect(clock.waitUntilWaiting(after: mark) && source.samples == 2)
        #expect(monitor.stop())
    }

    @Test func aStopThatWasTooShortIsNotForgottenByTheNext() throws {
        let source = PlayedSource()
        let gate = try Gate()
        defer { gate.open() }
        let monitor = MemoryPressureMonitor(source: source, cleanupSlot: .seconds(3600))
        let handler = NotingHandler { _ in gate.wait() }
        source.use(percent: 75)
        monitor.register(handler)
        #expect(eventually { handler.stages == [.trim] })
        #expect(!monitor.stop(deadline: .milliseconds(1)))
        #expect(!monitor.stop(deadline: .milliseconds(1)))
        gate.open()
        #expect(monitor.stop(deadline: .seconds(60)) && monitor.stop(deadline: .zero))
    }

    /// The thread's own first sample is held up: an answer made of what was before would be that of an hour ago.
    @Test(arguments: [false, true]) func afterAnHourNothingFromBeforeCounts(isStarted: Bool) throws {
        let source = PlayedSource()
        let monitor = monitor(source)
        source.use(percent: 95)
        #expect(monitor.level == .critical)
        source.use(percent: 50)
        clock.advance(by: .seconds(3600))
        let gate = try Gate()
        defer { gate.open() }
        source.played.withLock {
            $0.meanwhile = {
                if KernelFiles.line(ofFile: "/proc/thread-self/comm") == "va-pressure" { gate.wait() }
            }
        }
        if isStarted { try monitor.start() }
        #expect(monitor.level == .low && monitor.canProceed("x", estimatedBytes: 1).isAllowed)
        gate.open()
        #expect(monitor.stop())
    }

    // MARK: Cleaning up

    @Test func eachRiseAsksForMoreAndWhatStaysCriticalPausesProcessing() throws {
        let source = PlayedSource()
        let handler = NotingHandler()
        let monitor = monitor(source, slot: .seconds(3600))
        monitor.register(handler)
        #expect(clock.waitUntilWaiting())
        source.use(percent: 71)
        advance(by: .seconds(2), until: source)
        #expect(eventually { monitor.lastCleanup != nil && handler.stages == [.trim] })
        source.use(percent: 95)
        advance(by: .seconds(1), until: source)
        #expect(eventually { monitor.isProcessingPaused })
        #expect(handler.stages == [.trim, .trim, .shrink, .emergency])
        #expect(
            eventually {
                log.lines.last == "critical: memory is critical after an emergency clean-up: processing pauses"
            }, "\(log.lines)")
        // For as long as that stays, again after ten seconds.
        for _ in 0..<39 { advance(by: .milliseconds(250), until: source) }
        #expect(handler.stages.count == 4)
        advance(by: .milliseconds(250), until: source)
        // One sample before each stage but the first, and one at the end: the clean-ups have taken them all.
        #expect(eventually { source.samples - source.ownSamples == 1 + 3 + 3 })
        #expect(handler.stages.count == 7)
        // And processing goes on when the level has fallen.
        source.use(percent: 50)
        for _ in 0..<24 { advance(by: .milliseconds(250), until: source) }
        #expect(monitor.isProcessingPaused && monitor.level == .critical)
        advance(by: .milliseconds(250), until: source)
        #expect(!monitor.isProcessingPaused && monitor.level == .low)
        monitor.stop()
    }

    @Test func aCleanUpEndsAsSoonAsAFreshSampleSaysSo() throws {
        let source = PlayedSource()
        // Giving memory back helps: 75 % afterwards.
        let handler = NotingHandler { _ in source.use(percent: 75) }
        let monitor = monitor(source)
        monitor.register(handler)
        #expect(clock.waitUntilWaiting())
        source.use(percent: 95)
        advance(by: .seconds(2), until: source)
        #expect(eventually { monitor.lastCleanup != nil })
        #expect(handler.stages == [.trim] && !monitor.isProcessingPaused)
        #expect(monitor.stop())
    }

    /// Trimming helps, for a moment. What comes back is not waited for until the ten seconds are over.
    @Test func aStageThatWasLeftOutIsRunAsSoonAsItIsAskedFor() throws {
        let source = PlayedSource()
        let isFirst = Lock(true)
        let handler = NotingHandler { _ in
            let helps = isFirst.withLock { isFirst in
                defer { isFirst = false }
                return isFirst
            }
            if helps { source.use(percent: 85) }
        }
        let monitor = monitor(source, slot: .seconds(3600))
        monitor.register(handler)
        #expect(clock.waitUntilWaiting())
        source.use(percent: 95)
        advance(by: .seconds(2), until: source)
        #expect(eventually { monitor.lastCleanup?.stages == [.trim, .shrink] })
        #expect(handler.stages == [.trim, .trim, .shrink] && monitor.level == .critical)
        source.use(percent: 95)
        for _ in 0..<20 { advance(by: .milliseconds(250), until: source) }
        #expect(eventually { monitor.isProcessingPaused })
        #expect(handler.stages.suffix(3) == [.trim, .shrink, .emergency] && handler.stages.count == 6)
        monitor.stop()
    }

    /// The sample behind the first stage says high, that at the end critical again.
    @Test func processingIsNotPausedBeforeAnEmergencyCleanUp() throws {
        let source = PlayedSource()
        let handler = NotingHandler()
        let monitor = monitor(source, slot: .seconds(3600))
        monitor.register(handler)
        #expect(clock.waitUntilWaiting())
        // Once a moment of less, and then as before.
        let percents = Lock([85])
        // What it does keeps the source.
        defer { source.played.withLock { $0.meanwhile = nil } }
        source.played.withLock {
            $0.meanwhile = {
                guard KernelFiles.line(ofFile: "/proc/thread-self/comm") == "va-cleanup" else { return }
                source.use(percent: percents.withLock { $0.popLast() } ?? 95)
            }
        }
        source.use(percent: 95)
        advance(by: .seconds(2), until: source)
        #expect(eventually { monitor.lastCleanup?.stages == [.trim] })
        #expect(!monitor.isProcessingPaused)
        for _ in 0..<20 { advance(by: .milliseconds(250), until: source) }
        #expect(eventually { monitor.isProcessingPaused })
        #expect(handler.stages == [.trim, .trim, .shrink, .emergency])
        monitor.stop()
    }

    @Test func aHandlerMayTakeTheMonitorAlong() throws {
        let source = PlayedSource()
        let holder = Lock<MemoryPressureMonitor?>(monitor(source))
        let hasGone = try WakeUp()
        let handler = NotingHandler { _ in
            _ = holder.withLock { held in held.take() }
            hasGone.signal()
        }
        holder.withLock(\.self)?.register(handler)
        #expect(clock.waitUntilWaiting())
        source.use(percent: 75)
        clock.advance(by: .seconds(2))
        #expect(eventually { hasGone.isSignalled })
        #expect(handler.stages == [.trim])
    }
}
