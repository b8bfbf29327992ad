import Glibc
import VoiceAudioCore
import VoiceAudioIO

@testable import VoiceAudio

/// Makes examinations by hand: a machine with one microphone, all of it in order, and what a test changes of it.
extension Examination {
    static let microphone = SoundCard(
        index: 1, identity: CardIdentity(cardID: "Mic"), stableName: "usb:0d8c:0014", name: "USB microphone",
        pcms: [
            CardPCM(
                device: 0, name: "USB Audio",
                capture: CardPCM.Direction(nativeFormats: [
                    NativeFormat(sampleFormats: ["S16_LE"], channelCount: 2, ratesHz: [44_100, 48_000])
                ]))
        ])

    static let node = DeviceNode(path: "/dev/snd/pcmC1D0c", canOpen: true, groupID: 29, groupName: "audio")

    static var healthy: Examination {
        var configuration = AudioConfiguration()
        configuration.device = "hw:CARD=Mic"
        return Examination(
            configuration: configuration,
            system: SoundSystem(
                cards: [microphone], route: .card(microphone), nodes: [node],
                names: ["default", "hw:CARD=Mic,DEV=0", "plughw:CARD=Mic,DEV=0"]),
            listening: heard((0..<16_000).map { $0 % 2 == 0 ? 0.1 : -0.1 }),
            mixer: Mixer(
                control: "hw:Mic", status: 0,
                elements: [
                    MixerElement(
                        name: "Mic", captureSwitch: [true],
                        captureVolume: MixerElement.Volume(range: 0...100, values: [50]))
                ]),
            diskProblems: [])
    }

    /// A second at 16 kHz, mono, of which these samples came.
    static func heard(_ samples: [Float], channels: Int = 1) -> Listening {
        let format = AudioFormat(sampleRateHz: 16_000, channelCount: channels, sampleFormat: .f32)
        var listening = Listening(format, wantedFrameCount: 16_000)
        listening.report = CaptureReport(
            source: "hw:CARD=Mic", format: format, conversions: ["mean of 2 channels"], requestedPeriodFrames: 1600,
            periodFrames: 1600)
        // SAFETY: floats are plain bytes.
        listening.meter.add(unsafe samples.span.bytes)
        return listening
    }

    /// As where the device does not open.
    mutating func fail(_ code: AudioError.Code, status: Int32? = nil) {
        listening = Listening(.speech, wantedFrameCount: 16_000)
        listening.error = AudioError(code, "what \(code) says", status: status)
    }

    func finding(_ check: Finding.Check) -> Finding? { findings.first { $0.check == check } }

    /// What failed, and only that.
    var failures: [Finding] { findings.filter { $0.outcome == .failure } }

    func commands(_ check: Finding.Check) -> [String] {
        findings.filter { $0.check == check }.flatMap(\.remedies).compactMap(\.command)
    }
}
