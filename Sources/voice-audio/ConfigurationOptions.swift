import VoiceAudio
import VoiceAudioMonitor

/// Options that set a setting, for every command that captures.
let configurationOptions = [
    Option("device", "NAME", help: "Capture from: a name that devices lists, sim:, sim:FILE, sim:tone=HZ, - or fd:N."),
    Option("rate", "HZ", help: "Frames per second."),
    Option("channels", "COUNT", help: "Samples in a frame."),
    Option("mono-from", "CHANNEL", help: "What one channel is made of: mix, or a channel's number from 1."),
    Option("format", "NAME", help: "How a sample is stored: s16, s24, s32 or f32."),
    Option("flac-compression", "LEVEL", help: "How small to make FLAC files, at the cost of time: 0 to 8."),
    Option("opus-kbps", "NUMBER", help: "kbit/s of an Ogg Opus file for each channel: 6 to 256."),
]

/// The settings: options before the environment before defaults.
func configuration(from options: ParsedOptions) throws(CommandFailure) -> AudioConfiguration {
    do throws(AudioError) { return try settings(from: options) } catch { throw CommandFailure(error) }
}

/// The same, with what is not accepted as the library says it.
func settings(from options: ParsedOptions) throws(AudioError) -> AudioConfiguration {
    let settings: [(String, AudioConfiguration.Setting)] = [
        ("device", .device), ("rate", .sampleRateHz), ("channels", .channelCount),
        ("mono-from", .monoChannel), ("format", .sampleFormat),
        ("flac-compression", .flacCompression), ("opus-kbps", .opusKilobitsPerSecond),
    ]
    var configuration = try AudioConfiguration(environment: .process)
    for (name, setting) in settings {
        if let text = options[name] { try configuration.set(setting, to: text, as: "--" + name) }
    }
    try configuration.validate()
    return configuration
}

/// What the environment says of a monitor.
func monitorSettings() throws(CommandFailure) -> MonitorSettings {
    do throws(AudioError) { return try MonitorSettings(environment: .process) } catch { throw CommandFailure(error) }
}
