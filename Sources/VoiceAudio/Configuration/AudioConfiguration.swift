public import VoiceAudioCore
public import VoiceAudioIO

/// Every setting of capture, recording, temporary files and memory: its value, and where that came from.
///
/// What the program sets wins over the environment, and that over the default. Nothing is silently corrected: a value
/// that is not accepted is an error that names the setting, the value and what is accepted.
///
/// ```swift
/// var configuration = try AudioConfiguration(environment: .process)   // VOICE_AUDIO_*
/// configuration.device = "hw:CARD=Mic2"
/// configuration.origin(of: .device)                                   // .explicit
/// ```
///
/// Properties may be set to anything; ``validate()`` tells what is not accepted, and everything that takes a
/// configuration calls it.
public struct AudioConfiguration: Sendable {
    /// `VOICE_AUDIO_DEVICE`: an ALSA PCM name, `sim:` (built-in speech), `sim:FILE` or `sim:tone=HZ`, or what
    /// another program sends: `-` (standard input) or `fd:N`.
    public var device = "default" { didSet { origins[.device] = .explicit } }

    /// `VOICE_AUDIO_FOLLOW_DEFAULT`: whether a capture from the device `default` goes on with another card when `default`
    /// comes to mean that. Behind a sound server, which follows by itself, it makes no difference.
    public var followsDefaultDevice = false { didSet { origins[.followsDefaultDevice] = .explicit } }

    /// `VOICE_AUDIO_RECONNECT_SECONDS`, there the budget, and 0 for failing at once: what a capture does when its device goes
    /// away. A budget of up to a year; ``CaptureHealth`` tells meanwhile.
    public var recovery = RecoveryPolicy.standard { didSet { origins[.recovery] = .explicit } }

    /// `VOICE_AUDIO_SAMPLE_RATE`: frames per second, 1,000 to 768,000.
    public var sampleRateHz = 16_000 { didSet { origins[.sampleRateHz] = .explicit } }

    /// `VOICE_AUDIO_CHANNELS`: samples in a frame, 1 to 64.
    public var channelCount = 1 { didSet { origins[.channelCount] = .explicit } }

    /// `VOICE_AUDIO_MONO_FROM`: what one channel is made of where the device has several: their mean, or one of them.
    public var monoChannel = MonoChannel.mix { didSet { origins[.monoChannel] = .explicit } }

    /// `VOICE_AUDIO_FORMAT`: how a sample is stored.
    public var sampleFormat = SampleFormat.s16 { didSet { origins[.sampleFormat] = .explicit } }

    /// `VOICE_AUDIO_CHUNK_FRAMES`: frames in a chunk, 1 to 1,048,576.
    ///
    /// Until it is set, 100 ms of ``sampleRateHz``, also where that changes later.
    public var chunkFrameCount: Int {
        get { chosenChunkFrameCount ?? max(1, sampleRateHz / 10) }
        set { chosenChunkFrameCount = newValue }
    }

    private var chosenChunkFrameCount: Int? { didSet { origins[.chunkFrameCount] = .explicit } }

    /// `VOICE_AUDIO_MAX_BUFFER_SIZE`: chunks that the ring holds at most, 1 to 1,000,000.
    public var maxChunks = 300 { didSet { origins[.maxChunks] = .explicit } }

    /// `VOICE_AUDIO_MAX_MEMORY_MB`, there in MiB: bytes that the ring holds at most, up to 1 TiB.
    public var maxBytes = 100 * 1_048_576 { didSet { origins[.maxBytes] = .explicit } }

    /// `VOICE_AUDIO_OVERFLOW_POLICY` and `VOICE_AUDIO_BLOCK_MS`: what the ring does when it is full.
    public var overflow = OverflowPolicy.original {
        didSet {
            origins[.overflow] = .explicit
            origins[.blockDeadline] = .explicit
        }
    }

    /// `VOICE_AUDIO_MAX_RECORDING_MB`, there in MiB: bytes that a recording hands back at most, up to 1 TiB.
    public var maxRecordingBytes = 100 * 1_048_576 { didSet { origins[.maxRecordingBytes] = .explicit } }

    /// `VOICE_AUDIO_STOP_TIMEOUT_MS`: how long stopping may take, up to 10 minutes.
    public var stopTimeout = Duration.milliseconds(2000) { didSet { origins[.stopTimeout] = .explicit } }

    /// `VOICE_AUDIO_TEMP_DIR`: absolute path of the directory for temporary files; `nil` for the system's.
    public var temporaryDirectory: String? { didSet { origins[.temporaryDirectory] = .explicit } }

    /// `VOICE_AUDIO_MIN_FREE_DISK_MB`, there in MiB: bytes of disk that writing leaves free, up to 1 TiB.
    public var minimumFreeDiskBytes = 1024 * 1_048_576 { didSet { origins[.minimumFreeDiskBytes] = .explicit } }

    /// `VOICE_AUDIO_FLAC_COMPRESSION`: how small to make FLAC files, at the cost of time, 0 to 8.
    public var flacCompression = 5 { didSet { origins[.flacCompression] = .explicit } }

    /// `VOICE_AUDIO_OPUS_KBPS`: kbit/s of an Ogg Opus file for each channel, 6 to 256.
    public var opusKilobitsPerSecond = 32 { didSet { origins[.opusKilobitsPerSecond] = .explicit } }

    /// `VOICE_AUDIO_REALTIME_PRIORITY`: `SCHED_FIFO` priority of the capture thread, 1 to 99; 0 leaves it as it is.
    public var realtimePriority = 0 { didSet { origins[.realtimePriority] = .explicit } }

    /// `VOICE_AUDIO_LOG_LEVEL`: the least severe level that is logged.
    public var logLevel = AudioLogLevel.info { didSet { origins[.logLevel] = .explicit } }

    /// `VOICE_AUDIO_RESULT_MEMORY_PERCENT`: percent of the memory that this process may use in which results are held, 1 to 90.
    public var resultMemoryPercent = 20 { didSet { origins[.resultMemoryPercent] = .explicit } }

    /// `VOICE_AUDIO_PRESSURE_MODERATE`: percent of the memory that this process may use from which on its use is moderate, 1 to
    /// 99, and less than ``pressureHighPercent``.
    public var pressureModeratePercent = 70 { didSet { origins[.pressureModeratePercent] = .explicit } }

    /// `VOICE_AUDIO_PRESSURE_HIGH`: percent from which on its use is high, less than ``pressureCriticalPercent``.
    public var pressureHighPercent = 80 { didSet { origins[.pressureHighPercent] = .explicit } }

    /// `VOICE_AUDIO_PRESSURE_CRITICAL`: percent from which on its use is critical, 99 at most.
    public var pressureCriticalPercent = 90 { didSet { origins[.pressureCriticalPercent] = .explicit } }

    /// What looks wrong but does no harm: unknown names in the environment, settings that the present others leave without
    /// effect.
    public var warnings: [String] { settingsWithoutEffect + unknownNames }

    private var unknownNames: [String] = []

    private var origins = Origins()

    /// The defaults.
    public init() {}

    /// The defaults, replaced where `environment` has a `VOICE_AUDIO_*` variable.
    ///
    /// Numbers are decimal digits, without sign or separators; white space around a value is ignored, but in device
    /// and directory names. An empty value is not the default, but an error. An unknown variable is in ``warnings``.
    ///
    /// - Parameter environment: ``Environment/process``, or variables of your own.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming each variable that is not accepted, its value
    ///   and what is accepted.
    public init(environment: Environment) throws(AudioError) {
        var problems: [String] = []
        for description in SettingDescription.all {
            guard let text = environment[description.variable] else { continue }
            let originsBefore = origins
            guard description.read(text, &self) else {
                problems.append(description.refusal(of: text, for: description.variable))
                continue
            }
            // Setting the property made it, and what it shares its storage with, explicit.
            origins = originsBefore
            origins[description.setting] = .environment(description.variable)
        }
        unknownNames = SettingDescription.warnings(about: environment.names)
        if problems.isEmpty { problems = self.problems }
        try Self.refuse(problems)
    }

    /// Checks every setting against what is accepted, whoever set it, and the settings against each other.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming each setting that is not accepted, its value
    ///   and what is accepted.
    public func validate() throws(AudioError) { try Self.refuse(problems) }

    /// The shape of the frames to capture.
    public var format: AudioFormat {
        AudioFormat(sampleRateHz: sampleRateHz, channelCount: channelCount, sampleFormat: sampleFormat)
    }

    /// The same, with the format of a source that has one for what nobody has set.
    func fitting(_ source: any CaptureSource) -> AudioConfiguration {
        guard let format = source.nativeFormat else { return self }
        var fitted = self
        if origin(of: .sampleRateHz) == .default { fitted.sampleRateHz = format.sampleRateHz }
        if origin(of: .channelCount) == .default { fitted.channelCount = format.channelCount }
        if origin(of: .sampleFormat) == .default { fitted.sampleFormat = format.sampleFormat }
        // It is still nobody's choice.
        fitted.origins = origins
        return fitted
    }

    /// The type of a recording by the suffix of its name, `.wav`, `.flac`, `.opus` or `.ogg`, with the quality set here.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where the suffix is none of these.
    public func fileType(of path: String) throws(AudioError) -> RecordingFileType {
        try RecordingFileType(
            suffixOf: path, flacCompression: flacCompression, opusKilobitsPerSecond: opusKilobitsPerSecond)
    }

    /// Bytes of a whole chunk.
    public var chunkByteCount: Int { chunkFrameCount * format.bytesPerFrame }

    /// Where the present value of a setting came from.
    public func origin(of setting: Setting) -> Origin { origins[setting] }

    private var problems: [String] {
        let single = SettingDescription.all.compactMap { description -> String? in
            guard let value = description.refusedValue(self) else { return nil }
            return description.refusal(ofProperty: value)
        }
        return single.isEmpty ? conflicts : single
    }

    /// Where settings that are accepted by themselves do not fit together.
    private var conflicts: [String] {
        var conflicts: [String] = []
        if chunkByteCount > maxBytes {
            conflicts.append(
                "\(label(.chunkFrameCount)) is \(chunkFrameCount), which makes chunks of \(chunkByteCount) bytes:"
                    + " accepted are chunks of at most \(label(.maxBytes)), \(maxBytes) bytes")
        }
        if pressureModeratePercent >= pressureHighPercent || pressureHighPercent >= pressureCriticalPercent {
            conflicts.append(
                "\(label(.pressureModeratePercent)) is \(pressureModeratePercent) %, \(label(.pressureHighPercent)) is"
                    + " \(pressureHighPercent) % and \(label(.pressureCriticalPercent)) is \(pressureCriticalPercent) %:"
                    + " accepted are ascending percentages")
        }
        return conflicts
    }

    private var settingsWithoutEffect: [String] {
        var warnings: [String] = []
        // In a program a rule has its deadline with it.
        if case .environment = origin(of: .blockDeadline), !overflow.blocks {
            warnings.append("\(label(.blockDeadline)) has no effect: the overflow policy is not block")
        }
        if followsDefaultDevice, device != ALSASource.defaultDevice {
            warnings.append(
                "\(label(.followsDefaultDevice)) has no effect: the device is \"\(device)\", not default")
        }
        if monoChannel != .mix, channelCount != 1 {
            warnings.append("\(label(.monoChannel)) has no effect: \(channelCount) channels are asked for")
        }
        return warnings
    }

    /// The name by which whoever set it knows a setting.
    private func label(_ setting: Setting) -> String {
        if case .environment(let variable) = origin(of: setting) { variable } else { setting.rawValue }
    }

    private static func refuse(_ problems: [String]) throws(AudioError) {
        guard !problems.isEmpty else { return }
        throw AudioError(.invalidConfiguration, problems.joined(separator: "; "))
    }
}

extension AudioConfiguration {
    /// The settings, by the names of their properties; `blockDeadline` is that of the rules in ``overflow`` that block.
    public enum Setting: String, Sendable, Hashable, CaseIterable {
        case device, followsDefaultDevice, recovery, sampleRateHz, channelCount, monoChannel, sampleFormat,
            chunkFrameCount
        case maxChunks, maxBytes, overflow, blockDeadline, maxRecordingBytes
        case stopTimeout, temporaryDirectory, minimumFreeDiskBytes, flacCompression, opusKilobitsPerSecond
        case realtimePriority, logLevel
        case resultMemoryPercent, pressureModeratePercent, pressureHighPercent, pressureCriticalPercent
    }

    /// Where a setting's value came from.
    public enum Origin: Sendable, Hashable {
        /// Nobody set it.
        case `default`
        /// That environment variable.
        case environment(String)
        /// The program.
        case explicit
    }
    /// The origin of each setting, by its place among all.
    private struct Origins: Sendable {
        private var origins = [Origin](repeating: .default, count: Setting.allCases.count)

        subscript(setting: Setting) -> Origin {
            get { origins[Self.place(of: setting)] }
            set { origins[Self.place(of: setting)] = newValue }
        }

        private static func place(of setting: Setting) -> Int {
            // Every case is among all cases.
            Setting.allCases.firstIndex(of: setting)!
        }
    }
}
