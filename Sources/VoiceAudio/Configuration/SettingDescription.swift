import VoiceAudioCore
import VoiceAudioIO

/// What is known of one setting: its variable, its default, what it accepts, and how it is read and written as text.
///
/// The table ``all`` is the only place where any of this stands.
struct SettingDescription: Sendable {
    typealias Setting = AudioConfiguration.Setting

    let setting: Setting
    /// The full name of the environment variable.
    let variable: String
    /// The default as text; what it stands for where it is not one value.
    var defaultText: String { makeDefaultText() }
    /// What the variable accepts, as text.
    var accepted: String { makeAccepted() }
    /// What the property accepts, as text.
    var acceptedOfProperty: String { makeAcceptedOfProperty() }
    /// Takes a variable's text; `false` where it is not accepted, and then the configuration is as before.
    let read: @Sendable (String, inout AudioConfiguration) -> Bool
    /// The property's value as text where it is not accepted, else `nil`.
    let refusedValue: @Sendable (AudioConfiguration) -> String?
    /// The present value.
    let value: @Sendable (AudioConfiguration) -> SettingValue

    // Made when somebody asks: most programs only read their settings.
    private let makeDefaultText: @Sendable () -> String
    private let makeAccepted: @Sendable () -> String
    private let makeAcceptedOfProperty: @Sendable () -> String

    init(
        setting: Setting, variable: String, defaultText: @autoclosure @escaping @Sendable () -> String,
        accepted: @autoclosure @escaping @Sendable () -> String,
        acceptedOfProperty: @autoclosure @escaping @Sendable () -> String,
        read: @escaping @Sendable (String, inout AudioConfiguration) -> Bool,
        refusedValue: @escaping @Sendable (AudioConfiguration) -> String?,
        value: @escaping @Sendable (AudioConfiguration) -> SettingValue
    ) {
        self.setting = setting
        self.variable = variable
        makeDefaultText = defaultText
        makeAccepted = accepted
        makeAcceptedOfProperty = acceptedOfProperty
        self.read = read
        self.refusedValue = refusedValue
        self.value = value
    }
}

extension SettingDescription {
    /// What is said of a text that ``read`` does not accept.
    func refusal(of text: String, for name: String) -> String { #"\#(name) is "\#(text)": accepted are \#(accepted)"# }

    /// What is said of a property's value that is not accepted.
    func refusal(ofProperty value: String) -> String {
        "\(setting.rawValue) is \(value): accepted are \(acceptedOfProperty)"
    }
}

/// A setting's value for people and programs.
package enum SettingValue: Sendable, Hashable {
    /// A name.
    case text(String)
    /// A number of a unit; `nil` where there is none.
    case number(Int, unit: String?)
    /// Nothing is set.
    case none
}

extension SettingValue: CustomStringConvertible {
    package var description: String {
        switch self {
        case .text(let text): text
        case .number(let number, let unit): unit.map { "\(number) \($0)" } ?? "\(number)"
        case .none: "not set"
        }
    }
}

extension SettingDescription {
    static let prefix = "VOICE_AUDIO_"

    static func of(_ setting: Setting) -> SettingDescription? { all.first { $0.setting == setting } }

    static let all: [SettingDescription] = [
        .name(
            .device, "DEVICE", get: { $0.device }, set: { $1.device = $0 },
            accepted: "an ALSA device name (255 bytes at most), usb:VENDOR:PRODUCT (,serial=TEXT or ,port=PATH where "
                + "needed), pci:ADDRESS, platform:NAME (each with ,dev=NUMBER or ,hw where wanted), sim:, sim:FILE, "
                + "sim:tone=HZ, fd:NUMBER and -",
            isAccepted: isDevice),
        .choice(
            .followsDefaultDevice, "FOLLOW_DEFAULT", \.followsDefaultDevice, among: [("no", false), ("yes", true)]),
        .integer(
            .recovery, "RECONNECT_SECONDS", \.reconnectNanoseconds, in: 0...31_536_000, unit: .seconds),
        .integer(.sampleRateHz, "SAMPLE_RATE", \.sampleRateHz, in: 1000...768_000, unit: .hertz),
        .integer(.channelCount, "CHANNELS", \.channelCount, in: 1...64, unit: .none),
        .choice(
            .monoChannel, "MONO_FROM", \.monoChannel,
            among: [("mix", .mix)] + (1...64).map { ("\($0)", .channel($0)) }, accepted: "mix, or 1 to 64 (channel)"),
        .choice(.sampleFormat, "FORMAT", \.sampleFormat, among: SampleFormat.allCases.map { ($0.rawValue, $0) }),
        .integer(
            .chunkFrameCount, "CHUNK_FRAMES", \.chunkFrameCount, in: 1...1_048_576, unit: .frames,
            defaultText: "100 ms of the rate"),
        .integer(.maxChunks, "MAX_BUFFER_SIZE", \.maxChunks, in: 1...1_000_000, unit: .chunks),
        .integer(.maxBytes, "MAX_MEMORY_MB", \.maxBytes, in: 1...1_048_576, unit: .mebibytes),
        .overflow(.overflow, "OVERFLOW_POLICY"),
        .integer(.blockDeadline, "BLOCK_MS", \.blockDeadlineNanoseconds, in: 1...60_000, unit: .milliseconds),
        .integer(.maxRecordingBytes, "MAX_RECORDING_MB", \.maxRecordingBytes, in: 1...1_048_576, unit: .mebibytes),
        .integer(.stopTimeout, "STOP_TIMEOUT_MS", \.stopTimeoutNanoseconds, in: 1...600_000, unit: .milliseconds),
        .name(
            .temporaryDirectory, "TEMP_DIR", get: { $0.temporaryDirectory }, set: { $1.temporaryDirectory = $0 },
            accepted: "absolute paths", isAccepted: { $0.hasPrefix("/") && isPrintable($0) },
            defaultText: "the system's"),
        .integer(
            .minimumFreeDiskBytes, "MIN_FREE_DISK_MB", \.minimumFreeDiskBytes, in: 0...1_048_576, unit: .mebibytes),
        .integer(.flacCompression, "FLAC_COMPRESSION", \.flacCompression, in: 0...8, unit: .none),
        .integer(
            .opusKilobitsPerSecond, "OPUS_KBPS", \.opusKilobitsPerSecond, in: 6...256, unit: .kilobitsPerSecond),
        .integer(.realtimePriority, "REALTIME_PRIORITY", \.realtimePriority, in: 0...99, unit: .none),
        .choice(.logLevel, "LOG_LEVEL", \.logLevel, among: AudioLogLevel.allCases.map { ($0.rawValue, $0) }),
        .integer(
            .resultMemoryPercent, "RESULT_MEMORY_PERCENT", \.resultMemoryPercent, in: 1...90, unit: .percent),
        .integer(
            .pressureModeratePercent, "PRESSURE_MODERATE", \.pressureModeratePercent, in: 1...99, unit: .percent),
        .integer(.pressureHighPercent, "PRESSURE_HIGH", \.pressureHighPercent, in: 1...99, unit: .percent),
        .integer(
            .pressureCriticalPercent, "PRESSURE_CRITICAL", \.pressureCriticalPercent, in: 1...99, unit: .percent),
    ]

    /// Variables of other parts of the library, which read them themselves.
    private static let suffixesOfOtherParts = [
        "MONITOR_ADDRESS", "MONITOR_PORT", "MONITOR_TOKEN", "MONITOR_TOKEN_FILE", "MONITOR_HOSTS",
    ]

    /// One line for each name with the prefix that no part of the library knows.
    static func warnings(about names: [String]) -> [String] {
        let known = all.map(\.variable) + suffixesOfOtherParts.map { prefix + $0 }
        return names.filter { $0.hasPrefix(prefix) && !known.contains($0) }.map { name in
            // The table is not empty, so there is a nearest name.
            let nearest = known.min { editDistance(from: name, to: $0) < editDistance(from: name, to: $1) } ?? prefix
            return "\(name) is not a known variable and has no effect; the nearest known one is \(nearest)"
        }
    }

    /// Whether a source can be made of it. What the names of ALSA's devices look like, ALSA decides.
    private static func isDevice(_ name: String) -> Bool {
        if name.hasPrefix("sim:") { return isPrintable(name) && (try? SimulatedSource(device: name)) != nil }
        if name == "-" || name.hasPrefix("fd:") { return DescriptorSource.isName(name) }
        return isPrintable(name) && ALSASource.isWellFormed(name)
    }

    private static func isPrintable(_ text: String) -> Bool {
        !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}
