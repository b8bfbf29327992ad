import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// What a processor gives up when memory is short, and what never.
@Suite(.timeLimit(.minutes(5))) struct ProcessorCleanupTests {
    let source = ScriptedSource()
    let processor: AudioProcessor

    init() { processor = AudioProcessor(source: source, configuration: .scripted()) }

    private func give(_ frames: Int) {
        source.push(.frames(frames))
        #expect(source.waitUntilTaken())
    }

    @Test func trimmingLosesNothing() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        give(1000)
        _ = processor.freeMemory(.trim)
        try processor.start(preRoll: .seconds(1))
        give(1000)
        _ = processor.freeMemory(.trim)
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<2000) && recording.losses.isEmpty)
        let first = try #require(try listener.next(timeout: .seconds(60)))
        #expect(first.numbers == Array(0..<100) && first.lossBefore == nil)
        processor.cleanup()
    }

    @Test func shrinkingKeepsTheNewestHalfOfAnIdleHistory() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        give(1100)
        _ = processor.freeMemory(.shrink)
        #expect(processor.memoryUsage.bufferSize == 6 && processor.memoryUsage.drops.cleanedUp.chunks == 5)
        try processor.start(preRoll: .seconds(10))
        give(50)
        #expect(try processor.stop().numbers == Array(500..<1150))
        // Subscribers keep what waits for them.
        #expect(try listener.next(timeout: .seconds(60))?.numbers == Array(0..<100))
        processor.cleanup()
    }

    @Test func anEmergencyTakesTheIdleHistoryAndWhatWaitsForSubscribers() throws {
        let listener = try processor.subscribe()
        try processor.arm()
        give(5000)
        let before = processor.memoryUsage.residentBytes
        let freed = processor.freeMemory(.emergency)
        let usage = processor.memoryUsage
        #expect(usage.bufferSize == 0 && usage.drops.cleanedUp.frames == 5000)
        // The listener's ring gave some back, too.
        #expect(before > usage.residentBytes && freed >= before - usage.residentBytes)
        #expect(processor.state == .ready)
        give(100)
        let chunk = try #require(try listener.next(timeout: .seconds(60)))
        #expect(chunk.numbers == Array(5000..<5100))
        #expect(chunk.lossBefore == AudioLoss(frames: 5000, cause: .cleanedUp))
        processor.cleanup()
    }

    enum Holding: CaseIterable { case recording, paused, failed }

    @Test(arguments: Holding.allCases, [MemoryCleanupStage.shrink, .emergency])
    func aRecordingIsNeverThrownAway(holding: Holding, stage: MemoryCleanupStage) throws {
        let listener = try processor.subscribe()
        try processor.start()
        give(1000)
        switch holding {
        case .recording: break
        case .paused: try processor.pause()
        case .failed:
            source.push(.fail(AudioError(.deviceLost, "gone")))
            #expect(eventually { if case .failed = processor.state { true } else { false } })
        }
        _ = processor.freeMemory(stage)
        #expect(try listener.next(timeout: .seconds(60))?.numbers == Array(0..<100))
        let recording = try processor.stop()
        #expect(recording.numbers == Array(0..<1000) && recording.losses.isEmpty)
        processor.cleanup()
    }

    @Test func withoutAHistoryThereIsNothingToGive() throws {
        for stage in MemoryCleanupStage.allCases { #expect(processor.freeMemory(stage) == 0) }
        #expect(processor.cleanupName == "AudioProcessor \"scripted\"")
    }

    @Test func itJoinsTheMonitorThatItIsGiven() {
        let monitor = MemoryPressureMonitor(clock: ManualClock())
        var other: AudioProcessor? = AudioProcessor(source: source, configuration: .scripted(), monitor: monitor)
        #expect(other?.state == .idle)
        let report = monitor.cleanUp(.trim)
        #expect(report.calls.map(\.handler) == ["AudioProcessor \"scripted\""])
        #expect(report.calls.map(\.outcome) == [.freed])
        other = nil
        #expect(monitor.cleanUp(.trim).calls.isEmpty)
    }
}
