public import VoiceAudioCore

/// A type of sound file that a recording can be written to, with the quality of its encoder.
public enum RecordingFileType: Sendable, Hashable {
    /// WAV: frames as they are. From 4 GiB on the file is RF64, which programs that read large WAV files know.
    case wav
    /// FLAC: without loss, and about half as large. More `compression`, 0…8, takes more time and makes smaller files.
    case flac(compression: Int = 5)
    /// Ogg Opus: with loss, at about so many kbit/s for each channel, 6…256. 24 is good for speech at 16 kHz.
    case opus(kilobitsPerSecond: Int = 32)
}

extension RecordingFileType {
    /// The type that a name or the suffix of a file stands for.
    ///
    /// - Parameters:
    ///   - name: `wav`, `flac`, `opus` or `ogg`, in letters of any case.
    ///   - flacCompression: Taken where it is FLAC.
    ///   - opusKilobitsPerSecond: Taken where it is Opus.
    /// - Returns: `nil` where it is none of these.
    public init?(named name: String, flacCompression: Int = 5, opusKilobitsPerSecond: Int = 32) {
        switch name.lowercased() {
        case "wav": self = .wav
        case "flac": self = .flac(compression: flacCompression)
        case "opus", "ogg": self = .opus(kilobitsPerSecond: opusKilobitsPerSecond)
        default: return nil
        }
    }

    /// The type of a file by the suffix of its name: `.wav`, `.flac`, `.opus` or `.ogg`.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - flacCompression: Taken where it is FLAC.
    ///   - opusKilobitsPerSecond: Taken where it is Opus.
    /// - Throws: `invalidConfiguration` where the suffix is none of these.
    public init(
        suffixOf path: String, flacCompression: Int = 5, opusKilobitsPerSecond: Int = 32
    ) throws(AudioError) {
        let suffix = FileName(path).suffix
        guard
            let type = Self(
                named: String(suffix.dropFirst()), flacCompression: flacCompression,
                opusKilobitsPerSecond: opusKilobitsPerSecond)
        else {
            throw AudioError(
                .invalidConfiguration,
                """
                "\(path)" has \(suffix.isEmpty ? "no suffix" : "the suffix \"\(suffix)\""), which names no type of \
                recording: accepted are .wav, .flac, .opus and .ogg, or say the type besides the name
                """)
        }
        self = type
    }

    /// The usual suffix without its dot, which is also its name: `wav`, `flac` or `opus`.
    public var suffix: String {
        switch self {
        case .wav: "wav"
        case .flac: "flac"
        case .opus: "opus"
        }
    }

    /// Checks that a file of this type can hold `format`, and its quality.
    ///
    /// - Throws: `unsupportedFormat`, saying what it can hold; `invalidConfiguration`, saying what qualities there are.
    public func check(_ format: AudioFormat) throws(AudioError) {
        let rate = format.sampleRateHz
        let channels = format.channelCount
        switch self {
        case .wav:
            // The header has 16 bits for a frame's bytes, and 32 for a second's.
            guard (1...1_048_575).contains(rate), (1...1024).contains(channels) else {
                throw refusal(of: format, "1 to 1048575 Hz and 1 to 1024 channels")
            }
        case .flac(let compression):
            guard (1...655_350).contains(rate), (1...8).contains(channels),
                [.s16, .s24].contains(format.sampleFormat)
            else { throw refusal(of: format, "s16 and s24, 1 to 655350 Hz and 1 to 8 channels") }
            guard (0...8).contains(compression) else {
                throw AudioError(
                    .invalidConfiguration, "the compression of FLAC is \(compression): accepted are 0 to 8")
            }
        case .opus(let kilobits):
            // More channels are meant for loudspeakers: one of six would lose all but its bass.
            guard [8000, 12_000, 16_000, 24_000, 48_000].contains(rate), (1...2).contains(channels) else {
                throw refusal(of: format, "8000, 12000, 16000, 24000 and 48000 Hz, and 1 or 2 channels")
            }
            guard (6...256).contains(kilobits) else {
                throw AudioError(
                    .invalidConfiguration, "the bit rate of Opus is \(kilobits) kbit/s: accepted are 6 to 256 a channel"
                )
            }
        }
    }

    private func refusal(of format: AudioFormat, _ accepted: String) -> AudioError {
        let name = if case .opus = self { "an Ogg Opus" } else { "a \(suffix.uppercased())" }
        return AudioError(.unsupportedFormat, "\(name) file cannot hold \(format): it holds \(accepted)")
    }

    /// Starts a file of this type.
    ///
    /// - Parameters:
    ///   - descriptor: An empty file, open for reading and writing.
    ///   - name: What messages call the file.
    ///   - format: The shape of the frames.
    /// - Throws: `unsupportedFormat`, `invalidConfiguration`, `diskFull`, `notWritable` or `outOfResources`.
    func startFile(descriptor: Int32, name: String, format: AudioFormat) throws(AudioError) -> any SoundFileWriting {
        try check(format)
        switch self {
        case .wav:
            return try WAVWriter(descriptor: descriptor, name: name, format: format, growth: .toRF64)
        case .flac(let compression):
            return try EncodedFileWriter(
                descriptor: descriptor, name: name, format: format, .flac, level: Double(compression) / 8)
        case .opus(let kilobits):
            // libsndfile's levels are 256 to 6 kbit/s a channel.
            return try EncodedFileWriter(
                descriptor: descriptor, name: name, format: format, .opus, level: Double(256 - kilobits) / 250)
        }
    }
}

/// A path in its parts.
struct FileName {
    /// All but the suffix.
    let stem: Substring
    /// The suffix with its dot; empty where there is none.
    let suffix: Substring

    init(_ path: String) {
        let start = path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex
        // A name that begins with a dot is hidden, and has no suffix by that.
        let dot = path[start...].dropFirst().lastIndex(of: ".") ?? path.endIndex
        stem = path[..<dot]
        suffix = path[dot...]
    }
}
