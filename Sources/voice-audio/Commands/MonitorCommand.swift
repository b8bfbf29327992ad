import VoiceAudio
import VoiceAudioMonitor

let monitorCommand = Command(
    name: "monitor", summary: "Captures, writes nothing, and serves a live page, metrics and reports over HTTP.",
    options: configurationOptions + [
        Option("address", "ADDRESS", help: "Where to listen: an IP address, or unix:/PATH. Default: 127.0.0.1."),
        Option("port", "NUMBER", help: "The port; 0 for one that the system chooses. Default: \(defaultPort)."),
        Option("token-file", "FILE", help: "Its first line is the token that requests have to bring."),
        Option("hosts", "NAMES", help: "Names by which clients call this machine, with commas between."),
        Option("seconds", "TIME", help: "End after this long; else at Ctrl-C or SIGTERM."),
    ],
    details: {
        """
        The URL is printed once it listens. Without a token nobody can clean up, and no address but this machine's own is
        accepted. A device that goes away is waited for, and served meanwhile, for as long as it takes; where
        VOICE_AUDIO_RECONNECT_SECONDS says how long, this ends after that. VOICE_AUDIO_MONITOR_ADDRESS, _PORT, _TOKEN,
        _TOKEN_FILE and _HOSTS are used where the options are not; a token has no option, as everybody could read that.
        """
    },
    run: { options throws(CommandFailure) in
        var configuration = try configuration(from: options)
        if configuration.origin(of: .recovery) == .default {
            configuration.recovery = .reconnect(budget: .seconds(31_536_000))
        }
        let seconds = try options["seconds"].map { text throws(CommandFailure) in
            try duration(text, option: "seconds", of: monitorCommand)
        }
        do throws(AudioError) {
            let monitor = try monitorConfiguration(options)
            try MonitoredCapture(configuration, servedBy: monitor).run(for: seconds)
        } catch {
            throw CommandFailure(error)
        }
    })

private let defaultPort = 8080

/// Options before the environment; and on, whatever that says.
private func monitorConfiguration(_ options: ParsedOptions) throws(AudioError) -> MonitorConfiguration {
    var settings = try MonitorSettings(environment: .process)
    let names: [(String, MonitorSetting)] = [
        ("address", .address), ("port", .port), ("token-file", .tokenFile), ("hosts", .hosts),
    ]
    for (name, setting) in names {
        if let text = options[name] { try settings.set(setting, to: text, as: "--" + name) }
    }
    for warning in settings.warningsWhenOn { printError("warning: \(warning)") }
    settings.turnOn(port: defaultPort)
    return try settings.configuration() ?? MonitorConfiguration()
}
