import Foundation
import Synchronization
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Eight threads begin and end sessions, and others look and end all: nothing is lost or left behind.
///
/// `VOICEAUDIO_STRESS_SESSIONS=100000` for so many; for ThreadSanitizer, too.
@Suite(.serialized, .timeLimit(.minutes(60))) struct SessionStressTests {
    private static let sessionCount =
        ProcessInfo.processInfo.environment["VOICEAUDIO_STRESS_SESSIONS"].flatMap { Int($0) } ?? 1000

    @Test(arguments: [false, true]) func sessionsComeAndGo(all: Bool) throws {
        let host = try MemoryBudget(name: "process", limitBytes: 16 << 20)
        let registry = SessionRegistry(
            limits: .init(sessions: 6, memory: .mebibytes(1)), configuration: .scripted(maxChunks: 10), budget: host)
        let counters = Counters()
        let seed = SeededGenerator.freshSeed()
        let watcher = try ThreadResult {
            var faults: [String] = []
            while !counters.isOver.load(ordering: .acquiring) {
                let report = registry.report
                if report.sessions.count > 6 || report.sharedOutBytes > 1 << 20 || report.usedBytes > 1 << 20 {
                    faults.append("\(report)")
                }
                for session in registry.sessions where session.name.hasSuffix("7") { session.touch() }
                if all {
                    registry.endAll(deadline: .seconds(60))
                    registry.expireSessions()
                }
            }
            return faults
        }
        let threads = try (0..<8).map { number in
            try ThreadResult {
                try Self.work(registry, counters, SeededGenerator(seed: seed &+ UInt64(number)), number: number)
            }
        }
        for thread in threads { #expect(try thread.value() == [], "seed \(seed)") }
        counters.isOver.store(true, ordering: .releasing)
        #expect(try watcher.value() == [], "seed \(seed)")
        #expect(registry.endAll(deadline: .seconds(60)).allEnded, "seed \(seed)")
        let report = registry.report
        #expect(report.begunCount == report.endedCount && report.sharedOutBytes == 0, "\(report), seed \(seed)")
        #expect(registry.count == 0, "seed \(seed)")
        // An opening that was given up has its ring until its thread is done, which nobody waits for.
        #expect(eventually { host.usedBytes == 0 }, "\(host.report), seed \(seed)")
        #expect(
            counters.closed.load(ordering: .relaxed) == counters.attached.load(ordering: .relaxed), "seed \(seed)")
        #expect(counters.begun.load(ordering: .relaxed) == report.begunCount, "seed \(seed)")
    }

    private final class Counters: Sendable {
        let isOver = Atomic<Bool>(false)
        let begun = Atomic<Int>(0)
        let attached = Atomic<Int>(0)
        let closed = Atomic<Int>(0)
    }

    /// Answers what should not have happened.
    private static func work(
        _ registry: SessionRegistry, _ counters: Counters, _ generator: SeededGenerator, number: Int
    ) throws -> [String] {
        var generator = generator
        var faults: [String] = []
        let known: Set<AudioError.Code> = [.invalidState, .limitReached, .budgetExceeded, .noSuchSession, .cancelled]
        for round in 0..<sessionCount / 8 {
            // Some of the names are others', too.
            let name = generator.below(10) == 0 ? "shared" : "\(number) \(round)"
            do throws(AudioError) {
                let source = SimulatedSource(toneHz: 100, pace: .realTime)
                let session = try registry.begin(
                    name, source: source, metadata: ["round": "\(round)"], startsRecording: generator.below(4) > 0,
                    deadline: .seconds(60))
                counters.begun.wrappingAdd(1, ordering: .relaxed)
                do throws(AudioError) {
                    try session.append([UInt8](repeating: 1, count: 100), to: "bytes")
                    try session.attach(round, named: "part") { _ in counters.closed.wrappingAdd(1, ordering: .relaxed) }
                    counters.attached.wrappingAdd(1, ordering: .relaxed)
                } catch {
                    if error.code != .invalidState { faults.append("\(error)") }
                }
                if generator.below(3) == 0 {
                    try registry.end(name, deadline: .seconds(60))
                } else {
                    let ended = try session.end(deadline: .seconds(60))
                    if !ended.leftToItself.isEmpty { faults.append("\(ended.report)") }
                }
            } catch {
                if !known.contains(error.code) { faults.append("\(error)") }
            }
        }
        return faults
    }
}
