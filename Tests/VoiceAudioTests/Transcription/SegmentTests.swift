import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudio

@Suite(.timeLimit(.minutes(5))) struct SegmentTests {
    private struct Odd: Error {}

    /// The tasks that are to come there may find the pool busy with other tests for minutes.
    private func isWaited(for clock: ManualClock, after mark: Int = 0) async throws -> Bool {
        try await offThePool { clock.waitUntilWaiting(after: mark, limit: .seconds(240)) }
    }

    @Test func eachSegmentHasItsResultInOrder() async throws {
        // The first ends last.
        let gate = Gate()
        let transcriber = ScriptedTranscriber { sample, _ in
            if sample == 0 { await gate.pass() }
            if sample == 5 { gate.open() }
            if sample == 2 { throw Odd() }
            if sample == 3 { throw AudioError(.invalidConfiguration, "no") }
            return sample == 4 ? "…" : "text\u{7} \(sample)"
        }
        let results = try await transcribeSegments(
            segments(8), using: transcriber, language: "de", options: testOptions { $0.maxAttempts = 1 })
        #expect(results.map(\.index) == Array(0..<8))
        #expect(results.map(\.text) == ["text 0", "text 1", nil, nil, nil, "text 5", "text 6", "text 7"])
        #expect(
            results.map(\.code) == [nil, nil, .transcriberFailed, .invalidConfiguration, .noTranscript, nil, nil, nil])
        #expect(try results[0].outcome.get().language == "de")
        #expect(results.allSatisfy { $0.attempts == 1 })
    }

    @Test func whatCannotBeReadIsThatSegmentsResult() async throws {
        let transcriber = ScriptedTranscriber { sample, _ in "text \(sample)" }
        let wav = try withTemporaryWAV(samples: [Int16(9)], format: .speech, minimumFreeBytes: 0) { wav in
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: wav.path)))
        }
        let results = try await transcribeSegments(
            [
                TranscriptionSegment(wavBytes: [1, 2]), TranscriptionSegment(samples: [Float(1)], format: .speech),
                TranscriptionSegment(estimatedBytes: 10) { throw Odd() }, TranscriptionSegment(wavBytes: wav),
                TranscriptionSegment(estimatedBytes: 10) { TranscriptionSegment(wavBytes: wav) },
            ], using: transcriber, options: testOptions { $0.maxAttempts = 1 })
        #expect(results.map(\.code) == [.unreadableFile, .invalidConfiguration, .transcriberFailed, nil, nil])
        #expect(results.map(\.text) == [nil, nil, nil, "text 9", "text 9"])
    }

    @Test func aSizeThatIsNoneIsThatSegmentsResult() async throws {
        let results = try await transcribeSegments(
            [TranscriptionSegment(estimatedBytes: -1) { TranscriptionSegment(wavBytes: []) }],
            using: ScriptedTranscriber { _, _ in "text" }, options: testOptions())
        #expect(results.map(\.code) == [.invalidConfiguration] && results[0].message?.contains("-1 bytes") == true)
    }

    @Test func whatMayGoWellIsTriedAgain() async throws {
        let clock = ManualClock()
        let transcriber = ScriptedTranscriber { _, attempt in
            guard attempt == 4 else { throw AudioError(.timedOut, "late") }
            return "at last"
        }
        let task = Task {
            try await transcribeSegments(
                segments(1), using: transcriber,
                options: testOptions {
                    $0.maxAttempts = 4
                    $0.retryDelay = .seconds(1)
                }, clock: clock)
        }
        for (wait, delay) in [1, 2, 4].enumerated() {
            // The hand has passed the waits before.
            try #require(try await isWaited(for: clock, after: wait))
            clock.advance(by: .seconds(delay))
        }
        let results = try await task.value
        #expect(results == [results[0]] && results[0].text == "at last" && results[0].attempts == 4)
        #expect(results[0].elapsed == .seconds(7))
    }

    @Test func attemptsEndAndSomeErrorsAreFinal() async throws {
        let transcriber = ScriptedTranscriber { sample, _ in
            throw AudioError(sample == 0 ? .timedOut : .noSuchFile, "never")
        }
        let results = try await transcribeSegments(
            segments(2), using: transcriber,
            options: testOptions {
                $0.maxAttempts = 3
                $0.retryDelay = .zero
            })
        #expect(results.map(\.attempts) == [3, 1])
        #expect(results.map(\.code) == [.timedOut, .noSuchFile])
    }

    @Test func theBatchFollowsTheMonitor() async throws {
        let pacing = ScriptedPacing()
        let gates = (0..<12).map { _ in Gate() }
        let begun = Lock<Set<Int16>>([])
        let transcriber = ScriptedTranscriber { sample, _ in
            begun.withLock { _ = $0.insert(sample) }
            await gates[Int(sample)].pass()
            return "text"
        }
        let work = SegmentWork(
            transcriber: transcriber, language: nil, options: testOptions { $0.concurrency = 4 }, clock: SystemClock())
        let task = Task { try await work.run(segments(12), pacing: pacing) { _ in } }
        func begin(_ count: Int) async throws {
            #expect(try await eventuallyOffThePool { begun.withLock { $0.count } == count })
        }
        try await begin(4)
        pacing.state.withLock { $0.batchSize = 2 }
        // Three end; two are worked on at once now, so one more begins.
        for sample in 0..<3 { gates[sample].open() }
        try await begin(5)
        pacing.state.withLock { $0.batchSize = 100 }
        gates[3].open()
        try await begin(8)
        for gate in gates { gate.open() }
        try await task.value
        #expect(transcriber.mostAtOnce == 4)
        #expect(pacing.state.withLock { $0.asked.allSatisfy { $0 == 4 } })
    }

    @Test func memoryPressurePausesAndThereIsAnEnd() async throws {
        let clock = ManualClock()
        let pacing = ScriptedPacing()
        pacing.state.withLock { $0.refusal = "critical" }
        let results = Lock<[SegmentResult]>([])
        let transcriber = ScriptedTranscriber { sample, _ in "text \(sample)" }
        let work = SegmentWork(
            transcriber: transcriber, language: nil,
            options: testOptions {
                $0.maxPause = .seconds(1)
                $0.pauseInterval = .milliseconds(500)
                $0.concurrency = 1
            }, clock: clock)
        // The third sees memory again.
        let sequence = sequence(first: 0) { $0 < 4 ? $0 + 1 : nil }.lazy.map { index in
            if index == 2 { pacing.state.withLock { $0.refusal = nil } }
            return TranscriptionSegment(samples: [Int16(index)], format: .speech)
        }
        let task = Task {
            try await work.run(sequence, pacing: pacing) { result in results.withLock { $0.append(result) } }
        }
        try #require(try await isWaited(for: clock))
        clock.advance(by: .milliseconds(500))
        try #require(try await isWaited(for: clock, after: 1))
        #expect(results.withLock { $0.isEmpty })
        clock.advance(by: .milliseconds(500))
        try await task.value
        let all = results.withLock { $0 }
        #expect(all.map(\.code) == [.memoryPressure, .memoryPressure, nil, nil, nil])
        #expect(all.map(\.attempts) == [0, 0, 1, 1, 1])
        #expect(all[0].message?.contains("critical") == true)
    }

    @Test func aPauseEndsWhenThereIsRoom() async throws {
        let clock = ManualClock()
        let pacing = ScriptedPacing()
        pacing.state.withLock { $0.refusal = "critical" }
        let work = SegmentWork(
            transcriber: ScriptedTranscriber { sample, _ in "text \(sample)" }, language: nil, options: testOptions(),
            clock: clock)
        let task = Task {
            var texts: [String?] = []
            try await work.run(segments(3), pacing: pacing) { texts.append($0.text) }
            return texts
        }
        try #require(try await isWaited(for: clock))
        pacing.state.withLock { $0.refusal = nil }
        clock.advance(by: .milliseconds(250))
        #expect(try await task.value == ["text 0", "text 1", "text 2"])
    }

    @Test(arguments: [true, false]) func noneIsTriedAgainWhileMemoryIsRefused(thereIsRoomLater: Bool) async throws {
        let clock = ManualClock()
        let pacing = ScriptedPacing()
        let transcriber = ScriptedTranscriber { _, attempt in
            guard attempt == 1 else { return "at last" }
            pacing.state.withLock { $0.refusal = "critical" }
            throw AudioError(.transcriberFailed, "killed")
        }
        let work = SegmentWork(
            transcriber: transcriber, language: nil,
            options: testOptions {
                $0.retryDelay = .seconds(1)
                $0.pauseInterval = .milliseconds(500)
                $0.maxPause = .seconds(1)
            }, clock: clock)
        let task = Task {
            var results: [SegmentResult] = []
            try await work.run(segments(1), pacing: pacing) { results.append($0) }
            return results
        }
        try #require(try await isWaited(for: clock))
        clock.advance(by: .seconds(1))
        try #require(try await isWaited(for: clock, after: 1))
        if thereIsRoomLater { pacing.state.withLock { $0.refusal = nil } }
        clock.advance(by: .milliseconds(500))
        if !thereIsRoomLater {
            try #require(try await isWaited(for: clock, after: 2))
            clock.advance(by: .milliseconds(500))
        }
        let results = try await task.value
        #expect(results.map(\.attempts) == [thereIsRoomLater ? 2 : 1])
        #expect(results.map(\.code) == [thereIsRoomLater ? nil : .transcriberFailed])
    }

    @Test func aMonitorAtCriticalRefusesAndAPoolJoinsIt() async throws {
        struct Machine: MemorySource {
            var usedBytes: Int

            func sample() -> MemorySample {
                let limit = MemoryLimit(origin: .machine, limitBytes: 100 << 30, usedBytes: usedBytes)
                return MemorySample(limits: [limit], processRSSBytes: 1 << 20)
            }
        }
        let monitor = MemoryPressureMonitor(source: Machine(usedBytes: 99 << 30), clock: ManualClock())
        let results = try await transcribeSegments(
            segments(2), using: ScriptedTranscriber { _, _ in "text" }, options: testOptions { $0.maxPause = .zero },
            monitor: monitor)
        #expect(results.map(\.code) == [.memoryPressure, .memoryPressure])
        #expect(results[0].message?.contains("transcription") == true)

        let calm = MemoryPressureMonitor(source: Machine(usedBytes: 1 << 30), clock: ManualClock())
        let pool = try TemporaryStoragePool(minimumFreeBytes: 0, monitor: calm)
        // A file is not kept while a child of another test has it: one that has not begun its program yet.
        let end = ContinuousClock.now + .seconds(60)
        repeat {
            try await transcribeSegments(
                segments(2), using: ScriptedTranscriber { _, _ in "text" }, options: testOptions { $0.storage = pool },
                monitor: calm
            ) { #expect($0.text == "text") }
        } while pool.idleFiles.count == 0 && ContinuousClock.now < end
        #expect(pool.idleFiles.count > 0)
        _ = try await offThePool { calm.cleanUp(.trim) }
        #expect(pool.idleFiles.count == 0)
        #expect(try await offThePool { calm.stop() && monitor.stop() })
    }

    @Test func lazySegmentsAndWaitingResultsAreBounded() async throws {
        let gate = Gate()
        let loaded = Lock(0)
        let taken = Lock(0)
        let transcriber = ScriptedTranscriber { sample, _ in
            if sample == 0 { await gate.pass() }
            return "text"
        }
        let sequence = (0..<1000).lazy.map { index in
            taken.withLock { $0 += 1 }
            return TranscriptionSegment(estimatedBytes: 2) {
                loaded.withLock { $0 += 1 }
                return TranscriptionSegment(samples: [Int16(index)], format: .speech)
            }
        }
        let task = Task {
            var count = 0
            try await transcribeSegments(sequence, using: transcriber, options: testOptions { $0.concurrency = 2 }) {
                #expect($0.index == count)
                count += 1
            }
            return count
        }
        // The first hangs: eight are begun, one more has been taken, and nothing goes on.
        #expect(try await eventuallyOffThePool { loaded.withLock { $0 } == 8 && taken.withLock { $0 } == 9 })
        gate.open()
        #expect(try await task.value == 1000)
        #expect(loaded.withLock { $0 } == 1000)
    }

    @Test func cancellingEndsEverything() async throws {
        let begun = Gate()
        let ended = Lock(0)
        let transcriber = ScriptedTranscriber { _, _ in
            defer { ended.withLock { $0 += 1 } }
            begun.open()
            try await Task.sleep(for: .seconds(600))
            return "never"
        }
        let delivered = Lock(0)
        let task = Task {
            try await transcribeSegments(segments(50), using: transcriber, options: testOptions()) { _ in
                delivered.withLock { $0 += 1 }
            }
        }
        await begun.pass()
        task.cancel()
        let error = await #expect(throws: AudioError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(delivered.withLock { $0 } == 0)
        #expect((1...4).contains(ended.withLock { $0 }))
    }

    @Test func whatDeliveryThrowsEndsEverything() async throws {
        let transcriber = ScriptedTranscriber { sample, _ in
            if sample > 0 { try await Task.sleep(for: .seconds(600)) }
            return "text"
        }
        await #expect(throws: Odd.self) {
            try await transcribeSegments(segments(50), using: transcriber, options: testOptions()) { _ in throw Odd() }
        }
    }

    /// Those that are given up come without a wait in between.
    @Test func givingUpCanBeCancelled() async throws {
        let pacing = ScriptedPacing()
        pacing.state.withLock { $0.refusal = "critical" }
        let work = SegmentWork(
            transcriber: ScriptedTranscriber { _, _ in "text" }, language: nil,
            options: testOptions { $0.maxPause = .zero }, clock: SystemClock())
        let delivered = Lock(0)
        let sequence = (0..<1000).lazy.map { _ in TranscriptionSegment(samples: [Int16(0)], format: .speech) }
        let task = Task {
            try await work.run(sequence, pacing: pacing) { _ in
                delivered.withLock { $0 += 1 }
                // SAFETY: the task is used within the call.
                unsafe withUnsafeCurrentTask { task in unsafe task?.cancel() }
            }
        }
        let error = await #expect(throws: AudioError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(delivered.withLock { $0 } == 1)
    }

    @Test func concurrencyMayBeWithoutEnd() async throws {
        let results = try await transcribeSegments(
            segments(20), using: ScriptedTranscriber { sample, _ in "text \(sample)" },
            options: testOptions { $0.concurrency = .max })
        #expect(results.map(\.text) == (0..<20).map { "text \($0)" })
    }

    @Test func optionsThatMakeNoSenseAreRefused() async throws {
        let transcriber = ScriptedTranscriber { _, _ in "text" }
        for change: (inout SegmentOptions) -> Void in [
            { $0.concurrency = 0 }, { $0.maxAttempts = 0 }, { $0.retryDelay = .seconds(-1) },
            { $0.pauseInterval = .zero }, { $0.maxPause = .seconds(-1) },
        ] {
            await #expect(throws: AudioError.self) {
                try await transcribeSegments(segments(1), using: transcriber, options: testOptions(change))
            }
        }
    }
}

extension SegmentResult {
    fileprivate var code: AudioError.Code? { error?.code }
    fileprivate var message: String? { error?.message }

    private var error: AudioError? {
        guard case .failure(let error) = outcome else { return nil }
        return error
    }
}
