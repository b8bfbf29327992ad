import VoiceAudio

let recordCommand = Command(
    name: "record", summary: "Records to a file, until Ctrl-C or for a time, in constant memory.",
    options: configurationOptions + [
        Option("seconds", "TIME", help: "Stop after this much audio, such as 2 or 0.5; else at Ctrl-C or SIGTERM."),
        Option("output", "FILE", help: "Where to write; - is raw samples to a pipe. Default: voice-audio-TIME.wav."),
        Option("type", "NAME", help: "wav, flac or opus; else what the suffix of FILE says."),
        Option("rotate-seconds", "TIME", help: "Go on in another file after this much audio."),
        Option("rotate-megabytes", "NUMBER", help: "Go on in another file before one is larger, in MiB."),
        Option("keep-files", "NUMBER", help: "Remove the oldest files of the rotation, so that so many stay."),
        Option("meter", help: "Show level, peak, fill, losses and memory as a bar and figures while it records."),
        Option("json", help: "Print a report as JSON at the end."),
    ],
    details: {
        """
        The file can be read from the first second on: a crash costs at most the last one. From 4 GiB on WAV is RF64. An
        existing file is replaced. Files of a rotation are FILE with a number before the suffix, meeting-000001.wav and so
        on, after those that are there. With --output - samples go to standard output, interleaved and little endian, and
        the report to standard error.
        The bar of --meter goes from -60 to 0 dBFS and fits the terminal's width; its mark is the highest peak of the last 1.5
        s. NO_COLOR leaves its colours out. Where standard error is no terminal, or TERM is dumb, it is a line a second.
        """
    },
    run: { options throws(CommandFailure) in
        let configuration = try configuration(from: options)
        let seconds = try options["seconds"].map { text throws(CommandFailure) in
            try duration(text, option: "seconds", of: recordCommand)
        }
        let output = try RecordingOutput(options, configuration)
        try Recorder(configuration: configuration, length: seconds, output: output, hasMeter: options.has("meter"))
            .run(reportsJSON: options.has("json"))
    })

extension RecordingOutput {
    /// - Throws: Wrong use, or a suffix that names no type.
    fileprivate init(_ options: ParsedOptions, _ configuration: AudioConfiguration) throws(CommandFailure) {
        let rotation = try rotation(from: options)
        if options["output"] == "-" {
            guard rotation == nil, !options.has("type") else {
                throw CommandFailure(
                    usage: "with --output - there is no file: --type and --rotate-… have no place", of: recordCommand)
            }
            self = .pipe
            return
        }
        var type: RecordingFileType?
        if let name = options["type"] {
            type = RecordingFileType(
                named: name, flacCompression: configuration.flacCompression,
                opusKilobitsPerSecond: configuration.opusKilobitsPerSecond)
            guard type != nil else {
                throw CommandFailure(
                    usage: "--type is \"\(name)\": accepted are wav, flac and opus", of: recordCommand)
            }
        }
        let path = options["output"] ?? defaultFileName(suffix: (type ?? .wav).suffix)
        do throws(AudioError) {
            let chosenType = if let type { type } else { try configuration.fileType(of: path) }
            self = .file(path, chosenType, rotation)
        } catch {
            throw CommandFailure(error)
        }
    }
}

private func rotation(from options: ParsedOptions) throws(CommandFailure) -> RecordingRotation? {
    let rotation = RecordingRotation(
        maximumDuration: try options["rotate-seconds"].map { text throws(CommandFailure) in
            try duration(text, option: "rotate-seconds", of: recordCommand)
        },
        maximumByteCount: try options["rotate-megabytes"].map { text throws(CommandFailure) in
            try count(text, of: "rotate-megabytes", upTo: 1 << 20) << 20
        },
        keptFileCount: try options["keep-files"].map { text throws(CommandFailure) in
            try count(text, of: "keep-files", upTo: 1_000_000)
        })
    if rotation.maximumDuration != nil || rotation.maximumByteCount != nil { return rotation }
    guard rotation.keptFileCount == nil else {
        throw CommandFailure(usage: "--keep-files needs --rotate-seconds or --rotate-megabytes", of: recordCommand)
    }
    return nil
}

/// A positive decimal number of seconds, to the nanosecond.
func duration(_ text: String, option: String, of command: Command) throws(CommandFailure) -> Duration {
    guard let seconds = Double(text), seconds > 0, seconds <= 1e9 else {
        throw CommandFailure(
            usage: "--\(option) is \"\(text)\": accepted are numbers above 0, up to 1000000000", of: command)
    }
    return .nanoseconds(Int64((seconds * 1e9).rounded()))
}

/// A whole number from 1 on.
private func count(_ text: String, of option: String, upTo limit: Int) throws(CommandFailure) -> Int {
    guard let count = Int(text), (1...limit).contains(count) else {
        throw CommandFailure(
            usage: "--\(option) is \"\(text)\": accepted are whole numbers from 1 to \(limit)", of: recordCommand)
    }
    return count
}
