/// One sound card's files, copied from a machine with Linux 6.1 and these cards.
struct FixtureCard {
    var id: String
    var driver: String
    var name: String
    var longName: String
    var bus: String
    /// Below `/sys/devices`.
    var device: String
    var deviceFiles: [String: String] = [:]
    /// Below `/proc/asound/card?`.
    var procFiles: [String: String] = [:]
    /// Directory, name, subdevices.
    var pcms: [(String, String, Int)]

    static let all = [loopback, dummy, hda, usbSpeaker, microphone]

    static let loopback = FixtureCard(
        id: "Loopback", driver: "Loopback", name: "Loopback", longName: "Loopback 1", bus: "platform",
        device: "platform/snd_aloop.0",
        pcms: [
            ("pcm0c", "Loopback PCM", 8), ("pcm0p", "Loopback PCM", 8), ("pcm1c", "Loopback PCM", 8),
            ("pcm1p", "Loopback PCM", 8),
        ])

    static let dummy = FixtureCard(
        id: "Dummy", driver: "Dummy", name: "Dummy", longName: "Dummy 1", bus: "platform",
        device: "platform/snd_dummy.0", pcms: [("pcm0c", "Dummy PCM", 8), ("pcm0p", "Dummy PCM", 8)])

    static let hda = FixtureCard(
        id: "HDA", driver: "HDA-Intel", name: "HDA Intel", longName: "HDA Intel at 0xfe400000 irq 29", bus: "pci",
        device: "pci0000:00/0000:00:02.0/0000:01:00.0", procFiles: ["codec#0": codec],
        pcms: [("pcm0c", "Generic Analog", 1), ("pcm0p", "Generic Analog", 1)])

    static let usbSpeaker = FixtureCard(
        id: "USB", driver: "USB-Audio", name: "QEMU USB Audio",
        longName: "QEMU QEMU USB Audio at usb-0000:00:03.0-1, full speed", bus: "usb",
        device: "pci0000:00/0000:00:03.0/usb17/17-1/17-1:1.0",
        deviceFiles: [
            "pci0000:00/0000:00:03.0/usb17/17-1/idVendor": "46f4",
            "pci0000:00/0000:00:03.0/usb17/17-1/idProduct": "0002",
            "pci0000:00/0000:00:03.0/usb17/17-1/serial": "1-0000:00:03.0-1",
            "pci0000:00/0000:00:03.0/usb17/17-1/devpath": "1",
        ],
        procFiles: [
            "stream0": """
            QEMU QEMU USB Audio at usb-0000:00:03.0-1, full speed : USB Audio

            Playback:
              Status: Stop
              Interface 1
                Altset 1
                Format: S16_LE
                Channels: 2
                Endpoint: 0x01 (1 OUT) (SYNC)
                Rates: 48000
                Bits: 16
                Channel map: FL FR

            """
        ], pcms: [("pcm0p", "USB Audio", 1)])

    static let microphone = microphone(id: "Mic", port: "1")
    /// A second one of the kind, with the same serial number, as cheap ones have.
    static let otherMicrophone = microphone(id: "Mic_1", port: "2")

    /// - Parameter port: The port of the root hub.
    static func microphone(id: String, port: String, serial: String? = "1") -> FixtureCard {
        let device = "platform/vhci_hcd.0/usb1/1-\(port)"
        var files = ["\(device)/idVendor": "1d6b", "\(device)/idProduct": "0101", "\(device)/devpath": port]
        files["\(device)/serial"] = serial
        return FixtureCard(
            id: id, driver: "USB-Audio", name: "Numbered frames",
            longName: "real-kernel Numbered frames at usb-vhci_hcd.0-\(port), full speed", bus: "usb",
            device: "\(device)/1-\(port):1.0", deviceFiles: files, procFiles: ["stream0": stream],
            pcms: [("pcm0c", "USB Audio", 1)])
    }

    static let stream = """
        real-kernel Numbered frames at usb-vhci_hcd.0-1, full speed : USB Audio

        Capture:
          Status: Stop
          Interface 1
            Altset 1
            Format: S16_LE
            Channels: 2
            Endpoint: 0x81 (1 IN) (ASYNC)
            Rates: 16000, 44100, 48000
            Bits: 16
            Channel map: FL FR

        """

    static let codec = """
        Codec: QEMU Generic
        Address: 0
        AFG Function Id: 0x1 (unsol 0)
        Vendor Id: 0x1af40032
        Subsystem Id: 0x1af40032
        Revision Id: 0x100101
        No Modem Function Group found
        Default PCM:
            rates [0x1fc]: 16000 22050 32000 44100 48000 88200 96000
            bits [0x2]: 16
            formats [0x1]: PCM
        Default Amp-In caps: N/A
        Default Amp-Out caps: N/A
        State of AFG node 0x01:
          Power states: 
          Power: setting=D0, actual=D0
        GPIO: io=0, o=0, i=0, unsolicited=0, wake=0
        Node 0x02 [Audio Output] wcaps 0x1d: Stereo Amp-Out
          Control: name="Master Playback Volume", index=0, device=0
            ControlAmp: chs=3, dir=Out, idx=0, ofs=0
          Device: name="Generic Analog", type="Audio", device=0
          Amp-Out caps: ofs=0x4a, nsteps=0x4a, stepsize=0x03, mute=1
          Amp-Out vals:  [0x80 0x80]
          Converter: stream=0, channel=0
          PCM:
            rates [0x1fc]: 16000 22050 32000 44100 48000 88200 96000
            bits [0x2]: 16
            formats [0x1]: PCM
        Node 0x03 [Pin Complex] wcaps 0x400101: Stereo
          Pincap 0x00000010: OUT
          Pin Default 0x00104010: [Jack] Speaker at Ext N/A
            Conn = Unknown, Color = Green
            DefAssociation = 0x1, Sequence = 0x0
          Pin-ctls: 0x40: OUT
          Connection: 1
             0x02
        Node 0x04 [Audio Input] wcaps 0x10011b: Stereo Amp-In
          Control: name="Capture Volume", index=0, device=0
            ControlAmp: chs=3, dir=In, idx=0, ofs=0
          Device: name="Generic Analog", type="Audio", device=0
          Amp-In caps: ofs=0x4a, nsteps=0x4a, stepsize=0x03, mute=1
          Amp-In vals:  [0x80 0x80]
          Converter: stream=0, channel=0
          SDI-Select: 0
          PCM:
            rates [0x1fc]: 16000 22050 32000 44100 48000 88200 96000
            bits [0x2]: 16
            formats [0x1]: PCM
          Connection: 1
             0x05
        Node 0x05 [Pin Complex] wcaps 0x400001: Stereo
          Pincap 0x00000020: IN
          Pin Default 0x00a05020: [Jack] Mic at Ext N/A
            Conn = Unknown, Color = Red
            DefAssociation = 0x2, Sequence = 0x0
          Pin-ctls: 0x20: IN

        """
}
