import VoiceAudio

let devicesCommand = Command(
    name: "devices", summary: "Lists what can be captured from, without opening it.",
    options: [Option("json", help: "Print JSON.")],
    details: {
        """
        Names are for --device and VOICE_AUDIO_DEVICE. Besides these, sim: is built-in speech, sim:FILE a sound file and
        sim:tone=HZ a tone.
        """
    },
    run: { options throws(CommandFailure) in
        let devices: [CaptureDevice]
        do throws(AudioError) { devices = try CaptureDevices.list() } catch { throw CommandFailure(error) }
        if options.has("json") {
            try printJSON(devices)
        } else {
            let rows = devices.map { [$0.name, $0.cardName ?? "-", $0.description] }
            print(aligned([["NAME", "CARD", "DESCRIPTION"]] + rows))
        }
        if devices.allSatisfy({ $0.cardID == nil }) {
            printError("note: there is no sound card with a microphone; sim: captures built-in speech without one")
        }
    })
