import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore

/// What belongs to a session is bounded, and goes with it.
@Suite(.timeLimit(.minutes(5))) struct SessionPartsTests {
    private struct Failure: Error {}

    private let registry = SessionRegistry.scripted()

    private func begin(memory: MemorySize? = nil) throws -> AudioSession<ScriptedSource> {
        try registry.begin("call", source: ScriptedSource(), memory: memory)
    }

    @Test func valuesAreCountedAndHandedBack() throws {
        let call = try begin()
        let ring = call.budget.usedBytes
        try call.append([UInt8](repeating: 1, count: 1000), to: "bytes")
        #expect(call.budget.report.purposes["values"] == 1000 + 64 + 5 + 64)
        try call.append("one", to: "words")
        try call.append("two", to: "words")
        #expect(try call.values(String.self, in: "words") == ["one", "two"])
        #expect(#expect(throws: AudioError.self) { _ = try call.values(Int.self, in: "words") }?.code == .damagedResult)
        #expect(
            #expect(throws: AudioError.self) { try call.append(Unencodable(), to: "x") }?.code == .resultNotEncodable)
        let valueBytes = call.budget.usedBytes - ring
        var ended: EndedSession? = try call.end()
        ended?.recording = nil
        #expect(try ended?.values(String.self, in: "words") == ["one", "two"])
        #expect(try ended?.values([UInt8].self, in: "bytes").map(\.count) == [1000])
        #expect(try ended?.values(String.self, in: "none") == [])
        #expect(call.budget.usedBytes == valueBytes)
        ended = nil
        #expect(call.budget.usedBytes == 0 && registry.report.usedBytes == 0)
    }

    @Test func partsHaveNoMoreRoomThanTheSession() throws {
        let call = try begin(memory: .kibibytes(64))
        let left = call.budget.availableBytes
        #expect(left >= 8 << 10)
        let bytes = [UInt8](repeating: 1, count: 100)
        var count = 0
        while (try? call.append(bytes, to: "bytes")) != nil { count += 1 }
        #expect(count == (left - 5 - 64) / 164)
        #expect(try call.values([UInt8].self, in: "bytes").count == count)
        for refused in [
            #expect(throws: AudioError.self) { try call.append(bytes, to: "bytes") },
            #expect(throws: AudioError.self) { try call.attach(1, named: "one", byteCount: 4096) },
            #expect(throws: AudioError.self) { try call.attach(1, named: "one", byteCount: .max) },
            #expect(throws: AudioError.self) { try call.setMetadata("k", to: String(repeating: "v", count: 4096)) },
        ] { #expect(refused?.code == .budgetExceeded) }
        #expect(call.metadata.isEmpty && call.attachment(Int.self, named: "one") == nil)
        #expect(call.budget.usedBytes <= 64 << 10)
        try call.end()
        #expect(call.budget.usedBytes == 0)
    }

    /// Without sizes of their own, too.
    @Test func thereIsNoEndlessNumberOfAttachments() throws {
        let call = try begin(memory: .kibibytes(24))
        let closed = Events()
        var count = 0
        while (try? call.attach(count, named: "\(count)", close: { closed.add("\($0)") })) != nil { count += 1 }
        #expect((1..<400).contains(count))
        try call.end()
        #expect(closed.all == (0..<count).reversed().map { "\($0)" })
    }

    @Test func attachmentsAreClosedInReverseWhateverFails() throws {
        let log = SessionLog()
        let registry = SessionRegistry.scripted(log: log)
        let call = try registry.begin("call", source: ScriptedSource())
        let closed = Events()
        try call.attach("a", named: "first", byteCount: 1000) { closed.add($0) }
        try call.attach("b", named: "second") {
            closed.add($0)
            throw Failure()
        }
        try call.attach("c", named: "third")
        try call.attach("d", named: "fourth") { closed.add($0) }
        #expect(call.attachment(String.self, named: "third") == "c" && call.attachment(Int.self, named: "third") == nil)
        let error = #expect(throws: AudioError.self) { try call.attach("e", named: "first") { closed.add($0) } }
        #expect(error?.code == .invalidState)
        #expect(throws: AudioError.self) { try call.attach("e", named: "fifth", byteCount: -1) }
        #expect(call.budget.report.purposes["attachments"] == 1000 + 4 * 64 + 22)
        let ended = try call.end(deadline: .seconds(60))
        #expect(closed.all == ["d", "b", "a"] && ended.leftToItself.isEmpty)
        #expect(log.lines("an attachment of a session failed to close").map { $0["attachment"] } == ["second"])
        #expect(call.attachment(String.self, named: "third") == nil)
    }

    @Test func whatWasAttachedIsLetGo() throws {
        final class Thing: Sendable {}
        let call = try begin()
        var thing: Thing? = Thing()
        let reference = WeakReference(try #require(thing))
        try call.attach(try #require(thing), named: "thing") { _ in }
        thing = nil
        #expect(reference.object != nil)
        try call.end(deadline: .seconds(60))
        #expect(eventually { reference.object == nil })
    }

    /// The recording is there by the deadline; the session keeps its name and its place until all is closed.
    @Test func anAttachmentThatDoesNotCloseHoldsUpNobody() throws {
        let latch = try Latch()
        let source = ScriptedSource()
        let clock = ManualClock()
        let registry = SessionRegistry.scripted(clock: clock)
        let call = try registry.begin("call", source: source)
        let closed = Events()
        try call.attach(1, named: "first") { _ in closed.add("first") }
        try call.attach(2, named: "second") { _ in
            latch.wait()
            closed.add("second")
        }
        #expect(source.give(100))
        let ending = try ThreadResult { try call.end(deadline: .milliseconds(300)) }
        #expect(latch.waitUntilAwaited())
        clock.advance(by: .milliseconds(300))
        let ended = try ending.value()
        #expect(ended.recording?.frameCount == 100 && ended.leftToItself == [.closing])
        #expect(registry.count == 1 && call.report.phase == .ending && closed.all.isEmpty)
        #expect(#expect(throws: AudioError.self) { try registry.end("call") }?.code == .invalidState)
        latch.open()
        #expect(eventually { registry.count == 0 && call.report.phase == .ended })
        #expect(closed.all == ["second", "first"])
    }

    @Test func metadataIsCounted() throws {
        let call = try begin()
        try call.setMetadata("caller", to: "alice")
        #expect(call.budget.report.purposes["metadata"] == 64 + 11)
        try call.setMetadata("caller", to: nil)
        #expect(call.metadata == [:] && call.budget.report.purposes["metadata"] == nil)
        try call.end()
    }

    @Test func whatWasFreedIsTold() throws {
        let call = try registry.begin(
            "call", source: ScriptedSource(), metadata: ["key": "value"], startsRecording: false)
        try call.attach(1, named: "part", byteCount: 1000)
        #expect(call.budget.usedBytes == 8 + 64 + 1000 + 4 + 64)
        #expect(try call.end(deadline: .seconds(60)).report.freedBytes == 1140 && call.budget.usedBytes == 0)
    }

    private struct Unencodable: Codable, Sendable {
        init() {}
        init(from decoder: any Decoder) throws { throw Failure() }
        func encode(to encoder: any Encoder) throws { throw Failure() }
    }
}
