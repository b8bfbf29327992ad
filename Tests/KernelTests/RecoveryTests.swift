import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// What happens to a capture is said at once, costs next to nothing while it lasts, and is over when its cause is.
    @Suite struct RecoveryTests {
        enum Trouble: CaseIterable {
            case unplugged, stalled, suspended, overrun

            /// In the line that names it.
            var word: String {
                switch self {
                case .unplugged: "reconnecting: "
                case .stalled: "stalled: "
                case .suspended, .overrun: "lost "
                }
            }

            /// How long it lasts.
            var seconds: Int {
                switch self {
                case .unplugged: 8
                case .stalled: 3
                case .suspended, .overrun: 1
                }
            }

            /// Whether it can be named only once it is over: until then nobody runs.
            var stopsTheProgram: Bool { self == .suspended || self == .overrun }

            func begin(_ recorder: RunningRecorder) throws {
                switch self {
                case .unplugged: try KernelGuest.run("sh -c 'kill $(cat /run/Mic.pid)'")
                case .stalled: try KernelGuest.run("card-stall Mic")
                case .suspended: _ = try KernelGuest.start("sound-suspend 1")
                case .overrun: kill(recorder.process.processIdentifier, SIGSTOP)
                }
            }

            func end(_ recorder: RunningRecorder) throws {
                switch self {
                case .unplugged: try KernelGuest.run("card-plug Mic")
                case .stalled: try KernelGuest.run("card-stall Mic")
                case .suspended: break
                case .overrun: kill(recorder.process.processIdentifier, SIGCONT)
                }
            }
        }

        @Test(arguments: Trouble.allCases)
        func troublesAreNamedAtOnceCostNothingAndAreRecoveredFrom(trouble: Trouble) throws {
            let recorder = try RunningRecorder()
            defer {
                if recorder.process.isRunning { recorder.process.terminate() }
                if CaptureDevices.cards().allSatisfy({ $0.id != "Mic" }) { _ = try? KernelGuest.run("card-plug Mic") }
            }
            recorder.listen(for: .seconds(1))
            var used = recorder.processorTime
            let begun = ContinuousClock.now
            var measured = begun
            let linesBefore = recorder.lines.count
            try trouble.begin(recorder)
            if !trouble.stopsTheProgram {
                // What it costs while it lasts, in a debug build, which looks for a lost card in 20 ms of this machine's: the
                // benchmark measures the beginning, too, and a release build.
                recorder.listen(for: .seconds(1))
                used = recorder.processorTime
                measured = .now
            }
            recorder.listen(for: .seconds(trouble.seconds) - begun.duration(to: .now))
            var lasted = measured.duration(to: .now)
            var cost = recorder.processorTime - used
            try trouble.end(recorder)
            let ended = ContinuousClock.now
            recorder.listen(for: .seconds(5)) { $0.text.hasPrefix("voice-audio: lost ") }
            if trouble.stopsTheProgram {
                lasted = measured.duration(to: .now)
                cost = recorder.processorTime - used
            }
            let recovered = ContinuousClock.now
            recorder.listen(for: .seconds(1))

            let said = recorder.lines[linesBefore...]
            let naming = try #require(
                said.first { $0.text.hasPrefix("voice-audio: " + trouble.word) }, "\(said.map(\.text))")
            let awake = trouble == .suspended ? try #require(recorder.awakeSince) : ended
            let nameable = trouble.stopsTheProgram ? awake : begun
            let named = nameable.duration(to: naming.time)
            let share = cost / lasted
            #expect(named < .milliseconds(200))
            #expect(share < 0.02)
            #expect(ended.duration(to: recovered) < .seconds(1))
            if !trouble.stopsTheProgram { #expect(said.contains { $0.text == "voice-audio: flowing again" }) }

            let (report, numbers) = try recorder.finish()
            let gaps = numbers.gaps
            let missing = gaps.reduce(0) { $0 + $1.frames }
            print(
                "\(trouble): named after \(named), \(share * 100) % of a processor, frames again after",
                "\(ended.duration(to: recovered)), missing \(missing), told \(report.lostFrames):", said.map(\.text))
            #expect(gaps.count == 1)
            #expect(missing > RunningRecorder.rate / 2)
            // Estimated within 20 ms, counted to the frame.
            #expect(abs(report.lostFrames - missing) <= (trouble == .overrun ? 0 : RunningRecorder.rate / 50))
            // And it goes on for as long as it was listened to.
            #expect(numbers.count - gaps[0].index > RunningRecorder.rate * 9 / 10)
        }
    }
}
