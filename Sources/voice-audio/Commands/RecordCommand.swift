import VoiceAudio

let recordCommand = Command(
    name: "record", summary: "Records to a WAV file, until Ctrl-C or for a time, in constant memory.",
    options: configurationOptions + [
        Option("seconds", "TIME", help: "Stop after this much audio, such as 2 or 0.5; else at Ctrl-C or SIGTERM."),
        Option("output", "FILE", help: "Where to write; - is raw samples to a pipe. Default: voice-audio-TIME.wav."),
        Option("json", help: "Print a report as JSON at the end."),
    ],
    details: {
        """
        The file is there from the first second on, with a valid header that is brought up to date every second. An
        existing file is replaced. With --output - samples go to standard output, interleaved and little endian, and the
        report to standard error.
        """
    },
    run: { options throws(CommandFailure) in
        let configuration = try configuration(from: options)
        let seconds = try options["seconds"].map { text throws(CommandFailure) in try duration(text, of: recordCommand)
        }
        try Recorder(configuration: configuration, length: seconds, output: options["output"] ?? defaultFileName())
            .run(reportsJSON: options.has("json"))
    })

/// A positive decimal number of seconds, to the nanosecond.
func duration(_ text: String, of command: Command) throws(CommandFailure) -> Duration {
    guard let seconds = Double(text), seconds > 0, seconds <= 1e9 else {
        throw CommandFailure(
            usage: "--seconds is \"\(text)\": accepted are numbers above 0, up to 1000000000", of: command)
    }
    return .nanoseconds(Int64((seconds * 1e9).rounded()))
}
