import Foundation
import TestSupport
import Testing
import VoiceAudio

extension KernelTests {
    /// Cards go and come back while one processor captures from them.
    @Suite struct ReturnTests {
        /// A capture, and what is known of its stream.
        private final class Follower {
            let processor: AudioProcessor
            private let chunks: AudioSubscription
            private let health: HealthWatch
            private let format: AudioFormat
            private let isNumbered: Bool
            /// Where the next chunk has to begin.
            private var position: Int?
            private var newest: AudioChunk?
            private(set) var gaps = 0

            init(device: String, isNumbered: Bool) throws {
                self.isNumbered = isNumbered
                var configuration = AudioConfiguration.microphone(rate: 48_000, chunkFrames: 2400)
                configuration.device = device
                // Full after five rounds: more would be growth.
                configuration.maxChunks = 20
                format = configuration.format
                processor = try AudioProcessor(configuration: configuration)
                chunks = try processor.subscribe(chunks: 20, overflow: .uniform(.dropOldest))
                health = try processor.watchHealth()
                try processor.arm()
            }

            /// Takes chunks, each of which has to follow the one before, until `isEnough`.
            func follow(until isEnough: (AudioChunk) -> Bool) throws {
                while let chunk = try chunks.next(timeout: .seconds(10)) {
                    if let position { #expect(chunk.framePosition == position + (chunk.lossBefore?.frames ?? 0)) }
                    if let loss = chunk.lossBefore {
                        #expect(loss.cause == .deviceGap && !loss.isExact)
                        gaps += 1
                        try newest.map { try check(loss, between: $0, and: chunk) }
                    }
                    position = chunk.framePosition + chunk.frameCount
                    newest = chunk
                    if isEnough(chunk) { return }
                }
                throw KernelGuest.Failure(description: "the capture ended: \(String(describing: processor.state))")
            }

            /// What was told missing, by the stamps and, of the microphone, by the numbers of the frames: within 10 ms.
            private func check(_ loss: AudioLoss, between last: AudioChunk, and next: AudioChunk) throws {
                let end = last.captureTime.advanced(by: format.duration(ofFrames: last.frameCount))
                let byStamps = Int((end.duration(to: next.captureTime) / .seconds(1) * 48_000).rounded())
                #expect(abs(loss.frames - byStamps) <= 480)
                guard isNumbered else { return }
                let before = try #require(FrameNumbers(last.bytes).last)
                let byNumbers = try #require(FrameNumbers(next.bytes).first) - before - 1
                #expect(abs(loss.frames - byNumbers) <= 480)
            }

            /// Takes the card away, and waits until the capture knows.
            func lose(_ card: String) throws {
                try KernelGuest.run("card-unplug \(card)")
                try wait(for: .reconnecting)
            }

            private func wait(for wanted: CaptureHealth) throws {
                while let status = try health.next(timeout: .seconds(10)) {
                    if status.health == wanted { return }
                }
                throw KernelGuest.Failure(description: "the capture ended: \(String(describing: processor.state))")
            }

            /// Follows until the gap was told, and three whole chunks after it.
            func regain() throws {
                let before = gaps
                try wait(for: .flowing)
                try follow { _ in gaps > before }
                var count = 0
                try follow { _ in
                    count += 1
                    return count == 3
                }
            }

        }

        @Test(arguments: ["Mic", "HDA", "Loopback,DEV=1", "Dummy"])
        func aCardComesBackTwentyTimes(name: String) throws {
            let card = String(name.prefix { $0 != "," })
            let follower = try Follower(device: "hw:CARD=\(name)", isNumbered: card == "Mic")
            defer {
                follower.processor.cleanup()
                if CaptureDevices.cards().allSatisfy({ $0.id != card }) {
                    _ = try? KernelGuest.run("card-plug \(card)")
                }
            }
            try follower.follow { $0.sequenceNumber == 5 }
            var levels: (descriptors: Int, threads: Int, bytes: Int)?
            for round in 1...20 {
                try follower.lose(card)
                try KernelGuest.run("card-plug \(card)")
                try follower.regain()
                if round == 10 {
                    levels = (ProcessCounts.descriptors, ProcessCounts.threads(), ProcessCounts.residentBytes)
                }
            }
            let before = try #require(levels)
            let growth = ProcessCounts.residentBytes - before.bytes
            print("\(card): \(follower.gaps) gaps, \(growth / 1024) KiB more resident")
            #expect(follower.processor.statistics.reopenings == 20)
            #expect(follower.gaps == 20)
            #expect(ProcessCounts.descriptors == before.descriptors)
            #expect(ProcessCounts.threads() <= before.threads)
            #expect(growth < 1 << 20)
        }

        /// `hw:4` is the microphone that it meant at first, also when it is card 5 and another one is card 4.
        @Test func aCardIsFoundAgainThoughItsNumberIsAnothers() throws {
            let follower = try Follower(device: "hw:4", isNumbered: true)
            defer {
                follower.processor.cleanup()
                _ = try? KernelGuest.run("card-unplug Mic24")
                _ = try? KernelGuest.run("usb-card-numbers 3 4 5")
            }
            try follower.follow { $0.sequenceNumber == 5 }
            try follower.lose("Mic")
            try KernelGuest.run("usb-card-numbers 3 5 4")
            try KernelGuest.run("card-plug Mic24")
            try KernelGuest.run("card-plug Mic")
            #expect(CaptureDevices.cards().map(\.id).suffix(2) == ["Mic24", "Mic"])
            try follower.regain()
        }

        /// Mostly from Loopback, as the microphone's milliseconds cost the host's time.
        @Test func fiveHundredOpeningsLeaveNothingBehind() throws {
            func capture(_ cycle: Int) throws {
                var configuration = AudioConfiguration.microphone(rate: 48_000, chunkFrames: 480)
                configuration.device = cycle % 10 == 0 ? "hw:CARD=Mic" : "hw:CARD=Loopback,DEV=1"
                let processor = try AudioProcessor(configuration: configuration)
                let chunks = try processor.subscribe(chunks: 4)
                try processor.arm()
                #expect(try chunks.next(timeout: .seconds(5))?.frameCount == 480)
                processor.cleanup()
            }
            for cycle in 1...100 { try capture(cycle) }
            let before = (ProcessCounts.descriptors, ProcessCounts.threads(), ProcessCounts.residentBytes)
            for cycle in 101...500 { try capture(cycle) }
            let growth = ProcessCounts.residentBytes - before.2
            print("400 openings: \(growth / 1024) KiB more resident")
            #expect(ProcessCounts.descriptors == before.0)
            #expect(ProcessCounts.threads() <= before.1)
            #expect(growth < 1 << 20)
        }

        /// Who has it is told, failing costs nothing, and as soon as it is let go it can be had.
        @Test func aBusyMicrophoneNamesItsHolder() throws {
            let holder = try KernelGuest.start("arecord -q -D hw:CARD=Mic -f S16_LE -r 48000 -c 2 /dev/null")
            defer { if holder.isRunning { holder.terminate() } }
            let status = "/proc/asound/Mic/pcm0c/sub0/status"
            #expect(eventually { (try? String(contentsOfFile: status, encoding: .utf8))?.contains("RUNNING") == true })
            let processor = try AudioProcessor(configuration: .microphone(rate: 48_000))
            defer { processor.cleanup() }
            var descriptors: Int?
            for _ in 0..<50 {
                let error = #expect(throws: AudioError.self) { try processor.arm() }
                #expect(error?.code == .busy)
                #expect(error?.message.contains("arecord") == true, "\(String(describing: error))")
                descriptors = descriptors ?? ProcessCounts.descriptors
            }
            #expect(ProcessCounts.descriptors == descriptors)
            holder.terminate()
            holder.waitUntilExit()
            let chunks = try processor.subscribe(chunks: 10)
            try processor.arm()
            #expect(try chunks.next(timeout: .seconds(5)) != nil)
        }
    }
}
