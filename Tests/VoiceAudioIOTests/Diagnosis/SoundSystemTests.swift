import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// What a diagnosis learns from the kernel's files, over trees of files.
@Suite(.timeLimit(.minutes(5))) struct SoundSystemTests {
    /// Device calls that read a tree, and know what each name means.
    private struct Calls: DiagnosisCalls {
        let tree: CardTree
        var meanings: [String: DefaultPCM] = [:]
        var hints: [PCMHint] = []

        func deviceHints() -> (status: Int32, hints: [PCMHint]) { (0, hints) }
        func cards(isBrief: Bool) -> [SoundCard] { tree.cards }
        func defaultPCM() -> DefaultPCM { meaning(ofPCM: "default") }
        func meaning(ofPCM name: String) -> DefaultPCM { meanings[name] ?? .nothing }
        func mixerElements(ofControl name: String) -> (status: Int32, elements: [MixerElement]) { (-ENOENT, []) }
    }

    private func system(
        _ device: String?, in tree: CardTree, meanings: [String: DefaultPCM] = [:]
    ) -> SoundSystem {
        var roots = tree.roots
        roots.root = tree.root
        return SoundSystem(device: device, calls: Calls(tree: tree, meanings: meanings), roots: roots)
    }

    private let microphone: [String: DefaultPCM] = ["hw:CARD=Mic": .card("Mic"), "default": .card("4")]

    @Test func aNameLeadsToItsCardAndItsCapturingNodes() throws {
        try withCardTree { tree in
            try tree.addAll()
            for (index, card) in FixtureCard.all.enumerated() { try tree.addNodes(of: card, at: index) }
            for name in ["hw:CARD=Mic", "default"] {
                let system = system(name, in: tree, meanings: microphone)
                guard case .card(let card) = system.route else {
                    Issue.record("\(system.route)")
                    return
                }
                #expect(card.id == "Mic")
                #expect(system.route.control == "hw:Mic")
                #expect(
                    system.nodes.map(\.path) == ["\(tree.root)/dev/snd/controlC4", "\(tree.root)/dev/snd/pcmC4D0c"])
                #expect(system.nodes.allSatisfy { $0.canOpen && $0.ownerID == geteuid() })
            }
            let other = system("hw:CARD=Dummy", in: tree, meanings: ["hw:CARD=Dummy": .card("Dummy")])
            #expect(other.nodes.map(\.path).allSatisfy { $0.hasSuffix("C1") || $0.hasSuffix("C1D0c") })
        }
    }

    @Test func aNameThatLeadsNowhereIsNotTakenForACard() throws {
        try withCardTree { tree in
            try tree.addAll()
            #expect(
                system("hw:CARD=Mik", in: tree, meanings: ["hw:CARD=Mik": .card("Mik")]).route == .missingCard("Mik"))
            #expect(system("nonsense", in: tree).route == .nothing)
            #expect(system("usb:0000:0001", in: tree).route == .nothing)
            #expect(system(nil, in: tree).route == .simulated)
            let server = system("default", in: tree, meanings: ["default": .plugin("pulse")]).route
            #expect(server.isServer)
            #expect(server.control == "pulse")
            #expect(!CaptureRoute.plugin("null").isServer)
        }
    }

    @Test func aKernelWithoutSoundIsToldFromOneWithoutDrivers() throws {
        try withCardTree { tree in
            #expect(!system(nil, in: tree).kernel.isLoaded)
            try tree.write("6.1.0-cloud-amd64\n", "proc/sys/kernel/osrelease")
            #expect(system(nil, in: tree).kernel.hasDrivers == nil)
            try tree.write("", "lib/modules/6.1.0-cloud-amd64/modules.dep")
            let cloud = system(nil, in: tree).kernel
            #expect(cloud.release == "6.1.0-cloud-amd64")
            #expect(cloud.hasDrivers == false)
            try tree.write("", "lib/modules/6.1.0-cloud-amd64/kernel/sound/soundcore.ko")
            #expect(system(nil, in: tree).kernel.hasDrivers == true)
            try tree.write("", "proc/asound/version")
            #expect(system(nil, in: tree).kernel.isLoaded)
        }
    }

    @Test func containersAreKnownByTheirMarks() throws {
        try withCardTree { tree in
            #expect(system(nil, in: tree).kernel.container == nil)
            #expect(!system(nil, in: tree).kernel.hasNodes)
            try tree.write("", ".dockerenv")
            #expect(system(nil, in: tree).kernel.container == .docker)
            try tree.write("", "run/.containerenv")
            try tree.write("", "dev/snd/seq")
            #expect(system(nil, in: tree).kernel.container == .podman)
            #expect(system(nil, in: tree).kernel.hasNodes)
        }
    }

    @Test func hardwareWithoutADriverIsFound() throws {
        try withCardTree { tree in
            try tree.write("0x040300\n", "sys/bus/pci/devices/0000:00:1f.3/class")
            try tree.write("0x020000\n", "sys/bus/pci/devices/0000:00:02.0/class")
            try tree.write("0x040300\n", "sys/bus/pci/devices/0000:00:03.0/class")
            try tree.link("sys/bus/pci/devices/0000:00:03.0/driver", to: "sys/bus/pci/drivers/snd_hda_intel")
            try tree.write("01\n", "sys/bus/usb/devices/1-2:1.0/bInterfaceClass")
            try tree.write("01\n", "sys/bus/usb/devices/1-2:1.1/bInterfaceClass")
            try tree.write("USB PnP Sound Device\n", "sys/bus/usb/devices/1-2/product")
            try tree.write("03\n", "sys/bus/usb/devices/1-3:1.0/bInterfaceClass")
            let found = system(nil, in: tree).kernel.driverless
            #expect(found.map(\.description) == ["PCI device 0000:00:1f.3", "USB device 1-2 (USB PnP Sound Device)"])
            #expect(
                found.map(\.command) == [
                    "sudo modprobe \"$(cat /sys/bus/pci/devices/0000:00:1f.3/modalias)\"",
                    "sudo modprobe snd-usb-audio",
                ])
        }
    }

    @Test func whoHoldsTheCardIsFoundButNotThisProcess() throws {
        try withCardTree { tree in
            try tree.addAll()
            let status = "state: RUNNING\nowner_pid   : "
            try tree.write(status + "99\n", "proc/asound/card4/pcm0c/sub0/status")
            try tree.write("arecord\n", "proc/99/comm")
            try tree.write(status + "\(getpid())\n", "proc/asound/card4/pcm0c/sub1/status")
            try tree.write(status + "98\n", "proc/asound/card1/pcm0c/sub0/status")
            let holders = system("default", in: tree, meanings: microphone).holders
            #expect(holders == [DeviceHolders.Holder(processID: 99, program: "arecord")])
        }
    }

    @Test func aNodeThatMayNotBeOpenedIsSeen() throws {
        try withTemporaryDirectory { directory in
            let path = "\(directory)/node"
            #expect(DeviceNode(at: path) == nil)
            try Data().write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
            let node = try #require(DeviceNode(at: path))
            #expect(node.canOpen)
            #expect(node.mode == 0o640)
            #expect(node.groupID == getegid())
            #expect(!node.groupName.isEmpty)
            let user = ProcessUser.current
            #expect(user.id == geteuid())
            #expect(user.groupIDs.contains(getegid()))
        }
    }

    /// Real alsa-lib, with names whose card need not exist.
    @Test func alsaTellsWhatANameMeans() {
        let calls = SystemALSACalls()
        for name in ["hw:Mic", "hw:CARD=Mic", "hw:CARD=Mic,DEV=3", "plughw:CARD=Mic", "plug:hw:Mic"] {
            #expect(calls.meaning(ofPCM: name) == .card("Mic"), "\(name)")
        }
        #expect(calls.meaning(ofPCM: "hw:2,0") == .card("2"))
        #expect(calls.meaning(ofPCM: "null") == .plugin("null"))
    }

    @Test func aMixerThatIsNotThereIsAnError() {
        let messages = ALSAMessages()
        defer { messages.end() }
        let answer = SystemALSACalls().mixerElements(ofControl: "hw:nowhere")
        #expect(answer.status < 0)
        #expect(answer.elements.isEmpty)
    }

    @Test func diskProblemsAreFoundInBothPlaces() throws {
        try withTemporaryDirectory { directory in
            #expect(DiskProblems.find(temporaryDirectory: directory, minimumFreeBytes: 0).isEmpty)
            let full = DiskProblems.find(temporaryDirectory: directory, minimumFreeBytes: .max)
            #expect(full.map(\.code) == [.diskFull, .diskFull])
            let missing = DiskProblems.find(temporaryDirectory: "\(directory)/none", minimumFreeBytes: 0)
            #expect(missing.map(\.code) == [.notWritable])
            let left = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(left.isEmpty)
        }
    }
}
