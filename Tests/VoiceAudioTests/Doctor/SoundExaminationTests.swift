import Glibc
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

@testable import VoiceAudio

/// What is heard, and what is told of it.
@Suite(.timeLimit(.minutes(5))) struct SoundExaminationTests {
    private func examination(_ samples: [Float], channels: Int = 1) -> Examination {
        var examination = Examination.healthy
        examination.listening = Examination.heard(samples, channels: channels)
        return examination
    }

    /// A pattern, often enough.
    private func frames(_ pattern: [Float]) -> [Float] { (0..<8000).flatMap { _ in pattern } }

    private func sounds(_ examination: Examination) -> [Finding] { examination.findings.filter { $0.check == .sound } }

    @Test func soundIsToldWithItsLevel() {
        let sound = sounds(examination(Array(repeating: 0.1, count: 8000) + Array(repeating: -0.1, count: 8000)))
        #expect(sound.map(\.message) == ["sound comes: peak -20.0 dBFS, mean -20.0 dBFS in 1.0 s"])
    }

    @Test func exactZerosFail() {
        let silent = examination(Array(repeating: 0, count: 16_000))
        #expect(silent.failures.map(\.check) == [.sound])
        #expect(silent.failures.first?.message == "the device delivers silence: 1.0 s of exact zeros")
        #expect(silent.failures.first?.errorCode == .deviceFailed)
        var server = silent
        server.system.route = .plugin("pulse")
        #expect(server.commands(.sound).contains("pactl set-source-mute @DEFAULT_SOURCE@ 0"))
        // A single sample that is none is sound, if low.
        let almost = examination(Array(repeating: 0, count: 15_999) + [0.0001])
        #expect(almost.failures.isEmpty)
        #expect(sounds(almost).map(\.outcome) == [.warning])
        #expect(sounds(almost).first?.message.hasPrefix("the sound is very low: peak -80.0 dBFS") == true)
    }

    @Test func clippingIsTellTaleOnlyWhereTheWaveIsCutOff() {
        let wave = frames([0.5, -0.5])
        var touched = wave
        touched[100] = 1
        touched[200] = -1
        #expect(sounds(examination(touched)).map(\.outcome) == [.fine])
        touched.replaceSubrange(300..<304, with: [1, 1, 1, 1])
        #expect(
            sounds(examination(touched)).map(\.message).first == "the sound is too loud: 3 samples are clipped")
        #expect(examination(touched).failures.isEmpty)
    }

    @Test func anOffsetAndASilentChannelAreWarnings() {
        let shifted = examination(frames([0.3, 0.1]))
        #expect(sounds(shifted).first?.message.contains("by 20 % of full scale on channel 1") == true)
        #expect(shifted.failures.isEmpty)

        let half = examination(frames([0.2, 0, -0.2, 0]), channels: 2)
        #expect(sounds(half).first?.message == "channel 2 of 2 is silent: exact zeros")
        #expect(half.commands(.sound) == ["export VOICE_AUDIO_CHANNELS=1 VOICE_AUDIO_MONO_FROM=1"])
        #expect(half.failures.isEmpty)
    }

    @Test func theMeterTakesEveryFormatForTheSame() {
        let bytes: [(SampleFormat, [UInt8])] = [
            (.s16, [0, 0x40, 0, 0xC0]), (.s24, [0, 0, 0x40, 0, 0, 0xC0]),
            (.s32, [0, 0, 0, 0x40, 0, 0, 0, 0xC0]), (.f32, [0, 0, 0, 0x3F, 0, 0, 0, 0xBF]),
        ]
        for (format, bytes) in bytes {
            var meter = SignalMeter(AudioFormat(sampleRateHz: 8000, channelCount: 2, sampleFormat: format))
            // A rest that does not fill a frame is left out.
            let more = bytes + [1]
            // SAFETY: bytes are bytes.
            meter.add(unsafe more.span.bytes)
            #expect(meter.frameCount == 1)
            #expect(meter.level == AudioLevel(rms: 0.5, peak: 0.5), "\(format)")
            #expect(meter.offset(ofChannel: 0) == 0.5)
            #expect(meter.offset(ofChannel: 1) == -0.5)
        }
    }

    @Test func lossesAndARefusedPriorityAreWarnings() {
        var examination = Examination.healthy
        examination.listening.statistics.overruns = 2
        examination.listening.statistics.framesLostExactly = 300
        examination.listening.statistics.framesLostEstimated = 20
        #expect(
            examination.finding(.losses)?.message
                == "320 frames were lost in 2 overruns: this machine is too busy")
        examination.configuration.realtimePriority = 20
        #expect(examination.finding(.priority)?.outcome == .fine)
        examination.listening.priorityRefusal = AudioError(.permissionDenied, "priority 20 is refused")
        #expect(examination.finding(.priority)?.outcome == .warning)
        #expect(examination.finding(.priority)?.message == "priority 20 is refused")
        examination.diskProblems = [AudioError(.diskFull, "too little space"), AudioError(.notWritable, "read-only")]
        #expect(examination.findings.filter { $0.check == .disk }.map(\.outcome) == [.warning, .warning])
        #expect(
            examination.commands(.disk)
                == ["export VOICE_AUDIO_MIN_FREE_DISK_MB=100", "export VOICE_AUDIO_TEMP_DIR=\"$HOME\""])
        #expect(examination.failures.isEmpty)
    }

    @Test func aFormatThatTheDeviceLacksIsAnsweredWithOneThatItHas() {
        var examination = Examination.healthy
        examination.fail(.unsupportedFormat)
        #expect(examination.failures.map(\.check) == [.format])
        #expect(
            examination.commands(.format) == [
                "export VOICE_AUDIO_SAMPLE_RATE=48000 VOICE_AUDIO_CHANNELS=2",
                "export VOICE_AUDIO_DEVICE=plughw:CARD=Mic",
            ])
    }

    @Test func whatNothingElseExplainsFailsAsItself() {
        var examination = Examination.healthy
        examination.fail(.deviceFailed, status: EIO)
        #expect(examination.failures.map(\.check) == [.sound])
        #expect(examination.failures.first?.message == "what deviceFailed says")
    }

    // MARK: Listening

    private func listening(to source: ScriptedSource, seconds: Int, clock: any AudioClock) -> Listening {
        Listening(to: source, configuration: .scripted(), for: .seconds(seconds), clock: clock)
    }

    @Test func aDeviceThatDeliversNothingIsStalled() throws {
        let source = ScriptedSource()
        let clock = ManualClock()
        let isDone = Lock(false)
        let heard = try ThreadResult {
            defer { isDone.withLock { $0 = true } }
            return listening(to: source, seconds: 2, clock: clock)
        }
        #expect(source.waitUntilTaken())
        // Opening may still wait for its own deadline, and is open all the same when that comes.
        while !isDone.withLock({ $0 }) {
            if clock.waitUntilWaiting(limit: .milliseconds(10)) { clock.advance(by: .seconds(1)) }
        }
        var examination = Examination.healthy
        examination.listening = try heard.value()
        #expect(source.waitUntilClosed())
        #expect(examination.failures.map(\.check) == [.sound])
        #expect(examination.failures.first?.message == "the device is open, but no frames come: it is stalled")
        #expect(examination.finding(.losses)?.outcome == .fine)
    }

    @Test func listeningEndsWithTheFramesAskedFor() {
        let source = ScriptedSource()
        source.push(.frames(100), .lost(AudioLoss(frames: 50, cause: .deviceOverrun)), .frames(5000))
        let heard = listening(to: source, seconds: 2, clock: ManualClock())
        #expect(heard.error == nil)
        #expect(heard.meter.frameCount == 2000)
        #expect(heard.statistics.framesLostExactly == 50)
        #expect(source.closeCount == 1)
    }

    @Test func whatEndsListeningIsTold() {
        let ended = ScriptedSource()
        ended.push(.frames(10), .end)
        let short = listening(to: ended, seconds: 2, clock: ManualClock())
        #expect(short.hasEnded)
        #expect(short.meter.frameCount == 10)

        let lost = ScriptedSource()
        lost.push(.frames(10), .fail(AudioError(.deviceLost, "it went away")))
        var examination = Examination.healthy
        examination.listening = listening(to: lost, seconds: 2, clock: ManualClock())
        #expect(examination.failures.map(\.message) == ["it went away"])
        #expect(examination.failures.first?.check == .sound)
        #expect(examination.finding(.format)?.outcome == .fine)

        let refusing = ScriptedSource()
        refusing.failToOpen(with: AudioError(.busy, "no"))
        #expect(listening(to: refusing, seconds: 2, clock: ManualClock()).error?.code == .busy)
    }
}
