import Glibc
import Testing
import VoiceAudioCore
import VoiceAudioIO

@testable import VoiceAudio

/// What a mixer does to capture, and the command that undoes it.
@Suite(.timeLimit(.minutes(5))) struct MixerExaminationTests {
    private typealias Volume = MixerElement.Volume

    /// With nothing heard, unless `isHeard`.
    private func examination(_ elements: [MixerElement], isHeard: Bool = false) -> Examination {
        var examination = Examination.healthy
        if !isHeard { examination.listening = Examination.heard(Array(repeating: 0, count: 16_000)) }
        examination.mixer?.elements = elements
        return examination
    }

    private func command(_ elements: MixerElement...) -> String? { examination(elements).commands(.mixer).first }

    private let low = Volume(range: 0...74, values: [0, 0])
    private let middle = Volume(range: -50...100, values: [25, 25])

    @Test func whatIsOffOrAtItsLowestHasItsCommand() {
        let cases: [(MixerElement, String)] = [
            (.init(name: "Capture", captureSwitch: [false, false], captureVolume: middle), "'Capture' cap"),
            (.init(name: "Capture", captureSwitch: [false, false], captureVolume: low), "'Capture' cap 80%"),
            (.init(name: "Capture", captureSwitch: [true, true], captureVolume: low), "'Capture' cap 80%"),
            (.init(name: "Capture", captureVolume: low), "'Capture' 80%"),
            (.init(name: "Capture", index: 1, captureSwitch: [false]), "'Capture',1 cap"),
            (
                .init(name: "Mic", captureSwitch: [false], captureVolume: low, hasPlayback: true),
                "'Mic' capture cap 80%"
            ),
            (.init(name: "Bob's", captureSwitch: [false]), "'Bob'\\''s' cap"),
            (.init(name: "Mic", captureSwitch: [true, false]), "'Mic' cap"),
        ]
        for (element, arguments) in cases {
            let finding = examination([element]).finding(.mixer)
            #expect(finding?.outcome == .failure)
            #expect(finding?.errorCode == .deviceFailed)
            #expect(command(element) == "amixer -c Mic sset \(arguments)")
        }
    }

    @Test func oneSourceThatIsOnIsEnough() {
        let line = MixerElement(name: "Line", captureSwitch: [false])
        let microphone = MixerElement(name: "Front Mic", captureSwitch: [true], captureVolume: middle)
        #expect(examination([line, microphone]).finding(.mixer)?.outcome == .fine)
        // But not where what all of them pass is off.
        let master = MixerElement(name: "Capture", captureSwitch: [false])
        #expect(command(master, line, microphone) == "amixer -c Mic sset 'Capture' cap")
        // One of several converters is.
        let second = MixerElement(name: "Capture", index: 1, captureSwitch: [true])
        #expect(examination([master, second, microphone]).finding(.mixer)?.outcome == .fine)
    }

    @Test func whereAllSourcesAreOffItIsTheMicrophoneThatIsSwitchedOn() {
        let sources = ["Line", "CD", "Internal Mic"].map { MixerElement(name: $0, captureSwitch: [false]) }
        let finding = examination(sources).finding(.mixer)
        #expect(finding?.message == "capture is muted: 'Internal Mic' is off, as are the other 2")
        #expect(finding?.remedies.first?.command == "amixer -c Mic sset 'Internal Mic' cap")
    }

    @Test func whatIsHeardProvesTheWayOpen() {
        let examination = examination([.init(name: "Capture", captureSwitch: [false])], isHeard: true)
        #expect(examination.finding(.mixer)?.outcome == .warning)
        #expect(examination.failures.isEmpty)
    }

    @Test func silenceIsAnsweredWithWhatTheMixerOffers() {
        let elements = [
            MixerElement(name: "Capture", captureSwitch: [true], captureVolume: middle),
            MixerElement(name: "Mic Boost", commonVolume: Volume(range: 0...3, values: [1, 1])),
            MixerElement(
                name: "Input Source", choice: MixerElement.Choice(names: ["Mic", "Line", "Rear Mic"], chosen: 1)),
        ]
        let examination = examination(elements)
        #expect(
            examination.finding(.mixer)?.message
                == "the mixer lets sound in: 'Capture' at 50 %, 'Input Source' is Line")
        #expect(
            examination.commands(.sound) == [
                "amixer -c Mic sset 'Capture' 80%", "amixer -c Mic sset 'Mic Boost' 100%",
                "amixer -c Mic sset 'Input Source' 'Mic'", "amixer -c Mic sset 'Input Source' 'Rear Mic'",
            ])
        // What is muted is the mixer's to mend.
        let muted = self.examination([.init(name: "Capture", captureSwitch: [false])] + elements.dropFirst())
        #expect(muted.commands(.sound) == [])
        #expect(muted.finding(.sound)?.remedies.map(\.note) == ["first mend the mixer, as above"])
    }

    @Test func aMixerThatCannotBeReadIsNoFault() {
        var examination = Examination.healthy
        examination.mixer?.status = -EACCES
        #expect(examination.finding(.mixer)?.outcome == .skipped)
        #expect(examination.finding(.mixer)?.message.contains("Permission denied") == true)
        #expect(examination.failures.isEmpty)
    }

    @Test func aServersMixerIsReachedByItsOwnName() {
        var examination = examination([.init(name: "Capture", captureSwitch: [false])])
        examination.system.route = .plugin("pulse")
        examination.mixer?.control = "pulse"
        #expect(examination.commands(.mixer) == ["amixer -D pulse sset 'Capture' cap"])
    }
}
