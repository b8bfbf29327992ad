import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioMemory

struct MemoryBudgetTests {
    @Test func aChildCannotTakeMoreThanItsParentHas() throws {
        let process = try MemoryBudget(name: "process", limitBytes: 1000)
        let user = try process.child(name: "user", limitBytes: 5000)
        let session = try user.child(name: "session", limitBytes: 800)
        let other = try process.child(name: "other", limitBytes: 1000)
        let taken = try other.reserve(300, for: "ring")
        #expect(session.availableBytes == 700)
        let ring = try session.reserve(700, for: "ring")
        #expect(process.usedBytes == 1000 && user.usedBytes == 700 && session.usedBytes == 700)
        let error = #expect(throws: AudioError.self) { _ = try session.reserve(1, for: "results") }
        #expect(error?.code == .budgetExceeded)
        #expect(error?.message.contains("\"process\"") == true, "\(String(describing: error))")
        // What was refused is not taken anywhere.
        #expect(process.usedBytes == 1000 && session.report.purposes == ["ring": 700])
        try taken.resize(to: 0)
        #expect(throws: AudioError.self) { try ring.resize(to: 801) }
        try ring.resize(to: 800)
        #expect(session.availableBytes == 0 && user.usedBytes == 800 && process.availableBytes == 200)
    }

    @Test func aReservationThatGoesGivesBack() throws {
        let process = try MemoryBudget(name: "process", limitBytes: 1000)
        var session: MemoryBudget? = try process.child(name: "session", limitBytes: 1000)
        var reservation = try session?.reserve(400, for: "ring")
        session = nil
        #expect(process.report.children.map(\.name) == ["session"])
        #expect(reservation?.byteCount == 400 && process.usedBytes == 400)
        reservation = nil
        #expect(process.usedBytes == 0 && process.report.children.isEmpty)
        #expect(process.report.peakBytes == 400)
    }

    @Test func aRootHasAPartOfWhatTheProcessMayUse() throws {
        let usable = try SystemMemorySource().sample().capacityBytes
        #expect(try MemoryBudget(name: "process", percentOfAvailable: 50).limitBytes == usable / 2)
        #expect(throws: AudioError.self) { _ = try MemoryBudget(name: "process", percentOfAvailable: 0) }
        #expect(throws: AudioError.self) { _ = try MemoryBudget(name: "process", percentOfAvailable: 101) }
    }

    @Test(arguments: [0, -1, .min]) func aLimitThatIsNoneIsRefused(limit: Int) {
        let error = #expect(throws: AudioError.self) { _ = try MemoryBudget(name: "process", limitBytes: limit) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test func aSizeThatIsNoneIsRefused() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: .max)
        let all = try budget.reserve(.max, for: "ring")
        for byteCount in [-1, Int.min] {
            let error = #expect(throws: AudioError.self) { try all.resize(to: byteCount) }
            #expect(error?.code == .invalidConfiguration)
        }
        let error = #expect(throws: AudioError.self) { _ = try budget.reserve(.max, for: "results") }
        #expect(error?.code == .budgetExceeded && budget.report.purposes == ["ring": .max])
    }

    @Test func aTreeHas32Levels() throws {
        let root = try MemoryBudget(name: "level 1", limitBytes: 1000)
        var deepest = root
        for level in 2...32 { deepest = try deepest.child(name: "level \(level)", limitBytes: 1000) }
        let error = #expect(throws: AudioError.self) { _ = try deepest.child(name: "level 33", limitBytes: 1000) }
        #expect(error?.code == .limitReached)
        let taken = try deepest.reserve(600, for: "ring")
        #expect(root.usedBytes == 600 && root.availableBytes == 400)
        #expect(throws: AudioError.self) { _ = try root.reserve(401, for: "ring") }
        var report = root.report
        while let child = report.children.first { report = child }
        #expect(report.name == "level 32" && report.purposes == ["ring": 600])
        withExtendedLifetime(taken) {}
    }

    @Test func reservationsOfOnePurposeAreOneNumber() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 1000)
        var first: MemoryReservation? = try budget.reserve(100, for: "ring")
        let second = try budget.reserve(50, for: "ring")
        #expect(budget.report.purposes == ["ring": 150])
        try first?.resize(to: 20)
        #expect(budget.report.purposes == ["ring": 70] && budget.report.peakBytes == 150)
        first = nil
        #expect(budget.report.purposes == ["ring": 50])
        withExtendedLifetime(second) {}
    }

    /// Children come and go while others take, give back and look; no limit is ever exceeded, and in the end all is back.
    @Test func manyThreadsStayWithinTheLimits() throws {
        let root = try MemoryBudget(name: "process", limitBytes: 1000)
        let users = try (0..<2).map { try root.child(name: "user \($0)", limitBytes: 700) }
        // What the threads themselves believe that they have.
        let taken = Lock(0)
        let refusals = Lock(0)
        let threads = try (0..<8).map { number in
            try ThreadResult {
                var generator = SeededGenerator(seed: UInt64(number))
                var held: [MemoryReservation] = []
                for _ in 0..<500 {
                    let session = try users[number % 2].child(name: "session", limitBytes: 200)
                    do {
                        let byteCount = Int.random(in: 0...150, using: &generator)
                        held.append(try session.reserve(byteCount, for: "ring"))
                        taken.withLock { $0 += byteCount }
                        #expect(taken.withLock { $0 } <= 1000)
                    } catch {
                        #expect((error as? AudioError)?.code == .budgetExceeded)
                        refusals.withLock { $0 += 1 }
                        if !held.isEmpty {
                            let last = held.removeLast()
                            taken.withLock { $0 -= last.byteCount }
                        }
                    }
                    if Bool.random(using: &generator) {
                        let report = root.report
                        #expect(report.usedBytes <= 1000 && report.children.allSatisfy { $0.usedBytes <= 700 })
                        #expect(report.usedBytes == report.children.reduce(0) { $0 + $1.usedBytes })
                    }
                }
                taken.withLock { $0 -= held.reduce(0) { $0 + $1.byteCount } }
            }
        }
        for thread in threads { try thread.value() }
        #expect(refusals.withLock { $0 } > 0)
        #expect(root.usedBytes == 0 && root.report.children.map(\.children) == [[], []])
        #expect(root.report.peakBytes <= 1000)
    }

    @Test func aRingTakesItsMemoryFromABudget() throws {
        let budget = try MemoryBudget(name: "session", limitBytes: 1 << 20)
        var ring: BoundedAudioBuffer? = try BoundedAudioBuffer(
            maxChunks: 10, maxBytes: 100_000, maxChunkBytes: 3200, budget: budget, purpose: "history")
        let byteCount = try #require(ring).allocatedBytes
        #expect(budget.report.purposes == ["history": byteCount] && byteCount >= 32_000)
        #expect(ring?.append([1, 2, 3] as [UInt8]).isStored == true)
        ring = nil
        #expect(budget.usedBytes == 0)
        let error = #expect(throws: AudioError.self) {
            _ = try BoundedAudioBuffer(maxChunks: 10, maxBytes: 2 << 20, budget: budget)
        }
        #expect(error?.code == .budgetExceeded && budget.usedBytes == 0)
        #expect(throws: AudioError.self) { _ = try BoundedAudioBuffer(maxChunks: 0, maxBytes: 1, budget: budget) }
    }
}
