import Foundation
import TestSupport
import VoiceAudio
import VoiceAudioCore
import XCTest

/// Components that are replaced for months leave nothing.
///
/// `VOICEAUDIO_STRESS_REPLACEMENTS=10000` for so many.
final class ComponentLeakTests: XCTestCase {
    /// A descriptor or thread that is left shows after one of its kind; the memory allowed goes with the number.
    private let replacementCount =
        ProcessInfo.processInfo.environment["VOICEAUDIO_STRESS_REPLACEMENTS"].flatMap { Int($0) }
        ?? (ProcessCounts.isSanitized ? 1000 : 3000)

    /// What a test knows of one name.
    private final class Run {
        let clock = ManualClock()
        let bench: ComponentBench
        let registry: ComponentRegistry
        let isExclusive: Bool
        private let random: Lock<SeededGenerator>
        private let fates = Lock<[Int: ComponentBench.Fate]>([:])
        private(set) var outcomes: [String: Int] = [:]

        init(seed: UInt64, isExclusive: Bool) throws {
            self.isExclusive = isExclusive
            bench = ComponentBench(clock: clock)
            registry = ComponentRegistry(clock: clock)
            random = Lock(SeededGenerator(seed: seed))
            let options = ComponentOptions(
                isExclusive: isExclusive, startDeadline: .milliseconds(250), stopDeadline: .milliseconds(250),
                maxQuarantinedThreads: 1000)
            try registry.register("engine", options) { [bench, random, fates] in
                // Sees to it that the number is this one's.
                let fate = random.withLock { random in
                    var fate = ComponentBench.Fate.random(by: &random)
                    // Whatever the threads do first, what is to be late is.
                    for call in [\ComponentBench.Fate.start, \.health, \.stop] {
                        if case .hangs(let time) = fate[keyPath: call] {
                            fate[keyPath: call] = time < .milliseconds(250) ? .takes(time) : .hangs(time)
                        }
                        if case .takes(let time) = fate[keyPath: call], time >= .milliseconds(250) {
                            fate[keyPath: call] = .hangs(time)
                        }
                    }
                    return fate
                }
                fates.withLock { $0[bench.madeCount + 1] = fate }
                return try bench.make("engine", fate)
            }
        }

        var number: Int? { (registry["engine"] as? BenchedComponent)?.number }

        /// Whether that one was to be started and proved in time.
        private func isGood(_ number: Int) -> Bool {
            guard let fate = fates.withLock({ $0[number] }), fate.make == .works else { return false }
            return [fate.start, fate.health].allSatisfy { act in
                if case .takes = act { true } else { act == .works }
            }
        }

        /// Replaces it `count` times, each as it is to be.
        func replace(_ count: Int) throws {
            for _ in 0..<count {
                let (before, made) = (number, bench.madeCount)
                let replacement = try registry.replace("engine")
                let (after, last) = (number, bench.madeCount)
                switch replacement {
                case .replaced:
                    XCTAssert(isGood(last) && after == last && last == made + 1)
                    outcomes["replaced", default: 0] += 1
                case .rolledBack:
                    XCTAssertFalse(isGood(made + 1))
                    if isExclusive {
                        XCTAssert(before != nil && after == last && last == made + 2 && isGood(last))
                    } else {
                        XCTAssert(before != nil && after == before && last == made + 1)
                    }
                    outcomes["rolledBack", default: 0] += 1
                case .failed(let error, let restart):
                    XCTAssert(after == nil && (isExclusive || before == nil))
                    XCTAssertEqual(restart == nil, before == nil)
                    if error.code != .busy { XCTAssertFalse(isGood(made + 1)) }
                    outcomes["failed", default: 0] += 1
                }
                // What works now is what all see, and what has not returned from its proof, which is stopped then.
                let isHanging = bench.hangingCount > 0
                XCTAssert(after.map(bench.working.contains) ?? true)
                bench.letGo()
                if isHanging { XCTAssert(eventually { registry.report.quarantinedThreadCount == 0 }) }
                XCTAssertEqual(bench.working, after.map { [$0] } ?? [])
            }
        }
    }

    private func run(_ count: Int, isExclusive: Bool) throws {
        let seed = SeededGenerator.freshSeed()
        let run = try Run(seed: seed, isExclusive: isExclusive)
        try run.replace(300)
        XCTAssert(eventually { run.bench.aliveCount == (run.number == nil ? 0 : 1) })
        let level = (threads: ProcessCounts.threads(), descriptors: ProcessCounts.descriptors)
        ProcessMemory.trimHeap()
        let residentBytes = ProcessCounts.residentBytes
        let isRunning = run.number != nil
        try run.replace(count - 300)
        let isRunningNow = run.number != nil
        XCTAssert(eventually { run.bench.aliveCount == (isRunningNow ? 1 : 0) })
        // The one that runs has a thread, and descriptors for it. Fewer, where one was about to end at the first look.
        if isRunning == isRunningNow {
            XCTAssert(
                eventually {
                    ProcessCounts.threads() <= level.threads && ProcessCounts.descriptors <= level.descriptors
                }, "seed \(seed)")
        }
        if !ProcessCounts.isSanitized {
            ProcessMemory.trimHeap()
            // What the bench itself remembers of each is in this.
            let growth = ProcessCounts.residentBytes - residentBytes
            XCTAssertLessThan(growth, max(1 << 20, 800 * (count - 300)), "seed \(seed)")
        }
        run.registry.stopAll()
        run.bench.letGo()
        XCTAssert(eventually { run.registry.report.quarantinedThreadCount == 0 && run.bench.aliveCount == 0 })
        XCTAssertEqual(run.bench.complaints(allStopped: true), [], "seed \(seed)")
        XCTAssertEqual(run.bench.mostAlive, isExclusive ? 1 : run.bench.mostAlive)
        print("components, \(isExclusive ? "exclusive" : "shared"): \(run.outcomes), \(run.bench.madeCount) made")
        for outcome in ["replaced", "rolledBack"] { XCTAssertGreaterThan(run.outcomes[outcome] ?? 0, count / 20) }
    }

    func testReplacementsLeaveNothing() throws {
        let threads = ProcessCounts.threads()
        try run(replacementCount, isExclusive: false)
        XCTAssert(eventually { ProcessCounts.threads() <= threads })
    }

    func testExclusiveReplacementsLeaveNothing() throws {
        let threads = ProcessCounts.threads()
        try run(max(600, replacementCount / 3), isExclusive: true)
        XCTAssert(eventually { ProcessCounts.threads() <= threads })
    }
}
