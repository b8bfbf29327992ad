import CAllocationCounter
import Foundation
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// Sessions leave threads, descriptors and memory level, however many there were.
///
/// `VOICEAUDIO_STRESS_SESSIONS=100000` for so many.
final class SessionLeakTests: XCTestCase {
    private let sessionCount =
        ProcessInfo.processInfo.environment["VOICEAUDIO_STRESS_SESSIONS"].flatMap { Int($0) } ?? 2000

    private let source = SimulatedSource(toneHz: 100, pace: .realTime)

    private func makeRegistry(sessions: Int = 16, memory: MemorySize = .mebibytes(4)) -> SessionRegistry {
        SessionRegistry(limits: .init(sessions: sessions, memory: memory))
    }

    /// Runs `body` twice, and compares the process before and after.
    private func assertLevel(_ body: () throws -> Void) throws {
        let descriptors = ProcessCounts.descriptors
        try body()
        waitUntilLevel(descriptors)
        ProcessMemory.trimHeap()
        let resident = ProcessCounts.residentBytes
        try body()
        waitUntilLevel(descriptors)
        ProcessMemory.trimHeap()
        // A sanitizer keeps what was freed for a while, and counts for itself.
        guard allocationCounterIsActive() else { return }
        let growth = ProcessCounts.residentBytes - resident
        XCTAssertLessThan(growth, 1 << 20, "resident memory grew by \(growth) bytes")
    }

    /// A registry's thread that has just begun has no name yet by which it would be found, but has descriptors.
    private func waitUntilLevel(_ descriptors: Int) {
        XCTAssertTrue(
            eventually { ProcessCounts.threads() == 0 && ProcessCounts.descriptors == descriptors },
            "\(ProcessCounts.descriptors) of \(descriptors) descriptors, \(ProcessCounts.threadNames)")
    }

    /// Eight threads at once, each with sessions of its own.
    func testSessionsThatComeAndGo() throws {
        let registry = makeRegistry()
        let count = sessionCount / 16
        try assertLevel {
            let threads = try (0..<8).map { number in
                try ThreadResult { [source] in
                    for round in 0..<count {
                        let session = try registry.begin("\(number)", source: source, metadata: ["round": "\(round)"])
                        try session.append([UInt8](repeating: 1, count: 1000), to: "bytes")
                        if round % 8 == 0 { try session.attach(round, named: "part") { _ in } }
                        try session.end(deadline: .seconds(60))
                    }
                }
            }
            for thread in threads { try thread.value() }
            XCTAssertEqual(registry.count, 0)
            XCTAssertEqual(registry.report.usedBytes, 0)
        }
        XCTAssertEqual(registry.report.endedCount, 16 * count)
    }

    func testRegistriesThatAreDropped() throws {
        try assertLevel {
            for _ in 0..<20 {
                let registry = makeRegistry()
                for number in 0..<8 { _ = try registry.begin("\(number)", source: source) }
                // That of the one before may still be on its way out.
                XCTAssertTrue(eventually { ProcessCounts.threads(named: "va-sessions") == 1 })
            }
        }
    }

    /// Refused for want of a device, of memory and of places.
    func testSessionsThatAreRefused() throws {
        let busy = ScriptedSource()
        busy.failToOpen(with: AudioError(.busy, "the line is busy"))
        let registry = makeRegistry(sessions: 1)
        try assertLevel {
            for _ in 0..<100 {
                XCTAssertThrowsError(try registry.begin("call", source: busy))
                XCTAssertThrowsError(try registry.begin("call", source: source, memory: .mebibytes(5)))
                let call = try registry.begin("call", source: source)
                XCTAssertThrowsError(try registry.begin("other", source: source))
                try call.end(deadline: .seconds(60))
            }
        }
    }

    /// Of nothing that depends on how much is captured.
    func testWhatASessionTakes() throws {
        let silent = ScriptedSource()
        let registry = SessionRegistry(
            limits: .init(sessions: 256, memory: .mebibytes(64)), configuration: .scripted(maxChunks: 10_000))
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let (descriptors, resident) = (ProcessCounts.descriptors, ProcessCounts.residentBytes)
        let count = 200
        for number in 0..<count { _ = try registry.begin("call \(number)", source: silent) }
        XCTAssertEqual(ProcessCounts.threads(named: "va-capture"), count)
        // And two of the registry's thread.
        XCTAssertLessThanOrEqual(ProcessCounts.descriptors - descriptors, count * 3 + 2)
        // However large the rings: what is not touched is not there.
        let share = (ProcessCounts.residentBytes - resident) / count
        if allocationCounterIsActive() { XCTAssertLessThan(share, 64 << 10) }
        let report = registry.report
        XCTAssertLessThanOrEqual(report.usedBytes, count * (256 << 10))
        XCTAssertGreaterThan(report.usedBytes, count * (200 << 10))
        XCTAssertTrue(registry.endAll(deadline: .seconds(60)).allEnded)
        waitUntilLevel(descriptors)
    }

    /// By the clock's hand, which does not move, no time passes in which none ends.
    func testEndingAllTakesFewThreads() throws {
        let registry = SessionRegistry(configuration: .scripted(), clock: ManualClock())
        let silent = ScriptedSource()
        let most = Lock(0)
        for number in 0..<64 {
            let call = try registry.begin("call \(number)", source: silent)
            try call.attach(number, named: "part") { _ in
                let count = ProcessCounts.threads(named: "va-session-end")
                most.withLock { $0 = max($0, count) }
            }
        }
        XCTAssertTrue(registry.endAll(deadline: .seconds(60)).allEnded)
        XCTAssertTrue((1...4).contains(most.withLock { $0 }), "\(most.withLock { $0 }) threads")
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
    }

    /// Frames that are pushed need no thread, and no more descriptors.
    func testWhatAPushedSessionTakes() throws {
        let registry = SessionRegistry(limits: .init(sessions: 256, memory: .mebibytes(64)))
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        let sources = (0..<200).map { _ in PushSource(format: .g711uLaw8k) }
        for (number, source) in sources.enumerated() {
            _ = try registry.begin("call \(number)", source: source)
            source.push([UInt8](repeating: 0x55, count: 160))
        }
        XCTAssertEqual(ProcessCounts.threads(named: "va-capture"), 0)
        XCTAssertLessThanOrEqual(ProcessCounts.descriptors - descriptors, sources.count * 3 + 2)
        XCTAssertTrue(registry.endAll(deadline: .seconds(60)).allEnded)
        XCTAssertEqual(registry.report.usedBytes, 0)
        waitUntilLevel(descriptors)
    }

    /// Somebody who asks again and again for the end of one that hangs.
    func testWaitingForASessionThatHangsTakesNothing() throws {
        let registry = SessionRegistry(configuration: .scripted())
        let (isAwaited, isOpen) = (try WakeUp(), try WakeUp())
        let call = try registry.begin("call", source: ScriptedSource())
        try call.attach(isOpen, named: "part") { isOpen in
            isAwaited.signal()
            _ = isOpen.waitUntilSignalled(by: SystemClock().now.advanced(by: .seconds(600)), clock: SystemClock())
        }
        let ending = try ThreadResult { try call.end(deadline: .seconds(5)).leftToItself }
        XCTAssertEqual(try ending.value(), [.closing])
        XCTAssertTrue(eventually { isAwaited.isSignalled })
        // The first leaves one behind at most, which the next one replaces.
        let level = ProcessCounts.descriptors
        for _ in 0..<100 { XCTAssertEqual(registry.endAll(deadline: .milliseconds(1)).notEnded, ["call"]) }
        XCTAssertTrue(eventually { ProcessCounts.descriptors <= level }, "\(ProcessCounts.descriptors) of \(level)")
        isOpen.signal()
        XCTAssertTrue(eventually { registry.count == 0 && ProcessCounts.threads() == 0 })
    }

    /// Whoever lacks descriptors begins nothing, and ends what there is. No other test runs meanwhile.
    func testWithoutDescriptorsSessionsEndAllTheSame() throws {
        let closed = Lock<[Int]>([])
        let silent = ScriptedSource()
        let registry = SessionRegistry(configuration: .scripted())
        for number in 0..<4 {
            let call = try registry.begin("call \(number)", source: silent)
            try call.attach(number, named: "part") { number in closed.withLock { $0.append(number) } }
        }
        let descriptors = ProcessCounts.descriptors
        let limit = setDescriptorLimit(3)
        let refused = Result { _ = try registry.begin("other", source: silent) }
        let hasRecorded = Result { try registry.end("call 0", deadline: .seconds(60)).recording != nil }
        let report = registry.endAll(deadline: .seconds(60))
        setDescriptorLimit(limit)
        XCTAssertThrowsError(try refused.get()) { XCTAssertEqual(($0 as? AudioError)?.code, .outOfResources) }
        XCTAssertTrue(try hasRecorded.get())
        XCTAssertEqual(report.sessions.map(\.name), ["call 1", "call 2", "call 3"])
        XCTAssertTrue(report.allEnded)
        XCTAssertEqual(closed.withLock { $0 }, [0, 1, 2, 3])
        XCTAssertEqual(registry.report.usedBytes, 0)
        try registry.begin("other", source: silent).end()
        XCTAssertTrue(eventually { ProcessCounts.descriptors <= descriptors })
    }
}
