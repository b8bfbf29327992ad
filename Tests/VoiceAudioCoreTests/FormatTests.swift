import Testing
import VoiceAudioCore

@Suite struct FormatTests {
    @Test(arguments: [(SampleFormat.s16, 2), (.s24, 3), (.s32, 4), (.f32, 4)])
    func sizes(sampleFormat: SampleFormat, bytesPerSample: Int) {
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: 3, sampleFormat: sampleFormat)
        #expect(sampleFormat.bytesPerSample == bytesPerSample)
        #expect(format.bytesPerFrame == bytesPerSample * 3)
        #expect(format.bytesPerSecond == bytesPerSample * 144_000)
    }

    @Test func framesInADuration() {
        let format = AudioFormat.speech
        #expect(format.frameCount(in: .seconds(2)) == 32_000)
        #expect(format.frameCount(in: .nanoseconds(62_500)) == 1)
        #expect(format.frameCount(in: .nanoseconds(62_499)) == 0)
        #expect(format.frameCount(in: .zero) == 0)
        #expect(format.frameCount(in: .nanoseconds(-1)) == 0)
        #expect(format.frameCount(in: .seconds(-5)) == 0)
        #expect(format.frameCount(in: .seconds(Int64.max)) == Int.max / 4)
    }

    /// There and back is never a frame more, and never more than one less, at any rate.
    @Test(arguments: [1000, 8000, 11_025, 22_050, 44_100, 48_000, 767_999, 768_000])
    func framesToTimeAndBack(rate: Int) {
        let format = AudioFormat(sampleRateHz: rate, channelCount: 1, sampleFormat: .s16)
        for count in [0, 1, 2, rate - 1, rate, rate + 1, 86_400 * rate, 86_400 * 365 * rate + 7] {
            let duration = format.duration(ofFrames: count)
            #expect((count - 1...count).contains(format.frameCount(in: duration)))
            #expect(format.frameCount(in: duration + .nanoseconds(1)) == count)
        }
        #expect(format.duration(ofFrames: rate * 3600) == .seconds(3600))
    }
}
