import VoiceAudioCore

/// The bytes before the frames of a WAV file.
///
/// With room to grow, a chunk that readers skip stands where RF64 has its 64-bit sizes, so that a header takes another's
/// place in one write (EBU Tech 3306, section 3.5). libsndfile's RF64 begins the same way, but below 4 GiB it is
/// `WAVE_FORMAT_EXTENSIBLE` in any case, which Python's `wave` before 3.12 refuses.
struct WAVHeader {
    /// The header.
    private(set) var bytes: [UInt8] = []
    /// The most bytes of frames that 32-bit sizes can tell, a pad byte not counted.
    let plainDataLimit: Int

    private let format: AudioFormat
    private let hasRoomToGrow: Bool
    private let byteCount: Int

    /// A header that tells of no frames.
    ///
    /// - Parameter plainByteLimit: The most bytes that a file with 32-bit sizes may have.
    init(_ format: AudioFormat, hasRoomToGrow: Bool, plainByteLimit: Int) {
        self.format = format
        self.hasRoomToGrow = hasRoomToGrow
        let isFloat = format.sampleFormat == .f32
        byteCount = 12 + (hasRoomToGrow ? 36 : 0) + (isFloat ? 26 + 12 : 24) + 8
        plainDataLimit = plainByteLimit - byteCount - 1
        bytes.reserveCapacity(byteCount)
        setDataByteCount(0)
    }

    /// Makes the header tell of that many bytes of frames; allocates nothing.
    mutating func setDataByteCount(_ dataByteCount: Int) {
        let isPlain = dataByteCount <= plainDataLimit
        let frameCount = dataByteCount / format.bytesPerFrame
        // A pad byte makes chunks even.
        let fileByteCount = byteCount + dataByteCount + dataByteCount % 2
        bytes.removeAll(keepingCapacity: true)
        add(isPlain ? "RIFF" : "RF64")
        add(isPlain ? fileByteCount - 8 : Self.seeBelow, 4)
        add("WAVE")
        if hasRoomToGrow {
            add(isPlain ? "JUNK" : "ds64")
            add(28, 4)
            add(isPlain ? 0 : fileByteCount - 8, 8)
            add(isPlain ? 0 : dataByteCount, 8)
            add(isPlain ? 0 : frameCount, 8)
            add(0, 4)
        }
        let isFloat = format.sampleFormat == .f32
        add("fmt ")
        add(isFloat ? 18 : 16, 4)
        add(isFloat ? 3 : 1, 2)
        add(format.channelCount, 2)
        add(format.sampleRateHz, 4)
        add(format.bytesPerSecond, 4)
        add(format.bytesPerFrame, 2)
        add(format.sampleFormat.bytesPerSample * 8, 2)
        if isFloat {
            add(0, 2)
            add("fact")
            add(4, 4)
            add(isPlain ? frameCount : Self.seeBelow, 4)
        }
        add("data")
        add(isPlain ? dataByteCount : Self.seeBelow, 4)
    }

    /// All bits set: the 64-bit size counts.
    private static let seeBelow = Int(UInt32.max)

    private mutating func add(_ name: StaticString) {
        // SAFETY: the text is a constant.
        name.withUTF8Buffer { text in
            for index in text.indices { unsafe bytes.append(text[index]) }
        }
    }

    /// Little endian.
    private mutating func add(_ number: Int, _ byteCount: Int) {
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * index))) }
    }
}
