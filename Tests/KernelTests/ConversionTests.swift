import Foundation
import Testing
import VoiceAudio

extension KernelTests {
    /// What the card does not have is made of what it has, and plugins between change no count.
    @Suite struct ConversionTests {
        /// Captures for `seconds`, and stops this process for a second and a half in the middle, if told to.
        private func capture(
            _ configuration: AudioConfiguration, seconds: Double, stops: Bool = false
        ) async throws -> (chunks: [AudioChunk], report: CaptureReport, statistics: CaptureStatistics) {
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let sequence = processor.chunks()
            try await processor.arm()
            let report = try #require(processor.captureReport)
            var chunks: [AudioChunk] = []
            var hasStopped = false
            for try await chunk in sequence {
                chunks.append(chunk)
                let elapsed = chunks[0].captureTime.duration(to: chunk.captureTime) / .seconds(1)
                if stops, !hasStopped, elapsed > seconds / 2 {
                    hasStopped = true
                    try KernelGuest.stopThisProcess(seconds: 1.5)
                }
                if elapsed >= seconds { return (chunks, report, processor.statistics) }
            }
            throw KernelGuest.Failure(description: "the capture ended")
        }

        /// Behind `plughw`, and shared by `dsnoop`: to the frame, as on the card itself.
        @Test(arguments: ["plughw:CARD=Mic", "dsnoop:CARD=Mic", "plug:'dsnoop:CARD=Mic'"])
        func pluginsThatPassFramesLoseToTheFrame(device: String) async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.device = device
            let (chunks, report, _) = try await capture(configuration, seconds: 4, stops: true)
            #expect(report.countsLossExactly)
            let gaps = FrameNumbers(chunks.flatMap(\.bytes)).gaps
            let told = chunks.compactMap(\.lossBefore)
            print("\(device): lost \(gaps.map(\.frames)), told \(told)")
            #expect(gaps.count == 1)
            #expect(told == gaps.map { AudioLoss(frames: $0.frames, cause: .deviceOverrun) })
        }

        /// ALSA converts the rate; what that costs when the process is stopped is estimated within a period.
        @Test(arguments: [22_050, 32_000]) func aRateThatTheCardLacks(rate: Int) async throws {
            let configuration = AudioConfiguration.microphone(rate: rate)
            let (chunks, report, statistics) = try await capture(configuration, seconds: 8, stops: true)
            #expect(report.hardware == "44100 Hz, 2 ch, S16_LE")
            #expect(report.conversions == ["44100 to \(rate) Hz by ALSA"])
            #expect(!report.countsLossExactly)
            #expect(statistics.framesLostEstimated > rate)
            let (first, last) = (chunks[0], chunks[chunks.count - 1])
            let elapsed = first.captureTime.duration(to: last.captureTime) / .seconds(1)
            let surplus = last.framePosition - first.framePosition - Int(elapsed * Double(rate))
            print("\(rate) Hz: told \(chunks.compactMap(\.lossBefore)); delivered + lost - elapsed = \(surplus)")
            #expect(abs(surplus) <= report.periodFrames)
        }

        /// The left channel has the low 16 bits of a frame's number, which count, the right the high ones, which change
        /// every 65,536 frames.
        @Test(arguments: [1, 2]) func oneChannelOfAStereoMicrophone(channel: Int) async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.channelCount = 1
            configuration.monoChannel = .channel(channel)
            let (chunks, report, _) = try await capture(configuration, seconds: 2)
            #expect(report.hardware == "48000 Hz, 2 ch, S16_LE")
            #expect(report.conversions == ["channel \(channel) of 2"])
            let samples = chunks.flatMap { $0.withSamples(as: Int16.self) { span in span.indices.map { span[$0] } } }
            let steps = zip(samples, samples.dropFirst()).map { $1 &- $0 }
            if channel == 1 {
                #expect(steps.allSatisfy { $0 == 1 })
            } else {
                #expect(steps.allSatisfy { $0 == 0 || $0 == 1 })
                #expect((1...2).contains(steps.count { $0 == 1 }))
            }
        }

        /// 16 bits in the upper half of 32.
        @Test func widerSamplesThanTheCardHas() async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.sampleFormat = .s32
            let (chunks, report, _) = try await capture(configuration, seconds: 1)
            #expect(report.conversions == ["S16_LE to s32"])
            let words = chunks.flatMap { $0.withSamples(as: Int32.self) { span in span.indices.map { span[$0] } } }
            #expect(words.allSatisfy { $0 & 0xFFFF == 0 })
            let numbers = stride(from: 0, to: words.count, by: 2).map {
                UInt32(bitPattern: words[$0]) >> 16 | UInt32(bitPattern: words[$0 + 1])
            }
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $1 == $0 + 1 })
        }
    }

    /// Capture times come from the card, and its clock is compared with ours.
    @Suite struct TimingTests {
        private func statistics(of configuration: AudioConfiguration) async throws -> CaptureStatistics {
            let processor = try AudioProcessor(configuration: configuration)
            defer { processor.cleanup() }
            let chunks = processor.chunks()
            try await processor.arm()
            var first: MonotonicInstant?
            for try await chunk in chunks {
                first = first ?? chunk.captureTime
                if (first ?? chunk.captureTime).duration(to: chunk.captureTime) > .seconds(13) { break }
            }
            return processor.statistics
        }

        @Test(arguments: ["Loopback,DEV=1", "Dummy", "HDA", "Mic"]) func cardsStampOnTheMonotonicClock(
            card: String
        ) async throws {
            var configuration = AudioConfiguration.microphone(rate: 48_000)
            configuration.device = "hw:CARD=\(card)"
            let statistics = try await statistics(of: configuration)
            #expect(statistics.clock == .monotonic)
            let drift = try #require(statistics.driftPPM)
            print("\(card): \(drift) ppm")
            #expect(abs(drift) < 10_000)
        }

        /// A microphone whose clock is that much too fast or too slow.
        @Test(arguments: [2000.0, -2000]) func driftIsFound(ppm: Double) async throws {
            try KernelGuest.run("card-unplug Mic")
            try KernelGuest.run("card-plug Mic -d \(Int(ppm))")
            defer {
                _ = try? KernelGuest.run("card-unplug Mic")
                _ = try? KernelGuest.run("card-plug Mic")
            }
            let statistics = try await statistics(of: .microphone(chunkFrames: 160))
            let drift = try #require(statistics.driftPPM)
            print("\(ppm) ppm: measured \(drift)")
            #expect(abs(drift - ppm) < 200)
        }
    }
}
