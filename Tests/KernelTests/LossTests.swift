import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// What is told lost is what the frames' numbers say is lost.
    @Suite struct LossTests {
        /// A recording process is stopped ten times, for 0.3 to 3 s.
        @Test func aStoppedProcessTellsEachGapToTheFrame() throws {
            let report = URL(fileURLWithPath: "/tmp/stopped.json")
            try Data().write(to: report)
            let recorder = try KernelGuest.start(
                "env VOICE_AUDIO_CHUNK_FRAMES=480 voice-audio record --device hw:CARD=Mic --rate 48000 --channels 2"
                    + " --json --output /tmp/stopped.wav",
                output: try FileHandle(forWritingTo: report))
            usleep(1_000_000)
            for stop in 0..<10 {
                kill(recorder.processIdentifier, SIGSTOP)
                usleep(300_000 * UInt32(stop + 1))
                kill(recorder.processIdentifier, SIGCONT)
                usleep(1_000_000)
            }
            recorder.terminate()
            recorder.waitUntilExit()
            #expect(recorder.terminationStatus == 0)

            let told = try RecordedReport(json: Data(contentsOf: report))
            let numbers = FrameNumbers(try samples(ofWAV: "/tmp/stopped.wav"))
            #expect(numbers.count == told.frames)
            let gaps = numbers.gaps
            // Where each told gap lies among the frames that are there.
            var lostBefore = 0
            let toldGaps = told.losses.map { loss in
                defer { lostBefore += loss.frames }
                return (index: loss.atFrame - lostBefore, frames: loss.frames)
            }
            print("stop   at frame   lost   told   told - lost")
            for (stop, gap) in gaps.enumerated() {
                let matching = toldGaps.first { $0.index == gap.index }?.frames
                print(
                    "\(stop + 1)\t\(gap.index)\t\(gap.frames)\t\(matching.map(String.init) ?? "-")"
                        + "\t\(matching.map { String($0 - gap.frames) } ?? "-")")
            }
            #expect(gaps.count == 10)
            #expect(toldGaps.map(\.index) == gaps.map(\.index))
            #expect(toldGaps.map(\.frames) == gaps.map(\.frames))
            #expect(told.losses.allSatisfy { $0.exact && $0.cause == AudioLoss.Cause.deviceOverrun.rawValue })
            #expect(told.lostFrames == gaps.reduce(0) { $0 + $1.frames })
        }

        /// Ten minutes with nine stops: what was delivered and what was lost add up to the time that went by, and to
        /// what was played meanwhile.
        @Test func tenMinutesAddUp() async throws {
            var configuration = AudioConfiguration.microphone()
            // A millisecond of the microphone costs as much as a period here.
            configuration.device = "hw:CARD=Loopback,DEV=1"
            let rate = configuration.sampleRateHz
            let file = "/tmp/numbers.raw"
            try Data(FrameNumbers.frames(count: 620 * rate)).write(to: URL(fileURLWithPath: file))
            defer { try? FileManager.default.removeItem(atPath: file) }
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            let player = try KernelGuest.start(
                "aplay -q -D hw:CARD=Loopback,DEV=0 -t raw -f S16_LE -r \(rate) -c 2 \(file)")
            defer {
                player.terminate()
                player.waitUntilExit()
            }
            var delivered = 0
            var lost = 0
            var stops = 0
            var first: (number: Int, time: MonotonicInstant)?
            for try await chunk in chunks {
                let numbers = FrameNumbers(chunk.bytes)
                // What is played begins within a chunk.
                guard let number = numbers.first, number > 0 else { continue }
                #expect(numbers.gaps.isEmpty)
                guard let first else {
                    first = (number, chunk.captureTime)
                    delivered = chunk.frameCount
                    continue
                }
                lost += chunk.lossBefore?.frames ?? 0
                let elapsed = first.time.duration(to: chunk.captureTime)
                if elapsed >= .seconds(600) {
                    let due = Int(elapsed / .seconds(1) * Double(rate))
                    let played = number - first.number
                    print("delivered \(delivered) + lost \(lost) - elapsed \(due) =", delivered + lost - due)
                    print("delivered \(delivered) + lost \(lost) - played \(played) =", delivered + lost - played)
                    #expect(stops == 9)
                    #expect(lost > 9 * rate)
                    #expect(abs(delivered + lost - due) <= configuration.chunkFrameCount)
                    #expect(delivered + lost == played)
                    return
                }
                delivered += chunk.frameCount
                if elapsed >= .seconds(60 * (stops + 1)) {
                    stops += 1
                    try KernelGuest.stopThisProcess(seconds: 0.5 + 0.3 * Double(stops))
                }
            }
            Issue.record("the capture ended")
        }
    }
}
