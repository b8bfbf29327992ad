import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

/// An object that is worth tracking.
final class Waveform: Sendable {
    let samples: [Float]
    init(count: Int = 0) { samples = Array(repeating: 0, count: count) }
}

/// Keeps what it is told.
final class Notes<Value: Sendable>: Sendable {
    private let values = Lock<[Value]>([])
    func add(_ value: Value) { values.withLock { $0.append(value) } }
    var all: [Value] { values.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(5))) struct AudioObjectTrackerTests {
    private let clock = ManualClock()
    private let notes = Notes<AudioObjectReport.Object>()

    private func tracker(
        maxObjects: Int = .max, budget: MemoryBudget? = nil, monitor: MemoryPressureMonitor? = nil
    ) -> AudioObjectTracker {
        AudioObjectTracker(
            name: "calls", maxObjects: maxObjects, budget: budget, monitor: monitor, clock: clock,
            onRelease: notes.add)
    }

    @Test func anObjectIsCountedWhileSomeoneHasIt() throws {
        let tracker = tracker()
        var first: Waveform? = Waveform()
        let second = Waveform()
        try tracker.track(#require(first), byteCount: 100, owner: "call-1")
        try tracker.track(second, byteCount: 30, owner: "call-2")
        #expect(tracker.sweep() == 0 && tracker.byteCount == 130 && notes.all.isEmpty)
        first = nil
        // Nobody looked.
        #expect(tracker.byteCount == 130)
        #expect(tracker.sweep() == 100)
        #expect(tracker.byteCount == 30 && tracker.objectCount == 1)
        #expect(notes.all.map(\.owner) == ["call-1"])
        #expect(tracker.sweep() == 0 && notes.all.count == 1)
        withExtendedLifetime(second) {}
    }

    @Test func theReportTellsWhoHasWhatSinceWhen() throws {
        let tracker = tracker()
        let objects = [Waveform(), Waveform(), Waveform()]
        let line = #line + 2
        for (object, (owner, byteCount)) in zip(objects, [("call-1", 10), ("call-2", 50), ("call-1", 20)]) {
            try tracker.track(object, byteCount: byteCount, owner: owner)
            clock.advance(by: .seconds(2))
        }
        _ = try tracker.box([Int16](), byteCount: 1000, owner: "call-1")
        let report = tracker.report()
        #expect(report.objects.map(\.byteCount) == [10, 50, 20])
        #expect(report.objects.map(\.ageSeconds) == [6, 4, 2])
        #expect(report.objects[0].type == "Waveform")
        #expect(report.objects[0].trackedAt == "VoiceAudioMemoryTests/AudioObjectTrackerTests.swift:\(line)")
        #expect(report.owners.map(\.owner) == ["call-2", "call-1"])
        #expect(report.owners.map(\.objectCount) == [1, 2] && report.owners.map(\.byteCount) == [50, 30])
        #expect(report.objectCount == 3 && report.byteCount == 80)
        #expect(report.peakByteCount == 1080 && report.releasedCount == 1)
        let biggest = tracker.report(.biggestFirst, limit: 2)
        #expect(biggest.objects.map(\.byteCount) == [50, 20] && biggest.objectCount == 3)
        withExtendedLifetime(objects) {}
    }

    @Test func anObjectThatIsTrackedAgainKeepsItsAge() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let tracker = tracker(budget: budget)
        let object = Waveform()
        try tracker.track(object, byteCount: 60, owner: "call-1")
        clock.advance(by: .seconds(1))
        try tracker.track(object, byteCount: 90, owner: "call-1")
        #expect(budget.report.purposes == ["call-1": 90])
        #expect(throws: AudioError.self) { try tracker.track(object, byteCount: 101, owner: "call-1") }
        #expect(budget.usedBytes == 90 && tracker.byteCount == 90)
        try tracker.track(object, byteCount: 5, owner: "call-1")
        try tracker.track(object, byteCount: 7, owner: "call-2")
        let report = tracker.report()
        #expect(report.objects.map(\.ageSeconds) == [1] && report.owners.map(\.owner) == ["call-2"])
        #expect(budget.report.purposes == ["call-2": 7])
        #expect(tracker.untrack(object) && !tracker.untrack(object))
        #expect(budget.usedBytes == 0 && tracker.objectCount == 0 && notes.all.isEmpty)
    }

    /// Its bytes are counted once, and need no room besides.
    @Test func anObjectChangesItsOwnerInAFullBudget() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let tracker = tracker(budget: budget)
        let objects = [Waveform(), Waveform()]
        try tracker.track(objects[0], byteCount: 60, owner: "call-1")
        try tracker.track(objects[1], byteCount: 30, owner: "call-2")
        try tracker.track(objects[0], byteCount: 70, owner: "call-2")
        #expect(budget.report.purposes == ["call-2": 100] && budget.usedBytes == 100 && tracker.byteCount == 100)
        #expect(throws: AudioError.self) { try tracker.track(objects[0], byteCount: 71, owner: "call-3") }
        #expect(budget.report.purposes == ["call-2": 100] && tracker.report().owners.map(\.objectCount) == [2])
        try tracker.track(objects[0], byteCount: 20, owner: "call-3")
        #expect(budget.report.purposes == ["call-2": 30, "call-3": 20] && budget.report.peakBytes == 100)
        let report = tracker.report()
        #expect(report.owners.map(\.owner) == ["call-2", "call-3"] && report.peakByteCount == 100)
        #expect(tracker.untrack(objects[0]) && tracker.untrack(objects[1]) && budget.usedBytes == 0)
    }

    @Test func anObjectThatIsTrackedAgainCanGoFromThenOn() throws {
        let tracker = tracker()
        let cache = Lock<Waveform?>(Waveform())
        func cached() throws -> Waveform { try #require(cache.withLock { $0 }) }
        try tracker.track(cached(), byteCount: 10, owner: "cache")
        #expect(tracker.freeMemory(.shrink) == 0)
        try tracker.track(cached(), byteCount: 11, owner: "cache") { _ in cache.withLock { $0 = nil } }
        // Keeps what lets it go.
        try tracker.track(cached(), byteCount: 12, owner: "cache")
        #expect(tracker.freeMemory(.shrink) == 12 && cache.withLock { $0 == nil })
    }

    @Test func aBoxThatGoesIsNoticedAtOnce() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let tracker = tracker(budget: budget)
        var box: TrackedAudio? = try tracker.box([1, 2, 3] as [Int16], byteCount: 6, owner: "call-1")
        clock.advance(by: .seconds(3))
        #expect(box?.value == [1, 2, 3] && budget.usedBytes == 6)
        box = nil
        #expect(budget.usedBytes == 0 && tracker.objectCount == 0)
        #expect(notes.all.map(\.ageSeconds) == [3] && notes.all.map(\.type) == ["Array<Int16>"])
    }

    @Test func aScopeIsCountedOnEveryWayOut() async throws {
        struct Failure: Error {}
        let tracker = tracker()
        let samples = [Int16](repeating: 7, count: 10)
        let sum = try withTrackedAudio(samples, byteCount: 20, owner: "a", in: tracker) { samples in
            #expect(tracker.byteCount == 20)
            return samples.reduce(0, +)
        }
        #expect(sum == 70 && tracker.byteCount == 0 && notes.all.count == 1)
        #expect(throws: Failure.self) {
            try withTrackedAudio(samples, byteCount: 20, owner: "b", in: tracker) { _ in throw Failure() }
        }
        #expect(tracker.byteCount == 0 && notes.all.count == 2)
        let hasBegun = AsyncStream<Void>.makeStream()
        let task = Task {
            try await withTrackedAudio(samples, byteCount: 20, owner: "c", in: tracker) { _ in
                hasBegun.continuation.finish()
                try await Task.sleep(for: .seconds(3600))
            }
        }
        for await _ in hasBegun.stream {}
        #expect(tracker.byteCount == 20)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(tracker.byteCount == 0)
        #expect(notes.all.map(\.owner) == ["a", "b", "c"])
    }

    @Test func whatABudgetHasNotLeftIsNotTracked() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let tracker = tracker(budget: budget)
        var first: Waveform? = Waveform()
        try tracker.track(#require(first), byteCount: 80, owner: "call-1")
        let second = Waveform()
        let error = #expect(throws: AudioError.self) { try tracker.track(second, byteCount: 21, owner: "call-2") }
        #expect(error?.code == .budgetExceeded)
        #expect(tracker.objectCount == 1 && budget.report.purposes == ["call-1": 80])
        #expect(throws: AudioError.self) {
            try withTrackedAudio(second, byteCount: 21, owner: "call-2", in: tracker) { _ in }
        }
        // What is gone, though nobody noticed, is in nobody's way.
        first = nil
        try tracker.track(second, byteCount: 100, owner: "call-2")
        #expect(budget.report.purposes == ["call-2": 100])
    }

    @Test func noMoreObjectsThanTheLimit() throws {
        let tracker = tracker(maxObjects: 2)
        let first = Waveform()
        var second: Waveform? = Waveform()
        let third = Waveform()
        try tracker.track(first, byteCount: 0, owner: "a")
        try tracker.track(#require(second), byteCount: 0, owner: "a")
        let error = #expect(throws: AudioError.self) { try tracker.track(third, byteCount: 0, owner: "a") }
        #expect(error?.code == .limitReached)
        second = nil
        try tracker.track(third, byteCount: 0, owner: "a")
        #expect(tracker.objectCount == 2)
        withExtendedLifetime(first) {}
    }

    @Test(arguments: [-1, .min, 1 << 40 + 1, .max]) func aSizeThatIsNoneIsRefused(byteCount: Int) {
        let tracker = tracker()
        let error = #expect(throws: AudioError.self) {
            try tracker.track(Waveform(), byteCount: byteCount, owner: "call-1")
        }
        #expect(error?.code == .invalidConfiguration && tracker.objectCount == 0)
    }

    /// Nobody looks but the tracker itself.
    @Test func theTableDoesNotGrowWithWhatIsGone() throws {
        let tracker = tracker()
        let kept = Waveform()
        try tracker.track(kept, byteCount: 1, owner: "kept")
        var most = 0
        for _ in 0..<10_000 {
            try tracker.track(Waveform(), byteCount: 1, owner: "call")
            most = max(most, tracker.objectCount)
        }
        #expect(most <= 256)
        #expect(notes.all.count + tracker.objectCount == 10_001)
        tracker.sweep()
        #expect(tracker.objectCount == 1 && notes.all.count == 10_000)
        withExtendedLifetime(kept) {}
    }

    @Test func aCleanUpHasThoseGoThatCan() throws {
        let tracker = tracker()
        let cache = Lock<[Int: Waveform]>([:])
        for key in 0..<3 {
            let entry = Waveform()
            cache.withLock { $0[key] = entry }
            try tracker.track(entry, byteCount: 10, owner: "cache") { entry in
                cache.withLock { cache in cache = cache.filter { $0.value !== entry } }
            }
        }
        let needed = Waveform()
        try tracker.track(needed, byteCount: 5, owner: "call")
        try tracker.track(Waveform(), byteCount: 3, owner: "call")
        #expect(tracker.freeMemory(.trim) == 3)
        #expect(cache.withLock { $0.count } == 3 && tracker.byteCount == 35)
        #expect(tracker.freeMemory(.shrink) == 30)
        #expect(cache.withLock { $0.isEmpty } && tracker.byteCount == 5)
        #expect(tracker.freeMemory(.emergency) == 0 && notes.all.count == 4)
        withExtendedLifetime(needed) {}
    }

    /// Both callbacks and what is tracked may come back to the tracker.
    @Test func callbacksRunOffTheLock() throws {
        final class Nested: Sendable {
            let tracker: AudioObjectTracker
            init(_ tracker: AudioObjectTracker) { self.tracker = tracker }
            deinit { tracker.sweep() }
        }
        let known = Lock<AudioObjectTracker?>(nil)
        let tracker = AudioObjectTracker { _ in known.withLock { $0 }?.sweep() }
        known.withLock { $0 = tracker }
        // Else the one would keep the other.
        defer { known.withLock { $0 = nil } }
        for _ in 0..<1000 { try tracker.track(Nested(tracker), byteCount: 1, owner: "nested") }
        _ = try tracker.box(Nested(tracker), byteCount: 1, owner: "nested")
        // A clean-up is the last to have this one.
        let cache = Lock<Nested?>(Nested(tracker))
        try tracker.track(#require(cache.withLock { $0 }), byteCount: 1, owner: "nested") { _ in
            cache.withLock { $0 = nil }
        }
        tracker.sweep()
        #expect(tracker.freeMemory(.emergency) == 1)
        #expect(tracker.report().objectCount == 0 && tracker.report().releasedCount == 1002)
    }

    @Test func whoeverNoticesOneTellsOfIt() throws {
        let tracker = tracker()
        for _ in 0..<10 {
            for _ in 0..<200 { try tracker.track(Waveform(), byteCount: 1, owner: "gone") }
            let threads = try (0..<4).map { _ in try ThreadResult { tracker.sweep() } }
            let byteCount = try threads.reduce(0) { $0 + (try $1.value()) }
            #expect(byteCount <= 200)
        }
        #expect(notes.all.count == 2000 && tracker.report().releasedCount == 2000)
    }

    /// Each object is told of once, whoever notices, and the totals end where they began.
    @Test func manyThreadsTrackAndSweep() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 1 << 30)
        let tracker = tracker(budget: budget)
        let threads = try (0..<8).map { number in
            try ThreadResult {
                var kept: [Waveform] = []
                for round in 0..<500 {
                    let object = Waveform()
                    try tracker.track(object, byteCount: round, owner: "thread \(number % 3)")
                    kept.append(object)
                    if kept.count > 10 { kept.removeFirst() }
                    switch round % 20 {
                    case 0: tracker.sweep()
                    case 5: _ = try tracker.box(round, byteCount: 8, owner: "boxes")
                    case 10: _ = tracker.report(limit: 3)
                    case 15: _ = tracker.freeMemory(.shrink)
                    default: break
                    }
                }
            }
        }
        for thread in threads { try thread.value() }
        tracker.sweep()
        #expect(tracker.objectCount == 0 && tracker.byteCount == 0)
        #expect(notes.all.count == 8 * 525 && tracker.report().releasedCount == 8 * 525)
        #expect(budget.usedBytes == 0 && budget.report.purposes.isEmpty)
    }
}
