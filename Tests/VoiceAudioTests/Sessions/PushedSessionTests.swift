import Foundation
import Synchronization
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// Sessions whose frames are pushed: as any other, without a thread.
@Suite(.timeLimit(.minutes(5))) struct PushedSessionTests {
    /// 20 ms of PCMU.
    private static let packet = [UInt8](repeating: 0x55, count: 160)

    /// Pushes packets until it is told to end, whether they are taken or not.
    private final class Caller: Sendable {
        let source = PushSource(format: .g711uLaw8k)
        private let isOver = Atomic<Bool>(false)
        private let packetCount = Atomic<Int>(0)

        /// Frames that were captured, once nothing is pushed any more.
        var takenFrames: Int { packetCount.load(ordering: .relaxed) * 160 - source.refusedFrameCount }

        func speak() {
            while !isOver.load(ordering: .acquiring) {
                source.push(PushedSessionTests.packet)
                packetCount.wrappingAdd(1, ordering: .relaxed)
            }
        }

        func hangUp() { isOver.store(true, ordering: .releasing) }
    }

    @Test func theDefaultConfigurationTakesTheFormatOfTheCall() throws {
        let registry = SessionRegistry()
        let source = PushSource(format: .g711uLaw8k)
        let call = try registry.begin("call-17", source: source)
        #expect(call.processor.configuration.format == source.nativeFormat)
        #expect(call.ringNote == nil && call.report.limitBytes == 1 << 20)
        for _ in 0..<50 { #expect(source.push(Self.packet) == .taken) }
        #expect(call.report.framesDelivered == 8000)
        let recording = try #require(try call.end().recording)
        #expect(recording.frameCount == 8000 && recording.losses.isEmpty && recording.format.sampleRateHz == 8000)
        #expect(source.push(Self.packet) == .refused(.notCapturing) && registry.count == 0)
    }

    /// The same seconds of a call take less than those of a microphone.
    @Test func memoryIsSetApartAndGivenBack() throws {
        let registry = SessionRegistry(limits: .init(sessions: 4, memory: .kibibytes(256)))
        let sources = (0..<4).map { _ in PushSource(format: .g711aLaw8k) }
        for (number, source) in sources.enumerated() {
            let call = try registry.begin("call \(number)", source: source)
            let usage = call.processor.memoryUsage
            #expect(usage.allocatedBytes == call.budget.usedBytes && call.budget.usedBytes <= 56 << 10)
            #expect(call.ringNote != nil)
            for _ in 0..<1000 { #expect(source.push(Self.packet) == .taken) }
            #expect(call.budget.usedBytes == usage.allocatedBytes)
        }
        #expect(registry.report.sharedOutBytes == 256 << 10 && registry.report.usedBytes <= 224 << 10)
        let busy = PushSource(format: .g711aLaw8k)
        #expect(#expect(throws: AudioError.self) { _ = try registry.begin("5", source: busy) }?.code == .limitReached)
        let report = registry.endAll(deadline: .seconds(60))
        #expect(report.allEnded && report.sessions.allSatisfy { $0.frameCount < 160_000 && $0.frameCount > 8000 })
        #expect(registry.report.sharedOutBytes == 0 && registry.report.usedBytes == 0)
    }

    @Test func aSourceIsOneSessionsAtATime() throws {
        let registry = SessionRegistry()
        let source = PushSource(format: .g711uLaw8k)
        let call = try registry.begin("call", source: source)
        #expect(#expect(throws: AudioError.self) { _ = try registry.begin("other", source: source) }?.code == .busy)
        #expect(registry.sessions.map(\.name) == ["call"] && source.push(Self.packet) == .taken)
        #expect(try call.end().recording?.frameCount == 160)
        #expect(registry.report.usedBytes == 0)
        try registry.begin("other", source: source).end()
    }

    @Test func pushedFramesKeepASession() throws {
        let (clock, ended) = (ManualClock(), EndedSessions())
        let registry = SessionRegistry(clock: clock, onEnd: ended.add)
        let source = PushSource(format: .g711uLaw8k)
        let call = try registry.begin("call", source: source)
        for _ in 0..<5 {
            clock.advance(by: .seconds(150))
            #expect(source.push(Self.packet) == .taken)
            #expect(registry.expireSessions().sessions.isEmpty && call.report.idleSeconds == 0)
        }
        clock.advance(by: .seconds(299))
        #expect(registry.expireSessions().sessions.isEmpty && call.report.idleSeconds == 299)
        // What is said to be missing is no sign of life.
        source.noteLoss(frameCount: 160)
        clock.advance(by: .seconds(1))
        #expect(eventually { ended.all.count == 1 && registry.count == 0 })
        #expect(ended.all[0].report.reason == .idle && ended.all[0].recording?.frameCount == 800)
        #expect(source.push(Self.packet) == .refused(.notCapturing))
    }

    /// Under a policy that blocks, the one who pushes waits for room by then, and the end is not kept waiting.
    @Test(arguments: [OverflowPolicy.Rule.dropOldest, .block(.seconds(60))])
    func endsWhileFramesArePushed(_ rule: OverflowPolicy.Rule) throws {
        var configuration = AudioConfiguration()
        configuration.overflow = .uniform(rule)
        configuration.maxChunks = 5
        let registry = SessionRegistry(configuration: configuration)
        for _ in 0..<20 {
            let caller = Caller()
            let call = try registry.begin("call", source: caller.source)
            let thread = try ThreadResult { caller.speak() }
            let chunkFrames = call.processor.configuration.chunkFrameCount
            #expect(eventually { call.report.framesDelivered >= 6 * chunkFrames })
            let ended = try call.end(deadline: .seconds(60))
            #expect(caller.source.push(Self.packet) == .refused(.notCapturing))
            caller.hangUp()
            try thread.value()
            let recording = try #require(ended.recording)
            #expect(recording.failure == nil && ended.leftToItself.isEmpty && registry.count == 0)
            let frames = recording.frameCount + recording.losses.totalFrames
            // One packet more was refused above.
            #expect(caller.takenFrames + 160 == frames)
        }
        #expect(registry.report.usedBytes == 0)
    }

    @Test func allEndWhileFramesArePushed() throws {
        let ended = EndedSessions()
        let registry = SessionRegistry(limits: .init(sessions: 16), onEnd: ended.add)
        for _ in 0..<5 {
            let callers = (0..<16).map { _ in Caller() }
            for (number, caller) in callers.enumerated() {
                _ = try registry.begin("call \(number)", source: caller.source)
            }
            let threads = try callers.map { caller in try ThreadResult { caller.speak() } }
            #expect(eventually { registry.report.sessions.allSatisfy { $0.framesDelivered > 0 } })
            let report = registry.endAll(deadline: .seconds(60))
            for caller in callers { caller.hangUp() }
            for thread in threads { try thread.value() }
            #expect(report.allEnded && report.sessions.count == 16 && registry.count == 0)
            for (number, caller) in callers.enumerated() {
                let recording = try #require(ended.all.first { $0.name == "call \(number)" }?.recording)
                #expect(caller.takenFrames == recording.frameCount + recording.losses.totalFrames)
            }
            #expect(ended.all.count == 16)
            ended.forget()
            #expect(registry.report.usedBytes == 0)
        }
        #expect(registry.report.begunCount == 80 && registry.report.endedCount == 80)
    }

    /// Whoever ends the session finishes the file, also while somebody else writes to it.
    @Test func aFileThatIsAttachedIsFinishedWithTheSession() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("pushed-session-\(UUID()).wav").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let registry = SessionRegistry()
        for _ in 0..<10 {
            let source = PushSource(format: .g711uLaw8k)
            let call = try registry.begin("call", source: source)
            let writer = try RecordingWriter(
                path: path, format: call.processor.configuration.format, minimumFreeBytes: 0)
            try call.attach(writer, named: "file") { try $0.finish() }
            let writing = try ThreadResult { () -> AudioError.Code in
                let bytes = [UInt8](repeating: 1, count: 320)
                while true {
                    // SAFETY: plain bytes.
                    do throws(AudioError) { try writer.append(unsafe bytes.span.bytes) } catch { return error.code }
                }
            }
            #expect(eventually { writer.frameCount > 1600 })
            #expect(try call.end(deadline: .seconds(60)).leftToItself.isEmpty)
            #expect(try writing.value() == .invalidState)
            #expect(try SoundFileReader(path: path).frameCount == writer.frameCount)
        }
    }
}
