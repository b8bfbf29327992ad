import Glibc
import Testing
import VoiceAudioCore
import VoiceAudioIO

@testable import VoiceAudio

/// Why a device does not open, and what mends it.
@Suite(.timeLimit(.minutes(5))) struct DeviceExaminationTests {
    @Test func whereAllIsWellNothingIsFound() {
        let findings = Examination.healthy.findings
        #expect(findings.allSatisfy { $0.outcome == .fine && $0.remedies.isEmpty })
        let checks: [Finding.Check] = [
            .settings, .kernel, .permission, .device, .busy, .mixer, .format, .sound, .losses, .disk,
        ]
        #expect(findings.map(\.check) == checks)
    }

    @Test func checksAreToldInTheirOrder() {
        var examination = Examination.healthy
        examination.fail(.busy)
        examination.configuration.realtimePriority = 5
        let order = examination.findings.compactMap { Finding.Check.allCases.firstIndex(of: $0.check) }
        #expect(order == order.sorted())
    }

    // MARK: No card

    private func noCard(_ kernel: KernelSound, cards: [SoundCard] = []) -> Examination {
        var examination = Examination.healthy
        examination.fail(.noSuchDevice, status: ENOENT)
        examination.system = SoundSystem(kernel: kernel, cards: cards, route: .missingCard("0"))
        examination.mixer = nil
        return examination
    }

    @Test func withoutACardOnlyThatFailsAndTheRestSaysWhy() {
        let examination = noCard(KernelSound(isLoaded: false))
        #expect(examination.failures.map(\.check) == [.kernel])
        #expect(examination.failures.first?.errorCode == .noSuchDevice)
        let skipped = examination.findings.filter { $0.outcome == .skipped }
        #expect(skipped.map(\.check) == [.permission, .device, .format, .sound, .losses])
        #expect(Set(skipped.map(\.message)) == ["there is no sound card to capture from"])
    }

    @Test func eachReasonForNoCardHasItsCommand() {
        let hardware = DriverlessHardware(description: "USB device 1-2", command: "sudo modprobe snd-usb-audio")
        let player = SoundCard(index: 0, identity: CardIdentity(cardID: "HDMI"), name: "HDA ATI HDMI")
        let cases: [(KernelSound, [SoundCard], String, String)] = [
            (KernelSound(isLoaded: true, driverless: [hardware]), [], "USB device 1-2", "sudo modprobe snd-usb-audio"),
            (
                KernelSound(isLoaded: false, release: "6.1.0-cloud", hasDrivers: false), [],
                "kernel 6.1.0-cloud has no sound drivers", "sudo apt-get install linux-image-amd64"
            ),
            (KernelSound(isLoaded: true), [player], "only play: HDMI (HDA ATI HDMI)", "export VOICE_AUDIO_DEVICE=sim:"),
            (
                KernelSound(isLoaded: true, hasNodes: false, container: .podman), [Examination.microphone],
                "not passed into this container", "podman run --device /dev/snd --group-add keep-groups"
            ),
            (
                KernelSound(isLoaded: true, hasNodes: false, container: .docker), [],
                "not passed into this container",
                "docker run --device /dev/snd --group-add \"$(getent group audio | cut -d: -f3)\""
            ),
            (
                KernelSound(isLoaded: true, hasNodes: false), [Examination.microphone],
                "Mic (USB microphone), but /dev/snd",
                "sudo udevadm trigger --subsystem-match=sound --action=add"
            ),
        ]
        for (kernel, cards, message, command) in cases {
            let examination = noCard(kernel, cards: cards)
            #expect(examination.finding(.kernel)?.outcome == .failure)
            #expect(examination.finding(.kernel)?.message.contains(message) == true, "\(examination.findings)")
            #expect(examination.commands(.kernel).first == command)
        }
    }

    // MARK: Permission

    private func refused(_ change: (inout DeviceNode, inout ProcessUser) -> Void) -> Examination {
        var examination = Examination.healthy
        examination.fail(.noSuchDevice, status: ENODEV)
        var node = Examination.node
        node.canOpen = false
        change(&node, &examination.system.user)
        examination.system.nodes = [node]
        return examination
    }

    @Test func whoIsNotInTheGroupIsToldToJoinIt() {
        let examination = refused { _, _ in }
        #expect(examination.failures.map(\.check) == [.permission])
        #expect(examination.finding(.busy)?.outcome == .skipped)
        let finding = examination.finding(.permission)
        #expect(finding?.message == "no capture device: /dev/snd is there, but you are not in group \"audio\"")
        #expect(
            finding?.remedies == [.init("sudo usermod -aG audio $USER", note: "then log in again")])
        #expect(finding?.errorCode == .permissionDenied)
    }

    @Test func eachReasonForARefusalHasItsCommand() {
        let newMember = refused { $1.groupIDsAtLogin = [1000, 29] }
        #expect(newMember.finding(.permission)?.message.contains("began before that") == true)
        #expect(newMember.commands(.permission) == ["newgrp audio"])

        let closed = refused { node, _ in node.mode = 0o600 }
        #expect(closed.finding(.permission)?.message.contains("its mode is 600") == true)
        #expect(
            closed.commands(.permission) == ["sudo chmod g+rw /dev/snd/pcmC1D0c", "sudo usermod -aG audio $USER"])

        let ofRoot = refused { node, _ in (node.groupID, node.groupName) = (0, "root") }
        #expect(
            ofRoot.commands(.permission) == [
                "sudo chgrp audio /dev/snd/pcmC1D0c && sudo chmod g+rw /dev/snd/pcmC1D0c",
                "sudo usermod -aG audio $USER",
            ])

        let denied = refused { _, user in user.groupIDs = [1000, 29] }
        #expect(denied.finding(.permission)?.message.contains("security module") == true)
        #expect(denied.commands(.permission) == ["sudo dmesg | grep -i denied"])

        // A container's rules are not in the node's mode.
        var root = refused { node, user in (node.canOpen, user.id) = (true, 0) }
        root.fail(.permissionDenied, status: EPERM)
        #expect(root.finding(.permission)?.message.contains("may be opened by its mode") == true)

        var contained = refused { _, user in user.groupIDs = [1000, 29] }
        contained.system.kernel.container = .docker
        #expect(contained.commands(.permission).first?.hasPrefix("docker run --device /dev/snd") == true)
    }

    @Test func aNodeThatIsNotNeededIsOnlyAWarning() {
        var examination = Examination.healthy
        examination.system.nodes = [DeviceNode(path: "/dev/snd/controlC1", canOpen: false), Examination.node]
        #expect(examination.failures.isEmpty)
        #expect(examination.finding(.permission)?.outcome == .warning)
    }

    @Test func aCardWhoseNodesAreMissingIsToldFromARefusal() {
        var examination = Examination.healthy
        examination.fail(.noSuchDevice, status: ENOENT)
        examination.system.nodes = []
        #expect(examination.failures.map(\.check) == [.permission])
        #expect(examination.failures.first?.message.hasSuffix("but the card's nodes are not") == true)
        #expect(examination.failures.first?.errorCode == .noSuchDevice)
        #expect(examination.commands(.permission) == ["sudo udevadm trigger --subsystem-match=sound --action=add"])
    }

    // MARK: The device

    @Test func aSlipIsAnsweredWithTheNearestName() {
        for (slip, name) in [
            ("hw:CARD=Mik", "hw:CARD=Mic,DEV=0"), ("hw:mic", "hw:CARD=Mic,DEV=0"), ("defualt", "default"),
        ] {
            var examination = Examination.healthy
            examination.configuration.device = slip
            examination.system.route = .nothing
            examination.fail(.noSuchDevice)
            #expect(examination.failures.map(\.check) == [.device])
            #expect(examination.commands(.device).first == "export VOICE_AUDIO_DEVICE=\(name)")
        }
        var examination = Examination.healthy
        examination.configuration.device = "something else"
        examination.system.route = .missingCard("X")
        examination.fail(.noSuchDevice)
        #expect(examination.commands(.device) == ["voice-audio devices"])
        examination.system.kernel.driverless = [
            DriverlessHardware(description: "USB device 1-2", command: "sudo modprobe snd-usb-audio")
        ]
        #expect(examination.commands(.device) == ["sudo modprobe snd-usb-audio", "voice-audio devices"])
    }

    @Test func namesAreWordsForTheShell() {
        #expect(shellWord("hw:CARD=Mic,DEV=0") == "hw:CARD=Mic,DEV=0")
        #expect(shellWord("plug:'hw:0'") == "'plug:'\\''hw:0'\\'''")
        #expect(shellWord("$(reboot)") == "'$(reboot)'")
        #expect(shellWord("") == "''")
    }

    @Test func aPluginThatIsMissingIsToBeInstalled() {
        for (type, package) in [("pulse", "libasound2-plugins"), ("pipewire", "pipewire-alsa")] {
            var examination = unreachable(SoundServer())
            examination.system.route = .plugin(type)
            examination.fail(.noSuchDevice, status: ENXIO)
            #expect(examination.failures.map(\.check) == [.device])
            #expect(examination.commands(.device).first == "sudo apt-get install \(package)")
        }
    }

    @Test func aServerWithoutACardIsWarnedOfWhereNothingIsHeard() {
        var examination = unreachable(SoundServer())
        examination.system.cards = []
        #expect(examination.finding(.kernel)?.outcome == .warning)
        examination.listening = Examination.healthy.listening
        #expect(examination.finding(.kernel) == nil)
        #expect(examination.failures.isEmpty)
    }

    // MARK: Busy

    @Test func whoHoldsItIsNamedWithWhatEndsThem() {
        var examination = Examination.healthy
        examination.fail(.busy, status: EBUSY)
        examination.system.holders = [.init(processID: 7, program: "arecord")]
        #expect(examination.failures.map(\.check) == [.busy])
        #expect(examination.finding(.busy)?.message == "\"hw:CARD=Mic\" is busy: held by arecord (process 7)")
        #expect(examination.commands(.busy) == ["kill 7", "export VOICE_AUDIO_DEVICE=plug:dsnoop:Mic"])
        #expect(examination.finding(.sound)?.message == "the device is busy")
        // The mixer is there to be read all the same.
        #expect(examination.finding(.mixer)?.outcome == .fine)

        examination.system.holders = []
        #expect(examination.commands(.busy) == ["sudo fuser -v /dev/snd/pcmC1D0c"])
    }

    @Test func aSoundServerThatHoldsItIsGoneThroughNotEnded() {
        var examination = Examination.healthy
        examination.fail(.busy, status: EBUSY)
        examination.system.holders = [.init(processID: 8, program: "pipewire")]
        #expect(examination.commands(.busy).first == "export VOICE_AUDIO_DEVICE=default")
        #expect(!examination.commands(.busy).contains { $0.hasPrefix("kill") })
    }

    @Test func whoElseCapturesIsNoFault() {
        var examination = Examination.healthy
        examination.system.holders = [.init(processID: 7, program: "arecord")]
        #expect(examination.finding(.busy)?.outcome == .fine)
        #expect(examination.finding(.busy)?.message == "Mic is also captured from by arecord (process 7)")
    }

    // MARK: The sound server

    private func unreachable(_ server: SoundServer) -> Examination {
        var examination = Examination.healthy
        examination.configuration.device = "default"
        examination.system.route = .plugin("pulse")
        examination.system.server = server
        examination.mixer = nil
        examination.fail(.deviceFailed, status: ECONNREFUSED)
        return examination
    }

    @Test func eachReasonForASilentServerHasItsCommand() {
        let cases: [(SoundServer, String, String?)] = [
            (SoundServer(address: "tcp:far"), "tcp:far, which PULSE_SERVER names", "unset PULSE_SERVER"),
            (SoundServer(), "XDG_RUNTIME_DIR is not set", "export XDG_RUNTIME_DIR=/run/user/1000"),
            (
                SoundServer(runtimeDirectory: "/run/user/5", runtimeOwnerID: 5),
                "belongs to user 5, and this is user 1000", "export XDG_RUNTIME_DIR=/run/user/1000"
            ),
            (
                SoundServer(runtimeDirectory: "/run/user/5", runtimeOwnerID: 5, sudoUser: "me"), "belongs to user 5",
                nil
            ),
            (
                SoundServer(runtimeDirectory: "/run/user/1000", runtimeOwnerID: 1000, installed: .pipeWire),
                "does not run for this user", "systemctl --user restart pipewire pipewire-pulse wireplumber"
            ),
            (
                SoundServer(
                    runtimeDirectory: "/run/user/1000", runtimeOwnerID: 1000, hasSocket: true, installed: .pulseAudio),
                "does not let us in", "pulseaudio --kill; pulseaudio --start"
            ),
            (
                SoundServer(runtimeDirectory: "/run/user/1000", runtimeOwnerID: 1000), "does not run for this user",
                "sudo apt-get install pipewire-audio"
            ),
        ]
        for (server, message, command) in cases {
            let examination = unreachable(server)
            #expect(examination.failures.map(\.check) == [.server])
            #expect(examination.failures.first?.message.contains(message) == true, "\(examination.failures)")
            #expect(examination.finding(.server)?.remedies.first?.command == command)
            #expect(examination.finding(.mixer)?.outcome == .skipped)
        }
        let underSudo = unreachable(cases[3].0).finding(.server)
        #expect(underSudo?.remedies.first?.note?.hasPrefix("run it without sudo") == true)
    }
}
