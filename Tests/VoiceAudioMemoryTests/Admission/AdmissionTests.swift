import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

struct AdmissionTests {
    private func rules(
        _ level: MemoryPressureLevel, headroom: Int = 8000, isPaused: Bool = false, failure: String? = nil
    ) -> AdmissionRules {
        AdmissionRules(level: level, headroomBytes: headroom, isProcessingPaused: isPaused, failure: failure)
    }

    @Test(
        arguments: [
            (.low, 8000, 8001), (.moderate, 8000, 8001), (.high, 1000, 1001), (.critical, nil, 0),
        ] as [(MemoryPressureLevel, Int?, Int)])
    func asMuchAsTheLevelAllows(level: MemoryPressureLevel, allowed: Int?, refused: Int) {
        if let allowed { #expect(rules(level).admission(of: "x", estimatedBytes: allowed) == .allowed) }
        #expect(!rules(level).admission(of: "x", estimatedBytes: refused).isAllowed)
    }

    @Test func aRefusalNamesOperationBytesHeadroomAndLevel() {
        for rules in [rules(.low), rules(.high), rules(.critical), rules(.moderate, isPaused: true)] {
            guard case .refused(let reason) = rules.admission(of: "transcription", estimatedBytes: 9000) else {
                Issue.record("allowed")
                continue
            }
            for word in ["transcription", "9000 bytes", "8000 bytes of headroom", rules.level.rawValue] {
                #expect(reason.contains(word), "\(reason)")
            }
        }
    }

    @Test func withoutHeadroomOnlyWhatTakesNothingGoesOn() {
        for level in [MemoryPressureLevel.low, .moderate, .high] {
            #expect(rules(level, headroom: 0).admission(of: "x", estimatedBytes: 0) == .allowed)
            #expect(!rules(level, headroom: 0).admission(of: "x", estimatedBytes: 1).isAllowed)
            #expect(!rules(level, isPaused: true).admission(of: "x", estimatedBytes: 0).isAllowed)
        }
    }

    @Test func whereMemoryIsNotKnownTheReasonSaysSo() {
        let rules = rules(.low, headroom: 0, failure: "no such file")
        guard case .refused(let reason) = rules.admission(of: "x", estimatedBytes: 1) else {
            Issue.record("allowed")
            return
        }
        #expect(reason.contains("no such file"))
    }

    @Test func aNegativeEstimateIsRefused() {
        guard case .refused(let reason) = rules(.low).admission(of: "x", estimatedBytes: -1) else {
            Issue.record("allowed")
            return
        }
        #expect(reason.contains("-1") && reason.contains("accepted are 0 and more"))
    }

    @Test func batchesShrinkAndIntervalsGrowWithThePressure() {
        let levels = MemoryPressureLevel.allCases
        #expect(levels.map { rules($0).batchSize(normal: 32, itemBytes: nil) } == [32, 16, 8, 1])
        #expect(levels.map { rules($0).batchSize(normal: 3, itemBytes: nil) } == [3, 1, 1, 1])
        #expect(
            levels.map { rules($0).interval(normal: .milliseconds(10)) } == [10, 20, 40, 80].map(Duration.milliseconds))
        // What the headroom holds bounds them, too; one item is always recommended, and no number made up.
        #expect(levels.map { rules($0).batchSize(normal: 32, itemBytes: 800) } == [10, 10, 8, 1])
        #expect(rules(.low, headroom: 9).batchSize(normal: 32, itemBytes: 800) == 1)
        #expect(levels.map { rules($0).batchSize(normal: 0, itemBytes: 1) } == [0, 0, 0, 0])
    }

    @Test func anEstimateIsTheDocumentedFormula() throws {
        // 10 s of speech in 3 segments: 160,000 frames, the longest segment 53,334 of them.
        let speech = try MemoryEstimate(duration: .seconds(10), format: .speech, segments: 3)
        #expect(speech.frames == 160_000 && speech.audioBytes == 320_000 && speech.floatBytes == 640_000)
        #expect(speech.wavBytes == 320_044 && speech.segmentBytes == 53_334 * 6)
        #expect(speech.peakBytes == 320_000 + 53_334 * 6)
        // 1 ms and a nanosecond of three channels at 1,000 Hz, in 24 bits: a frame begun is a frame, and 18 bytes.
        let odd = AudioFormat(sampleRateHz: 1000, channelCount: 3, sampleFormat: .s24)
        let short = try MemoryEstimate(duration: .nanoseconds(1_000_001), format: odd, segments: 1)
        #expect(short.frames == 2 && short.audioBytes == 18 && short.wavBytes == 62)
        #expect(short.segmentBytes == 2 * 3 * 7 && short.peakBytes == 18 + 42)
        let mono24 = AudioFormat(sampleRateHz: 1000, channelCount: 1, sampleFormat: .s24)
        #expect(try MemoryEstimate(duration: .milliseconds(1), format: mono24, segments: 9).wavBytes == 48)
        let float = AudioFormat(sampleRateHz: 48_000, channelCount: 2, sampleFormat: .f32)
        #expect(try MemoryEstimate(duration: .seconds(1), format: float, segments: 1).wavBytes == 58 + 384_000)
        let nothing = try MemoryEstimate(duration: .zero, format: .speech, segments: 4)
        #expect(nothing.frames == 0 && nothing.segmentBytes == 0 && nothing.wavBytes == 44)
    }

    @Test func anEstimateOfNonsenseIsRefused() throws {
        func refusal(_ duration: Duration = .seconds(1), rate: Int = 1, channels: Int = 1, segments: Int = 1) -> String?
        {
            let format = AudioFormat(sampleRateHz: rate, channelCount: channels, sampleFormat: .s32)
            do throws(AudioError) {
                _ = try MemoryEstimate(duration: duration, format: format, segments: segments)
                return nil
            } catch {
                return error.code == .invalidConfiguration ? error.message : "\(error)"
            }
        }
        #expect(refusal(.nanoseconds(-1))?.contains("-1 ns of audio") == true)
        #expect(refusal(.seconds(366 * 86_400 + 1))?.contains("31622401 s of audio") == true)
        #expect(refusal(.seconds(Int64.max)) != nil && refusal(.seconds(Int64.min)) != nil)
        #expect(refusal(rate: 0)?.contains("0 Hz") == true && refusal(rate: .max) != nil)
        #expect(refusal(channels: 65)?.contains("accepted are 1 to 64") == true && refusal(channels: -1) != nil)
        #expect(refusal(segments: 0)?.contains("0 segments") == true)
        #expect(refusal(.seconds(366 * 86_400), rate: 768_000, channels: 64, segments: .max) == nil)
    }
}
