import VoiceAudioCore

/// Reads what comes before the samples of a stream, as it comes: asks for so many bytes, and never for one too many.
///
/// A stream that cannot be rewound has no room for a library that seeks, and none for a reader that reads on: what it
/// took too much would be samples. RIFF and RF64 as in EBU Tech 3306; chunks that are not needed are skipped.
struct WAVStreamHeader {
    /// What came of the bytes so far.
    enum Outcome: Equatable {
        /// More are needed.
        case unfinished
        /// Samples of this shape come next: so many bytes, or as long as the stream goes on.
        case wav(StreamFormat, dataByteCount: Int?)
        /// It is no WAV file: the bytes taken are samples already.
        case raw([UInt8])
    }

    /// The most bytes before the samples.
    static let byteLimit = 1 << 20

    private enum Stage {
        case riff
        case chunkHeader
        case format(byteCount: Int)
        case longSizes(byteCount: Int)
        /// So many bytes more, in several pieces.
        case skipping(Int)
    }

    private let name: String
    private let mayBeRaw: Bool
    private var stage = Stage.riff
    private var bytes = [UInt8](repeating: 0, count: 4096)
    private var count = 0
    private var wantedCount = 12
    private var byteCount = 0
    private var format: StreamFormat?
    /// What RF64 says where 32 bits do not do.
    private var longDataByteCount: Int?

    /// - Parameters:
    ///   - name: What messages call the stream.
    ///   - mayBeRaw: Whether what is no WAV file is samples.
    init(name: String, mayBeRaw: Bool) {
        self.name = name
        self.mayBeRaw = mayBeRaw
    }

    /// Lends room for the next bytes, no more than may be read, and takes those that `read` puts at its start.
    ///
    /// - Parameter read: Answers how many bytes it read, 1 at least; `nil` where none are there.
    /// - Throws: What `read` throws; `unreadableFile`, `unsupportedFormat`.
    mutating func take(
        from read: (UnsafeMutableRawBufferPointer) throws(AudioError) -> Int?
    ) throws(AudioError) -> (didRead: Bool, outcome: Outcome) {
        let room = count..<wantedCount
        var failure: AudioError?
        // SAFETY: the array's own bytes, lent for the call.
        let taken = unsafe bytes.withUnsafeMutableBytes { bytes -> Int? in
            do throws(AudioError) { return try unsafe read(UnsafeMutableRawBufferPointer(rebasing: bytes[room])) } catch
            {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let taken else { return (false, .unfinished) }
        count += taken
        byteCount += taken
        return (true, try note())
    }

    /// The stream is at its end.
    ///
    /// - Returns: The samples that came, where they may be raw.
    /// - Throws: `unreadableFile` where there was more to come.
    func end() throws(AudioError) -> Outcome {
        if mayBeRaw, case .riff = stage { return .raw(Array(bytes[..<count])) }
        throw AudioError(
            .unreadableFile, "\"\(name)\" ended after \(byteCount) bytes, before the samples of a WAV file began")
    }

    private mutating func note() throws(AudioError) -> Outcome {
        if case .riff = stage, let outcome = try noteBeginning() { return outcome }
        guard count == wantedCount else { return .unfinished }
        switch stage {
        case .riff: want(8, .chunkHeader)
        case .chunkHeader: return try noteChunkHeader()
        case .format(let byteCount):
            format = try parsedFormat()
            try skip(byteCount - count)
        case .longSizes(let byteCount):
            longDataByteCount = Int(exactly: number(at: 8, UInt64.self)).flatMap { $0 > 0 ? $0 : nil }
            try skip(byteCount - count)
        case .skipping(let rest): try skip(rest - count)
        }
        return .unfinished
    }

    /// What the first bytes say as soon as they say it; `nil` where they may be, or are, those of a WAV file.
    private func noteBeginning() throws(AudioError) -> Outcome? {
        let magic = String(decoding: bytes[..<min(count, 4)], as: UTF8.self)
        let isWAV =
            ["RIFF", "RF64"].contains { $0.hasPrefix(magic) }
            && (count <= 8 || "WAVE".hasPrefix(String(decoding: bytes[8..<count], as: UTF8.self)))
        if isWAV { return nil }
        if let other = Self.otherFiles[magic] {
            throw AudioError(
                .unsupportedFormat, "\"\(name)\" is \(other): accepted are raw samples and WAV; decode it on the way")
        }
        // "fLa" may become "fLaC" yet.
        if count < 4, Self.otherFiles.keys.contains(where: { $0.hasPrefix(magic) }) { return nil }
        guard !mayBeRaw else { return .raw(Array(bytes[..<count])) }
        throw AudioError(.unreadableFile, "\"\(name)\" is no WAV file: it does not begin with RIFF or RF64, and WAVE")
    }

    /// Files that would be heard as noise.
    private static let otherFiles = [
        "RIFX": "a big-endian WAV file", "fLaC": "FLAC", "OggS": "Ogg", ".snd": "AU", "FORM": "AIFF", "caff": "CAF",
    ]

    private mutating func noteChunkHeader() throws(AudioError) -> Outcome {
        let chunk = String(decoding: bytes[..<4], as: UTF8.self)
        let byteCount = Int(number(at: 4, UInt32.self))
        switch chunk {
        case "data":
            guard let format else { throw damaged("its samples come before their format") }
            return .wav(format, dataByteCount: Self.knownByteCount(byteCount, long: longDataByteCount))
        case "fmt ":
            guard byteCount >= 16 else { throw damaged("its format has \(byteCount) bytes, and needs 16") }
            want(min(byteCount, 40), .format(byteCount: byteCount + byteCount % 2))
        case "ds64" where byteCount >= 16: want(16, .longSizes(byteCount: byteCount + byteCount % 2))
        default: try skip(byteCount + byteCount % 2)
        }
        return .unfinished
    }

    /// What is said of the samples' length; `nil` for what programs write that do not know it.
    ///
    /// 0 and all bits set are usual. sox writes the last whole frame below 2 GiB less 4 KiB, and arecord 2 GiB.
    private static func knownByteCount(_ byteCount: Int, long: Int?) -> Int? {
        switch byteCount {
        case Int(UInt32.max): long
        case 0, 0x7FFF_0000...0x8000_0000, 0xFFFF_0000...: nil
        default: byteCount
        }
    }

    private func parsedFormat() throws(AudioError) -> StreamFormat {
        var code = Int(number(at: 0, UInt16.self))
        let channelCount = Int(number(at: 2, UInt16.self))
        let rate = Int(number(at: 4, UInt32.self))
        let frameByteCount = Int(number(at: 12, UInt16.self))
        if code == Self.extensible, count == 40, Array(bytes[26..<40]) == Self.subformatRest {
            code = Int(number(at: 24, UInt16.self))
        }
        guard channelCount > 0, rate > 0, frameByteCount > 0, frameByteCount % channelCount == 0 else {
            throw damaged("it says \(channelCount) channels, \(rate) Hz and frames of \(frameByteCount) bytes")
        }
        let encoding: SampleEncoding
        switch (code, frameByteCount / channelCount) {
        case (1, 1): encoding = .u8
        case (1, 2): encoding = .pcm(.s16)
        case (1, 3): encoding = .pcm(.s24)
        case (1, 4): encoding = .pcm(.s32)
        case (3, 4): encoding = .pcm(.f32)
        case (6, 1): encoding = .g711(.aLaw)
        case (7, 1): encoding = .g711(.uLaw)
        default:
            throw AudioError(
                .unsupportedFormat,
                "\"\(name)\" is a WAV file of format \(code), \(frameByteCount / channelCount) bytes a sample: accepted "
                    + "are integers of 1 to 4 bytes, 32-bit floating point, A-law and u-law")
        }
        return StreamFormat(sampleRateHz: rate, channelCount: channelCount, encoding: encoding)
    }

    private static let extensible = 0xFFFE
    /// What follows the code in the GUID of a subformat that has one.
    private static let subformatRest: [UInt8] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]

    private mutating func skip(_ rest: Int) throws(AudioError) {
        // Of empty chunks, too, there can be no end.
        guard byteCount + rest <= Self.byteLimit else {
            throw damaged("\(byteCount + rest) bytes and more come before its samples: accepted are \(Self.byteLimit)")
        }
        guard rest > 0 else { return want(8, .chunkHeader) }
        want(min(rest, bytes.count), .skipping(rest))
    }

    private mutating func want(_ byteCount: Int, _ stage: Stage) {
        self.stage = stage
        count = 0
        wantedCount = byteCount
    }

    /// Little endian.
    private func number<Number: FixedWidthInteger>(at place: Int, _ type: Number.Type) -> Number {
        (0..<Number.bitWidth / 8).reduce(0) { $0 | Number(bytes[place + $1]) << (8 * $1) }
    }

    private func damaged(_ what: String) -> AudioError {
        AudioError(.unreadableFile, "\"\(name)\" is no usable WAV file: \(what)")
    }
}
