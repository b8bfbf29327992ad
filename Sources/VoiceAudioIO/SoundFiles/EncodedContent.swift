import VoiceAudioCore

/// What can be read from a file that an encoder is writing, which holds back a part of what it was given.
protocol EncodedContent: AnyObject {
    /// Frames that can be read.
    var frameCount: Int { get }
    /// Bytes up to the end of the last of them.
    var byteCount: Int { get }
    /// Whether a reader can open the file.
    var isReadable: Bool { get }
    /// Looks at what was written since the last time.
    func update()
    /// Makes the header say ``frameCount``, where it says it at all.
    func writeFrameCount()
    /// The most bytes that so many frames can take that the encoder holds or is about to be given.
    func byteCountLimit(ofFrames frameCount: Int) -> Int
}

/// A FLAC file: a header, then a block of the same number of frames with each write; the last may be shorter.
///
/// libFLAC writes the number of frames only at the end. Here it is set before, so that a reader knows the length of a file
/// whose writer was killed (RFC 9639, section 8.2: streaminfo). Its MD5 stays zero until the end, which means unknown.
final class FLACContent: EncodedContent {
    private let bytes: SoundFileBytes
    private let format: AudioFormat
    private let headerAppendCount: Int
    private let blockFrameCount: Int
    /// Behind the marker, a chunk's header and 104 bits of other numbers: 4 bits of the format, then 36 of the count.
    private static let countOffset = 21
    private var count: [UInt8] = [0, 0, 0, 0, 0]

    /// - Parameter bytes: A file that has its header.
    init(_ bytes: SoundFileBytes, _ format: AudioFormat) {
        self.bytes = bytes
        self.format = format
        headerAppendCount = bytes.appendCount
        var blockSize: [UInt8] = [0, 0]
        _ = bytes.readBack(2, at: 8, into: &blockSize)
        blockFrameCount = Int(blockSize[0]) << 8 | Int(blockSize[1])
        _ = bytes.readBack(count.count, at: Self.countOffset, into: &count)
    }

    var frameCount: Int { (bytes.appendCount - headerAppendCount) * blockFrameCount }

    var byteCount: Int { bytes.appendedByteCount }

    /// Also without a block, although the header then says that the number of frames is unknown.
    var isReadable: Bool { true }

    func update() {}

    func writeFrameCount() {
        // Zero means unknown: 36 bits are 49 days at 16 kHz.
        let number = frameCount >> 36 == 0 ? frameCount : 0
        count[0] = count[0] & 0xF0 | UInt8(number >> 32)
        for index in 1...4 { count[index] = UInt8(truncatingIfNeeded: number >> (8 * (4 - index))) }
        bytes.overwrite(count, at: Self.countOffset)
    }

    func byteCountLimit(ofFrames frameCount: Int) -> Int {
        // A block that cannot be made smaller is stored as it is, behind a header of at most 16 bytes.
        frameCount * format.bytesPerFrame + (frameCount / blockFrameCount + 1) * (32 + 2 * format.channelCount)
    }
}

/// An Ogg Opus file: pages, each of which says how many frames there are up to its end (RFC 7845, section 4).
final class OpusContent: EncodedContent {
    private let bytes: SoundFileBytes
    private let format: AudioFormat
    private(set) var byteCount = 0
    /// Frames at 48 kHz up to the end of the last whole page, those to be skipped included.
    private var position = 0
    /// Frames at 48 kHz to be skipped at the start.
    private let skipCount: Int
    // What a page begins with, and the lengths of its parts.
    private var header = [UInt8](repeating: 0, count: 27)
    private var lengths = [UInt8](repeating: 0, count: 255)

    /// - Parameter bytes: A file that has its header.
    init(_ bytes: SoundFileBytes, _ format: AudioFormat) {
        self.bytes = bytes
        self.format = format
        // The first page has one part, which begins with "OpusHead", a version and the number of channels.
        var skip: [UInt8] = [0, 0]
        _ = bytes.readBack(2, at: 27 + 1 + 8 + 2, into: &skip)
        skipCount = Int(skip[0]) | Int(skip[1]) << 8
        update()
    }

    var frameCount: Int { max(0, position - skipCount) * format.sampleRateHz / 48_000 }

    /// Readers take a file without a page of sound for damaged.
    var isReadable: Bool { frameCount > 0 }

    func update() {
        while let (end, endPosition) = wholePage(at: byteCount) {
            byteCount = end
            // −1 where no packet ends on a page.
            position = max(position, endPosition)
        }
    }

    /// Where the page that begins there ends, in bytes and frames; `nil` where there is none, or only a part.
    private func wholePage(at offset: Int) -> (end: Int, position: Int)? {
        guard offset < bytes.byteCount else { return nil }
        guard bytes.readBack(27, at: offset, into: &header), header.starts(with: "OggS".utf8) else { return nil }
        let partCount = Int(header[26])
        guard bytes.readBack(partCount, at: offset + 27, into: &lengths) else { return nil }
        let end = offset + 27 + partCount + lengths.prefix(partCount).reduce(0) { $0 + Int($1) }
        guard end <= bytes.byteCount else { return nil }
        return (end, (0..<8).reduce(0) { $0 | Int(header[6 + $1]) << (8 * $1) })
    }

    func writeFrameCount() {}

    func byteCountLimit(ofFrames frameCount: Int) -> Int {
        // Packets of 20 ms and at most 1275 bytes, each with its part of the lengths, as if on a page of its own. Two more
        // push out what the encoder delays.
        (frameCount * 50 / format.sampleRateHz + 3) * (1275 + 6 + 27)
    }
}
