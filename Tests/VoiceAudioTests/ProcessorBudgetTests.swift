import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioMemory

/// What a processor takes from a budget: histories, recordings and subscriptions, to the byte.
@Suite(.timeLimit(.minutes(5))) struct ProcessorBudgetTests {
    private let source = ScriptedSource()

    private func processor(_ budget: MemoryBudget) -> AudioProcessor {
        AudioProcessor(source: source, configuration: .scripted(), budget: budget)
    }

    private func give(_ frames: Int) {
        source.push(.frames(frames))
        #expect(source.waitUntilTaken())
    }

    /// What the history of such a processor takes.
    private func historyByteCount() throws -> Int {
        let budget = try MemoryBudget(name: "measure", limitBytes: 1 << 30)
        let processor = AudioProcessor(source: ScriptedSource(), configuration: .scripted(), budget: budget)
        try processor.arm()
        defer { processor.cleanup() }
        #expect(processor.memoryUsage.allocatedBytes == budget.usedBytes)
        return budget.usedBytes
    }

    @Test func aRecordingCountsUntilItGoes() throws {
        let history = try historyByteCount()
        let budget = try MemoryBudget(name: "session", limitBytes: 1 << 30)
        let processor = processor(budget)
        #expect(budget.usedBytes == 0)
        try processor.arm()
        try processor.start()
        give(100)
        #expect(budget.report.purposes == ["history": history])
        var recording: Recording? = try processor.stop()
        // Armed as before, with a history of its own.
        #expect(processor.state == .ready && budget.report.purposes == ["history": 2 * history])
        #expect(recording?.numbers == Array(0..<100))
        recording = nil
        #expect(budget.report.purposes == ["history": history])
        processor.cleanup()
        #expect(budget.usedBytes == 0)
    }

    @Test func aSubscriptionCountsUntilItGoes() throws {
        let budget = try MemoryBudget(name: "session", limitBytes: 1 << 20)
        let processor = processor(budget)
        var listener: AudioSubscription? = try processor.subscribe(chunks: 10)
        #expect(budget.report.purposes == ["subscription": try #require(listener).buffer.allocatedBytes])
        let error = #expect(throws: AudioError.self) { _ = try processor.subscribe(chunks: 10_000) }
        #expect(error?.code == .budgetExceeded && error?.message.contains("\"session\"") == true)
        listener = nil
        #expect(budget.usedBytes == 0)
    }

    @Test func aProcessorThatIsDroppedGivesBack() throws {
        let budget = try MemoryBudget(name: "session", limitBytes: 1 << 30)
        do {
            let processor = processor(budget)
            try processor.start()
            give(100)
            #expect(budget.usedBytes > 0)
        }
        #expect(budget.usedBytes == 0)
    }

    @Test func withoutRoomForAHistoryNothingIsOpened() throws {
        let budget = try MemoryBudget(name: "session", limitBytes: try historyByteCount() - 1)
        let processor = processor(budget)
        let error = #expect(throws: AudioError.self) { try processor.arm() }
        #expect(error?.code == .budgetExceeded && processor.state == .idle && budget.usedBytes == 0)
        #expect(source.openCount == 0)
    }

    /// The recording is what matters: it is handed back, and says why the capture ended.
    @Test func withoutRoomForAnotherHistoryStopStillHandsBack() throws {
        let history = try historyByteCount()
        let budget = try MemoryBudget(name: "session", limitBytes: 2 * history - 1)
        let processor = processor(budget)
        try processor.arm()
        try processor.start()
        give(100)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<100))
        guard case .failed(let error) = processor.state else {
            Issue.record("the state is \(processor.state)")
            return
        }
        #expect(error.code == .budgetExceeded)
        processor.cleanup()
        #expect(budget.usedBytes == history)
        withExtendedLifetime(recording) {}
    }
}
