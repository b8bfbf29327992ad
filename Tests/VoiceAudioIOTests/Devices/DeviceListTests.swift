import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

@Suite struct DeviceListTests {
    @Test func listsInputsOfHintsAndCardsAndOpensNoPCM() throws {
        let script = ALSAScript {
            $0.hints = [
                PCMHint(name: "default", description: "Default\nof the system", direction: nil),
                PCMHint(name: "front:CARD=PCH,DEV=0", description: "Speakers", direction: "Output"),
                PCMHint(name: "sysdefault:CARD=HDMI", description: "HDMI", direction: nil),
                PCMHint(name: "plughw:CARD=Mic,DEV=0", description: "USB Mic", direction: "Input"),
            ]
            $0.cards = [
                SoundCard(index: 0, id: "HDMI", name: "HDA HDMI", captureDevices: [:]),
                SoundCard(index: 1, id: "Mic", name: "USB Mic", captureDevices: [0: "USB Audio"]),
            ]
        }
        let devices = try CaptureDevices.list(script)
        #expect(devices.map(\.name) == ["default", "plughw:CARD=Mic,DEV=0", "hw:CARD=Mic,DEV=0"])
        #expect(devices.map(\.isDefault) == [true, false, false])
        #expect(devices.map(\.cardIndex) == [nil, 1, 1])
        #expect(devices[0].description == "Default, of the system")
        #expect(script.count("open") == 0)
    }

    @Test func failureIsAnError() {
        let script = ALSAScript { $0.failures["deviceHints"] = -5 }
        let error = #expect(throws: AudioError.self) { try CaptureDevices.list(script) }
        #expect(error?.code == .deviceFailed)
    }

    @Test func holderIsFoundByTheKernelsStatusAndByDescriptors() throws {
        try withTemporaryDirectory { root in
            func write(_ text: String, _ path: String) throws {
                let url = URL(fileURLWithPath: "\(root)/\(path)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try text.write(to: url, atomically: false, encoding: .utf8)
            }
            try write("PCH\n", "asound/card0/id")
            try write("Mic\n", "asound/card1/id")
            try write("closed\n", "asound/card0/pcm0c/sub0/status")
            try write("state: RUNNING\nowner_pid   : 4711\n", "asound/card1/pcm0c/sub0/status")
            try write("state: RUNNING\nowner_pid   : 99\n", "asound/card1/pcm0p/sub0/status")
            try write("arecord\n", "4711/comm")
            try write("recorder\n", "4712/comm")
            try FileManager.default.createDirectory(atPath: "\(root)/4712/fd", withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                atPath: "\(root)/4712/fd/5", withDestinationPath: "/dev/snd/pcmC0D0c")

            #expect(DeviceHolders.holders(device: "plughw:CARD=Mic,DEV=0", root: root).map(\.processID) == [4711])
            #expect(DeviceHolders.holders(device: "hw:0", root: root).map(\.program) == ["recorder"])
            #expect(
                DeviceHolders.summary(device: "default", root: root)
                    == "held by arecord (process 4711), recorder (process 4712)")
            #expect(DeviceHolders.summary(device: "default", root: "\(root)/none").contains("another program"))
        }
    }

    @Test func hardwareFormatComesFromTheKernel() throws {
        try withTemporaryDirectory { root in
            let directory = "\(root)/asound/card2/pcm0c/sub1"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let text = """
                access: MMAP_INTERLEAVED
                format: S32_LE
                subformat: STD
                channels: 2
                rate: 48000 (48000/1)
                period_size: 480
                buffer_size: 1920

                """
            try text.write(toFile: directory + "/hw_params", atomically: false, encoding: .utf8)
            let place = PCMPlace(card: 2, device: 0, subdevice: 1)
            let format = try #require(HardwareFormat(of: place, root: root))
            #expect(
                format == HardwareFormat(sampleRateHz: 48_000, channelCount: 2, layout: "S32_LE", bufferFrames: 1920))
            #expect(format.description == "48000 Hz, 2 ch, S32_LE")
            // A file that is there, but says that nobody has the device open.
            try "closed\n".write(toFile: directory + "/hw_params", atomically: false, encoding: .utf8)
            #expect(HardwareFormat(of: place, root: root) == nil)
        }
    }
}
