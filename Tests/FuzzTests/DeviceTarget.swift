import VoiceAudio
import VoiceAudioCore

@testable import VoiceAudioIO

extension FuzzTarget {
    /// Device names, which the real alsa-lib takes apart: quotes, arguments, definitions in place. The configuration in
    /// force knows nothing that is real.
    static let devices = FuzzTarget(
        name: "devices", share: 32,
        corpus: [
            "nothing", "numbered", "numbered:16000,2", "numbered:RATE=48000,CHANNELS=1", "plug:numbered", "sim:",
            "plug:'numbered:8000,1'", "plug:\"numbered:RATE=[8000 16000]\"", "plug:{type numbered speed 0}",
            "plug:SLAVE='numbered:44100'", "sim:tone=440", "sim:speech.wav", "usb:0d8c:0014,serial=A1,dev=0,hw",
            "usb:0d8c:0014,port=0000:00:14.0-2.1", "pci:0000:00:1f.3,dev=2", "platform:snd_aloop.0",
            "numbered:\(String(repeating: "A", count: 256))=1", "router:2", "several", "default", "split", "hw:0,0",
            "plughw:CARD=Mic,DEV=0",
        ].map { Array($0.utf8) },
        words: [
            ":", ",", "'", "\"", "{", "}", "[", "]", "=", " ", "@", "@args", "$RATE", "$", "\\", "\\'", "numbered",
            "nothing", "plug", "plug:", "plug:'", "router", "several", "split", "type numbered", "type null", "RATE=",
            "CHANNELS=", "SLAVE=", "speed 0", "rates", "16000", "sim:", "tone=", "usb:", "pci:", ",dev=", ",hw", "%2C",
        ], limit: 512
    ) { bytes in
        let name = String(decoding: bytes, as: UTF8.self)
        if let parsed = CardName(parsing: name), CardName(parsing: parsed.description) != parsed {
            throw Finding("\(parsed) is not what it was parsed from")
        }
        var configuration = AudioConfiguration()
        configuration.device = name
        _ = try? configuration.makeSource()
        do throws(AudioError) {
            // Whatever the name, ALSA gets to see it.
            let stream = try ALSASource(device: name).open(
                CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
            defer { stream.close() }
            try stream.start()
            var buffer = [UInt8](repeating: 0, count: 320)
            var span = buffer.mutableSpan
            // SAFETY: any bytes are valid.
            var bytes = unsafe span.mutableBytes
            _ = try stream.read(into: &bytes)
        } catch {
            guard !error.message.isEmpty else { throw Finding("no message: \(error.code)") }
        }
    }

    /// Names that take arguments and stand on each other, down to numbered and null devices.
    static func alsaConfiguration(plugin: String) -> String {
        """
        pcm_type.numbered { lib "\(plugin)" }
        pcm.nothing { type null }
        pcm.default "numbered"
        pcm.numbered {
            @args [ RATE CHANNELS ]
            @args.RATE { type integer default 16000 }
            @args.CHANNELS { type integer default 1 }
            type numbered speed 0 rates $RATE channels $CHANNELS
        }
        pcm.plug {
            @args [ SLAVE ]
            @args.SLAVE { type string }
            type plug
            slave.pcm $SLAVE
        }
        pcm.router {
            @args [ CHANNELS ]
            @args.CHANNELS { type integer default 2 }
            type route
            slave { pcm "numbered:16000,2" channels $CHANNELS }
            ttable.0.0 1
            ttable.1.1 1
        }
        pcm.several {
            type multi
            slaves { a { pcm "numbered" channels 1 } b { pcm "nothing" channels 1 } }
            bindings { 0 { slave a channel 0 } 1 { slave b channel 0 } }
        }
        pcm.split { type asym capture.pcm "numbered" }

        """
    }
}
