import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// Sessions begin within limits, and end once.
@Suite(.timeLimit(.minutes(5))) struct SessionTests {
    private let source = ScriptedSource()

    @Test func aSessionRecordsAtOnceAndHandsBack() throws {
        let registry = SessionRegistry.scripted()
        let call = try registry.begin("call-17", source: source, metadata: ["caller": "alice"])
        #expect(call.source === source && call.processor.state == .recording)
        #expect(source.give(250))
        #expect(registry.session(named: "call-17").map { AnyHashable($0.name) } == AnyHashable("call-17"))
        #expect(registry.sessions.map(\.name) == ["call-17"] && registry.count == 1)
        let ended = try call.end(deadline: .seconds(60))
        #expect(ended.recording?.numbers == Array(0..<250))
        #expect(ended.report.frameCount == 250 && ended.report.reason == .asked && ended.leftToItself.isEmpty)
        #expect(ended.metadata == ["caller": "alice"] && call.metadata.isEmpty)
        #expect(registry.count == 0 && registry.session(named: "call-17") == nil)
        #expect(registry.report.begunCount == 1 && registry.report.endedCount == 1 && source.closeCount == 1)
    }

    @Test func aSecondEndIsToldSo() throws {
        let registry = SessionRegistry.scripted()
        let call = try registry.begin("call", source: source)
        try registry.end("call")
        #expect(#expect(throws: AudioError.self) { try call.end() }?.code == .invalidState)
        #expect(#expect(throws: AudioError.self) { try registry.end("call") }?.code == .noSuchSession)
        #expect(#expect(throws: AudioError.self) { try call.append(1, to: "numbers") }?.code == .invalidState)
        #expect(#expect(throws: AudioError.self) { try call.attach(1, named: "one") }?.code == .invalidState)
        #expect(#expect(throws: AudioError.self) { try call.setMetadata("a", to: "b") }?.code == .invalidState)
        #expect(registry.report.endedCount == 1 && call.report.phase == .ended)
    }

    @Test func ofManyWhoEndOneSessionOneDoes() throws {
        let registry = SessionRegistry.scripted()
        for round in 0..<20 {
            let call = try registry.begin("call \(round)", source: ScriptedSource())
            let closed = Events()
            try call.attach(round, named: "part") { _ in closed.add("part") }
            let threads = try (0..<4).map { _ in
                try ThreadResult { () -> Bool in
                    do throws(AudioError) {
                        return try call.end(deadline: .seconds(60)).recording != nil
                    } catch {
                        #expect(error.code == .invalidState)
                        return false
                    }
                }
            }
            #expect(try threads.map { try $0.value() }.count { $0 } == 1)
            #expect(closed.all == ["part"])
        }
        #expect(registry.report.endedCount == 20)
    }

    @Test func asManyAsMayBe() throws {
        let log = SessionLog()
        let registry = SessionRegistry.scripted(sessions: 2, clock: ManualClock(), log: log)
        let first = try registry.begin("first", source: ScriptedSource())
        try registry.begin("second", source: ScriptedSource()).touch()
        let duplicate = #expect(throws: AudioError.self) { _ = try registry.begin("first", source: source) }
        #expect(duplicate?.code == .invalidState && duplicate?.message.contains("\"first\"") == true)
        let refusal = #expect(throws: AudioError.self) { _ = try registry.begin("third", source: source) }
        #expect(refusal?.code == .limitReached && refusal?.message.contains("there are 2, accepted are 2") == true)
        #expect(source.openCount == 0 && registry.report.refusedCount == 2)
        // A line a second at most.
        #expect(log.lines("session refused").count == 1)
        try first.end()
        try registry.begin("third", source: source).end()
        #expect(registry.count == 1)
    }

    @Test func asMuchAsTheyMayHave() throws {
        let host = try MemoryBudget(name: "process", limitBytes: 1 << 20)
        let registry = SessionRegistry.scripted(sessions: 8, memory: .kibibytes(512), budget: host)
        let big = try registry.begin("big", source: ScriptedSource(), memory: .kibibytes(400))
        let next = try registry.begin("next", source: ScriptedSource())
        #expect(next.budget.limitBytes == 64 << 10 && registry.report.sharedOutBytes == 464 << 10)
        let refusal = #expect(throws: AudioError.self) { _ = try registry.begin("third", source: source) }
        #expect(refusal?.code == .budgetExceeded)
        #expect(refusal?.message.contains("475136 of 524288 are set apart for 2 sessions") == true, "\(refusal!)")
        #expect(source.openCount == 0)
        // To the byte: the rings.
        let rings = [big.processor.memoryUsage, next.processor.memoryUsage].map(\.allocatedBytes)
        #expect(host.usedBytes == rings[0] + rings[1] && rings[1] <= 64 << 10)
        try big.end()
        try registry.begin("third", source: source).end()
        try next.end()
        #expect(host.usedBytes == 0 && registry.report.sharedOutBytes == 0)
    }

    @Test(arguments: [
        MemorySize.bytes(64 << 10), .kibibytes(16), .kibibytes(24), .bytes(100_000), .mebibytes(1), .bytes(50_001),
    ]) func theRingFitsTheMemory(_ memory: MemorySize) throws {
        let registry = SessionRegistry.scripted(memory: .mebibytes(64))
        let call = try registry.begin("call", source: source, memory: memory)
        let usage = call.processor.memoryUsage
        let room = memory.byteCount - memory.byteCount / 8
        #expect(usage.allocatedBytes <= room && usage.allocatedBytes == call.budget.usedBytes)
        let hasShrunk = usage.maxBufferSize < 300
        #expect((call.ringNote != nil) == hasShrunk && call.report.ringNote == call.ringNote)
        // One chunk more would be too much, or the ring is as it was asked for.
        let more = BoundedAudioBuffer.allocatedBytes(
            maxChunks: usage.maxBufferSize + 1, maxBytes: .max, maxChunkBytes: 400)
        #expect(hasShrunk ? more > room : usage.maxBufferSize == 300)
        #expect(source.give(100 * (usage.maxBufferSize + 5)))
        let recording = try #require(try call.end().recording)
        #expect(recording.isTruncated && recording.frameCount <= 100 * usage.maxBufferSize)
        #expect(recording.frameCount >= 100 * (usage.maxBufferSize - 1))
    }

    @Test func withoutRoomForASingleChunkItIsRefused() throws {
        let registry = SessionRegistry.scripted()
        let error = #expect(throws: AudioError.self) {
            _ = try registry.begin("call", source: source, memory: .bytes(8192))
        }
        #expect(error?.code == .budgetExceeded && error?.message.contains("7168 for its ring") == true)
        #expect(registry.count == 0 && registry.report.usedBytes == 0)
    }

    @Test func theSizeOfARingIsKnownBefore() throws {
        for (chunks, bytes, chunkBytes) in [
            (1, 4096, 400), (300, 100 << 20, 3200), (64, 4096, 4096), (65, 10_000, 320),
        ] {
            let buffer = try BoundedAudioBuffer(maxChunks: chunks, maxBytes: bytes, maxChunkBytes: chunkBytes)
            #expect(
                buffer.allocatedBytes
                    == BoundedAudioBuffer.allocatedBytes(
                        maxChunks: chunks, maxBytes: bytes, maxChunkBytes: chunkBytes))
        }
    }

    @Test func aBeginThatFailsLeavesNothing() throws {
        let registry = SessionRegistry.scripted(sessions: 1)
        source.failToOpen(with: AudioError(.busy, "the line is busy"))
        let error = #expect(throws: AudioError.self) { _ = try registry.begin("call", source: source) }
        #expect(error?.code == .busy && registry.count == 0)
        let report = registry.report
        #expect(report.usedBytes == 0 && report.sharedOutBytes == 0 && report.begunCount == 0)
        #expect(report.refusedCount == 1 && report.endedCount == 0)
        let tooMuch = ["key": String(repeating: "x", count: 9 << 20)]
        let tooBig = #expect(throws: AudioError.self) {
            _ = try registry.begin("call", source: source, metadata: tooMuch)
        }
        #expect(tooBig?.code == .budgetExceeded && registry.report.usedBytes == 0)
        source.failToOpen(with: nil)
        try registry.begin("call", source: source).end()
    }

    /// The thread that hangs keeps its ring, which counts for as long.
    @Test func aBeginThatHangsLeavesOnlyItsThread() throws {
        let registry = SessionRegistry.scripted(sessions: 1)
        source.hang(in: .open)
        let error = #expect(throws: AudioError.self) {
            _ = try registry.begin("call", source: source, deadline: .milliseconds(20))
        }
        #expect(error?.code == .timedOut && registry.count == 0 && registry.report.sharedOutBytes == 0)
        #expect(registry.report.quarantinedThreads == 1 && registry.report.usedBytes > 0)
        source.letGo()
        #expect(eventually { registry.report.quarantinedThreads == 0 && registry.report.usedBytes == 0 })
        #expect(source.openCount == source.closeCount)
    }

    @Test func settingsThatAreNotAcceptedAreToldAtTheFirstBegin() {
        let settings = [
            SessionRegistry(limits: .init(sessions: 0)), SessionRegistry(limits: .init(sessions: 100_001)),
            SessionRegistry(limits: .init(memory: .bytes(0))), SessionRegistry(expectedDuration: .zero),
            SessionRegistry(limits: .init(memory: .mebibytes(.max))), SessionRegistry(idleTimeout: .zero),
        ]
        for registry in settings {
            let error = #expect(throws: AudioError.self) { _ = try registry.begin("call", source: source) }
            #expect(error?.code == .invalidConfiguration)
            #expect(registry.endAll().sessions.isEmpty && registry.report.sessions.isEmpty)
        }
        let registry = SessionRegistry.scripted()
        for name in ["", String(repeating: "x", count: 257)] {
            #expect(throws: AudioError.self) { _ = try registry.begin(name, source: source) }
        }
        #expect(source.openCount == 0)
    }

    @Test func droppingAHandleChangesNothing() throws {
        let registry = SessionRegistry.scripted()
        do { _ = try registry.begin("call", source: source) }
        #expect(source.give(100))
        #expect(try registry.end("call").recording?.numbers.count == 100)
    }

    @Test func droppingTheRegistryEndsAll() throws {
        let (ended, closed) = (EndedSessions(), Events())
        var registry: SessionRegistry? = .scripted(onEnd: ended.add)
        let call = try #require(try registry?.begin("call", source: source))
        try call.attach(1, named: "part") { _ in closed.add("part") }
        #expect(source.give(100))
        registry = nil
        #expect(ended.all.map(\.report.reason) == [.registryGone] && ended.all[0].recording?.frameCount == 100)
        #expect(closed.all == ["part"] && source.closeCount == 1 && call.report.phase == .ended)
        #expect(eventually { call.processor.state == .idle })
    }

    @Test func aSessionCanBeginWithoutRecording() throws {
        let registry = SessionRegistry.scripted()
        let call = try registry.begin("call", source: source, startsRecording: false)
        #expect(call.processor.state == .idle && source.openCount == 0)
        #expect(try call.end().recording == nil)
        let other = try registry.begin("call", source: source)
        #expect(source.give(100))
        let recording = try other.processor.stop()
        let ended = try other.end()
        #expect(ended.recording == nil && ended.report.failure == nil && recording.frameCount == 100)
    }

    @Test func aCaptureThatFailedIsTold() throws {
        let registry = SessionRegistry.scripted()
        let call = try registry.begin("call", source: source)
        source.push(.frames(150), .fail(AudioError(.deviceLost, "the line is dead")))
        #expect(source.waitUntilClosed())
        let ended = try call.end()
        #expect(ended.recording?.frameCount == 150 && ended.report.failure?.contains("the line is dead") == true)
    }

    @Test func systemReportsTellOfSessions() throws {
        let reporter = SystemReporter()
        do {
            let registry = SessionRegistry.scripted()
            reporter.add(registry)
            let call = try registry.begin("call", source: source, metadata: ["caller": "alice"])
            try call.append("hello", to: "words")
            let report = reporter.report().registries
            #expect(report.map(\.name) == ["sessions"] && report[0].sessions.map(\.name) == ["call"])
            let session = try #require(report.first?.sessions.first)
            #expect(session.state == "recording" && session.phase == .active && session.metadataCount == 1)
            #expect(session.valueCount == 1 && session.usedBytes == call.budget.usedBytes)
            #expect(session.partBytes == 7 + 64 + 5 + 64)
        }
        #expect(reporter.report().registries.isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func asyncForms() async throws {
        let registry = SessionRegistry.scripted()
        let call = try await registry.begin("call", source: source)
        source.push(.frames(100), .end)
        let ended = try await call.end(deadline: .seconds(60))
        #expect(ended.recording != nil)
        _ = try await registry.begin("other", source: ScriptedSource())
        #expect(await registry.endAll(deadline: .seconds(60)).allEnded && registry.count == 0)
    }
}
