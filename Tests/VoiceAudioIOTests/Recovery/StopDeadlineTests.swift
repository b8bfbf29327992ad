import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

extension ALSARealTests {
    /// A driver that does not return, within the real alsa-lib: calls end by their deadline, and one thread is left to itself.
    @Suite(.timeLimit(.minutes(5))) struct StopDeadlineTests {
        private static let fields = "formats S16_LE channels 1 rates 16000 period_frames 160 buffer_frames 240000"
        private static let deadline = Duration.milliseconds(100)

        private func withProcessor(
            fault: String, _ body: (AudioProcessor, _ letGo: () throws -> Void) throws -> Void
        ) throws {
            try withTemporaryDirectory { directory in
                let go = directory + "/go"
                let fields = "\(Self.fields) release_file \"\(go)\" faults [ \"\(fault)\" ]"
                try withNumberedMicrophone(fields) { device in
                    var configuration = AudioConfiguration()
                    configuration.device = device
                    configuration.chunkFrameCount = 160
                    configuration.stopTimeout = .seconds(60)
                    let processor = try AudioProcessor(configuration: configuration)
                    let letGo = { try Data().write(to: URL(fileURLWithPath: go)) }
                    do { try body(processor, letGo) } catch {
                        try letGo()
                        throw error
                    }
                    processor.cleanup()
                    #expect(eventually { processor.quarantinedThreadCount == 0 }, "\(fault): a thread stays behind")
                }
            }
        }

        /// Runs a call with a deadline of 100 ms, on a machine that may be busy, and tells how long it took.
        private func timed<Value>(_ fault: String, _ body: () throws -> Value) rethrows -> Value {
            let clock = ContinuousClock()
            let begin = clock.now
            defer {
                let took = begin.duration(to: clock.now)
                print("\(fault): the call with a deadline of 100 ms took \(took)")
                #expect(took < .seconds(30), "the deadline was not kept")
            }
            return try body()
        }

        @Test(arguments: ["at 4000 hang", "at 4000 hang in transfer", "at close hang"])
        func aReadOrACloseThatNeverReturns(hang: String) throws {
            try withProcessor(fault: "\(hang) for ever") { processor, letGo in
                try processor.start(deadline: .seconds(60))
                #expect(eventually { processor.statistics.framesDelivered >= 4000 })
                // One that is asked to stop before it hangs does not come to it.
                if hang != "at close hang" { #expect(eventually { processor.health == .stalled }) }
                let recording = try timed(hang) { try processor.stop(deadline: Self.deadline) }
                #expect(recording.frameCount >= 4000 - 160)
                #expect(processor.quarantinedThreadCount == 1)
                #expect(processor.memoryUsage.quarantinedThreads == 1)
                try letGo()
            }
        }

        @Test func anOpenThatNeverReturns() throws {
            try withProcessor(fault: "at open hang for ever") { processor, letGo in
                let error = #expect(throws: AudioError.self) {
                    try timed("at open hang") { try processor.arm(deadline: Self.deadline) }
                }
                #expect(error?.code == .timedOut)
                #expect(processor.state == .idle)
                #expect(processor.quarantinedThreadCount == 1)
                try letGo()
            }
        }

        /// What comes back at last cleans up after itself.
        @Test(arguments: ["at 4000 hang", "at 4000 hang in transfer", "at close hang"], [50, 500])
        func aCallThatReturnsLateLeavesNothing(hang: String, milliseconds: Int) throws {
            try withProcessor(fault: "\(hang) for \(milliseconds) ms") { processor, _ in
                try processor.start(deadline: .seconds(60))
                #expect(eventually { processor.statistics.framesDelivered >= 4000 })
                _ = try timed(hang) { try processor.stop(deadline: Self.deadline) }
            }
        }
    }
}
