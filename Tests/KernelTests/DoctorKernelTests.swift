import Foundation
import TestSupport
import Testing
import VoiceAudio

extension KernelTests {
    /// `voice-audio doctor` on real cards: each cause is made, named, and mended by the very command that it prints.
    @Suite struct DoctorKernelTests {
        private struct Visit {
            let status: Int
            let diagnosis: Diagnosis

            func finding(_ check: Finding.Check) throws -> Finding {
                try #require(diagnosis.findings.first { $0.check == check }, "\(diagnosis.findings)")
            }
        }

        /// - Parameter user: Runs it as that one, not as root.
        private func visit(_ device: String, as user: String? = nil, seconds: Double = 0.5) throws -> Visit {
            let command = "/guest/voice-audio doctor --device \(device) --seconds \(seconds) --json"
            let whole = user.map { "su -s /bin/sh \($0) -c '\(command)'" } ?? command
            let text = try KernelGuest.run("sh -c \"\(whole); echo $?\"".replacing("$?", with: "\\$?"))
            let end = try #require(text.trimmingCharacters(in: .newlines).lastIndex(of: "\n"))
            let status = Int(text[end...].trimmingCharacters(in: .newlines)) ?? -1
            return Visit(
                status: status, diagnosis: try JSONDecoder().decode(Diagnosis.self, from: Data(text[..<end].utf8)))
        }

        private func run(_ finding: Finding) throws {
            try KernelGuest.run("sh -c \"\(try #require(finding.remedies.first?.command))\" >/dev/null")
        }

        @Test func soundThatComesIsFine() throws {
            let visit = try visit("hw:CARD=Mic")
            #expect(visit.status == 0)
            #expect(visit.diagnosis.firstFailure == nil)
            // Numbers for samples may look like a direct current.
            #expect(
                visit.diagnosis.findings.allSatisfy { $0.outcome == .fine || $0.check == .sound },
                "\(visit.diagnosis.findings)")
            #expect(try #require(visit.diagnosis.capture).conversions == ["mean of 2 channels"])
        }

        @Test(arguments: [
            ("HDA", "sset Capture 50%,50% nocap", "amixer -c HDA sset 'Capture' cap"),
            ("HDA", "sset Capture 0% nocap", "amixer -c HDA sset 'Capture' cap 80%"),
            ("HDA", "sset Capture 0% cap", "amixer -c HDA sset 'Capture' cap 80%"),
            ("Dummy", "sset Mic nocap", "amixer -c Dummy sset 'Mic' cap"),
        ])
        func aMutedMixerIsNamedAndItsCommandMendsIt(card: String, mute: String, command: String) throws {
            try KernelGuest.run("amixer -q -c \(card) \(mute)")
            let muted = try visit("hw:CARD=\(card)").finding(.mixer)
            #expect(muted.outcome == .failure)
            #expect(muted.remedies.first?.command == command)
            try run(muted)
            let mended = try visit("hw:CARD=\(card)")
            #expect(try mended.finding(.mixer).outcome == .fine)
            // What these two capture is digital silence, whatever their mixers are set to.
            #expect(try mended.finding(.sound).message.contains("exact zeros"))
            #expect(mended.diagnosis.firstFailure?.check == .sound)
            #expect(mended.status == 74)
        }

        @Test func whoHoldsTheDeviceIsNamedAndItsCommandEndsIt() throws {
            let holder = try KernelGuest.start("arecord -q -D hw:CARD=Mic -f S16_LE -r 16000 -c 2 /dev/null")
            try KernelGuest.run(
                "sh -c 'until grep -q owner_pid /proc/asound/Mic/pcm0c/sub0/status; do usleep 20000; done'")
            let busy = try visit("hw:CARD=Mic")
            #expect(busy.status == 69)
            let finding = try busy.finding(.busy)
            #expect(
                finding.message == "\"hw:CARD=Mic\" is busy: held by arecord (process \(holder.processIdentifier))")
            #expect(finding.remedies.first?.command == "kill \(holder.processIdentifier)")
            #expect(try busy.finding(.sound).outcome == .skipped)
            try run(finding)
            holder.waitUntilExit()
            #expect(try visit("hw:CARD=Mic").status == 0)
        }

        @Test func whatKeepsAUserOutIsNamedAndItsCommandLetsThemIn() throws {
            let nodes = "/dev/snd/controlC4 /dev/snd/pcmC4D0c"
            try KernelGuest.run(
                "sh -c 'cp /etc/passwd /etc/group /tmp; echo speaker:x:1000:1000::/tmp:/bin/sh >>/etc/passwd'")
            defer {
                _ = try? KernelGuest.run(
                    "sh -c 'cp /tmp/passwd /tmp/group /etc; chmod 600 \(nodes); chgrp root \(nodes)'")
            }
            try KernelGuest.run("sh -c 'chgrp audio \(nodes); chmod 660 \(nodes)'")
            let outsider = try visit("hw:CARD=Mic", as: "speaker")
            #expect(outsider.status == 77)
            let finding = try outsider.finding(.permission)
            #expect(finding.message == "no capture device: /dev/snd is there, but you are not in group \"audio\"")
            #expect(finding.remedies.map(\.command) == ["sudo usermod -aG audio $USER"])
            // There is no usermod in the guest: what it would do.
            try KernelGuest.run("sed -i s/^audio:.*/audio:x:29:speaker/ /etc/group")
            #expect(try visit("hw:CARD=Mic", as: "speaker").status == 0)

            try KernelGuest.run("chmod 600 \(nodes)")
            let closed = try visit("hw:CARD=Mic", as: "speaker").finding(.permission)
            #expect(closed.outcome == .failure)
            #expect(closed.remedies.map(\.command) == ["sudo chmod g+rw \(nodes)"])
            try KernelGuest.run("chmod g+rw \(nodes)")
            #expect(try visit("hw:CARD=Mic", as: "speaker").status == 0)
        }

        @Test func aWrongNameIsMendedByTheNameThatIsMeant() throws {
            let slip = try visit("hw:CARD=Mik")
            #expect(slip.status == 66)
            let finding = try slip.finding(.device)
            #expect(finding.outcome == .failure)
            #expect(finding.remedies.first?.command == "export VOICE_AUDIO_DEVICE=hw:CARD=Mic,DEV=0")
            #expect(try visit("hw:CARD=Mic,DEV=7").finding(.device).remedies.first?.command?.hasSuffix("DEV=0") == true)
            #expect(try visit("hw:CARD=USB").finding(.device).message.hasSuffix("which only plays"))
        }

        @Test func hardwareWhoseDriverIsNotLoadedIsNamedAndItsCommandLoadsIt() throws {
            try KernelGuest.run("rmmod snd-hda-intel")
            defer {
                // With the name and number that the other tests know.
                _ = try? KernelGuest.run(
                    "sh -c 'rmmod snd-hda-intel; modprobe snd-hda-intel index=2 id=HDA; \(whenThere(card: 2))'")
            }
            let finding = try visit("hw:CARD=HDA").finding(.device)
            #expect(finding.outcome == .failure)
            let command = try #require(finding.remedies.compactMap(\.command).first { $0.contains("modprobe") })
            #expect(command == "sudo modprobe \"$(cat /sys/bus/pci/devices/0000:00:02.0/modalias)\"")
            // The guest is root, and has no sudo.
            try KernelGuest.run("sh -c '\(command.dropFirst("sudo ".count)); \(whenThere(card: 2))'")
            #expect(CaptureDevices.cards().contains { $0.identity.path == "0000:00:02.0" })
        }

        /// Waits, in a shell, until a card's PCM can be opened.
        private func whenThere(card: Int) -> String {
            "for i in $(seq 250); do test -e /dev/snd/pcmC\(card)D0c && exit 0; usleep 20000; done; exit 1"
        }

        @Test func aStalledMicrophoneIsNamed() throws {
            try KernelGuest.run("card-stall Mic")
            let stalled = try visit("hw:CARD=Mic")
            try KernelGuest.run("card-stall Mic")
            #expect(stalled.status == 74)
            #expect(try stalled.finding(.sound).message.contains("no frames come"))
            #expect(try visit("hw:CARD=Mic").status == 0)
        }

        @Test func anUnpluggedMicrophoneIsNamed() throws {
            try KernelGuest.run("card-unplug Mic")
            #expect(try visit("hw:CARD=Mic").finding(.device).outcome == .failure)
            try KernelGuest.run("card-plug Mic")
            #expect(try visit("hw:CARD=Mic").status == 0)
        }
    }
}
