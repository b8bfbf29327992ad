import CSndFile
import Glibc
import VoiceAudioCore

/// An open libsndfile handle: each call that the library makes, and nothing besides.
///
/// > Concurrency: One thread at a time.
@safe
final class SndFileHandle {
    /// What a sound file says of itself.
    struct Information {
        var frameCount: Int
        var sampleRateHz: Int
        var channelCount: Int
        /// Whether the file's codec yields floating point. libsndfile does not scale such samples when it is asked for
        /// integers, unless by the loudest sample of the file, which changes the level.
        var isFloatingPoint: Bool
        /// Whether the file is a WAV file.
        var isWAV: Bool
        /// How a little-endian file stores samples; `nil` where it does so in another way.
        var sampleFormat: SampleFormat?
    }

    let information: Information
    private let bytes: SoundFileBytes
    // SAFETY: opened in init, closed once, in deinit; used by this object's holder alone.
    private let handle: OpaquePointer

    /// Opens a sound file of any format that libsndfile recognises.
    ///
    /// - Parameter accepted: What a message says of the formats that would do.
    /// - Throws: `unreadableFile`.
    init(reading bytes: SoundFileBytes, accepted: String) throws(AudioError) {
        var info = SF_INFO()
        self.bytes = bytes
        unsafe handle = try Self.open(bytes, mode: Int32(SFM_READ), &info) { reason in
            AudioError(
                .unreadableFile, "\"\(bytes.name)\" could not be read as sound: \(reason) \(accepted)")
        }
        information = Information(info)
    }

    /// Starts a FLAC or Ogg Opus file, and writes its header.
    ///
    /// - Parameter format: One that the type can hold.
    /// - Throws: `unsupportedFormat`, or what ``SoundFileBytes`` met when it wrote the header.
    init(
        writing bytes: SoundFileBytes, format: AudioFormat, _ encoding: Encoding, level: Double
    ) throws(AudioError) {
        var info = SF_INFO()
        info.samplerate = Int32(format.sampleRateHz)
        info.channels = Int32(format.channelCount)
        switch encoding {
        case .flac: info.format = Int32(SF_FORMAT_FLAC) | Self.subtype(of: format.sampleFormat)
        case .opus: info.format = Int32(SF_FORMAT_OGG) | Int32(SF_FORMAT_OPUS)
        }
        self.bytes = bytes
        unsafe handle = try Self.open(bytes, mode: Int32(SFM_WRITE), &info) { reason in
            AudioError(.unsupportedFormat, "\"\(bytes.name)\" cannot hold \(format): \(reason)")
        }
        information = Information(info)
        set(SFC_SET_COMPRESSION_LEVEL, to: level)
        if encoding == .opus { set(SFC_SET_OGG_PAGE_LATENCY_MS, to: Self.oggPageMilliseconds) }
        // SAFETY: the handle is open; the command takes no data. Such files have their header written once.
        _ = unsafe sf_command(handle, Int32(SFC_UPDATE_HEADER_NOW), nil, 0)
    }

    /// What libsndfile encodes for us.
    enum Encoding {
        case flac, opus
    }

    /// How much audio an Ogg page holds at most, but for the packet that completes it.
    private static let oggPageMilliseconds = 200.0

    private func set(_ command: some BinaryInteger, to number: Double) {
        var number = number
        // SAFETY: the handle is open; the command reads a number of this size.
        _ = unsafe sf_command(handle, Int32(command), &number, Int32(MemoryLayout<Double>.size))
    }

    deinit {
        // SAFETY: the only place that closes. A writing handle writes its last header through `bytes`, which is alive.
        _ = unsafe sf_close(handle)
    }

    /// Decodes up to `frameCount` frames into `buffer`, which has room for them.
    func read(_ frameCount: Int, into buffer: UnsafeMutablePointer<Int16>) -> Int {
        // SAFETY: the handle is open, and the caller vouches for the room.
        unsafe Int(sf_readf_short(handle, buffer, sf_count_t(frameCount)))
    }

    func read(_ frameCount: Int, into buffer: UnsafeMutablePointer<Int32>) -> Int {
        // SAFETY: as above.
        unsafe Int(sf_readf_int(handle, buffer, sf_count_t(frameCount)))
    }

    func read(_ frameCount: Int, into buffer: UnsafeMutablePointer<Float>) -> Int {
        // SAFETY: as above.
        unsafe Int(sf_readf_float(handle, buffer, sf_count_t(frameCount)))
    }

    func read(_ frameCount: Int, into buffer: UnsafeMutablePointer<Double>) -> Int {
        // SAFETY: as above.
        unsafe Int(sf_readf_double(handle, buffer, sf_count_t(frameCount)))
    }

    /// Goes back to the first frame; whether that worked.
    func rewind() -> Bool {
        // SAFETY: the handle is open.
        unsafe sf_seek(handle, 0, SEEK_SET) == 0
    }

    /// Encodes `frameCount` frames; how many it took.
    func write(_ frameCount: Int, from buffer: UnsafePointer<Int16>) -> Int {
        // SAFETY: the handle is open, and the caller vouches for the frames.
        unsafe Int(sf_writef_short(handle, buffer, sf_count_t(frameCount)))
    }

    func write(_ frameCount: Int, from buffer: UnsafePointer<Int32>) -> Int {
        // SAFETY: as above.
        unsafe Int(sf_writef_int(handle, buffer, sf_count_t(frameCount)))
    }

    func write(_ frameCount: Int, from buffer: UnsafePointer<Float>) -> Int {
        // SAFETY: as above.
        unsafe Int(sf_writef_float(handle, buffer, sf_count_t(frameCount)))
    }

    /// What libsndfile says of the last call; `nil` where nothing was wrong.
    var errorText: String? {
        // SAFETY: the handle is open; the text is a constant or the handle's own, and is copied at once.
        guard unsafe sf_error(handle) != 0, let text = unsafe sf_strerror(handle) else { return nil }
        return unsafe String(cString: text)
    }

    private static func open(
        _ bytes: SoundFileBytes, mode: Int32, _ info: inout SF_INFO, _ error: (String) -> AudioError
    ) throws(AudioError) -> OpaquePointer {
        // SAFETY: plain functions; libsndfile copies the structure.
        var calls = unsafe SF_VIRTUAL_IO(
            get_filelen: byteCountCallback, seek: seekCallback, read: readCallback, write: writeCallback,
            tell: positionCallback)
        // SAFETY: whoever keeps the handle keeps `bytes` as long.
        let user = unsafe Unmanaged.passUnretained(bytes).toOpaque()
        // SAFETY: all arguments live through the call.
        if let handle = unsafe sf_open_virtual(&calls, mode, &info, user) { return unsafe handle }
        if bytes.status != 0 {
            throw mode == Int32(SFM_READ)
                ? AudioError(reading: bytes.name, status: bytes.status)
                : AudioError(writing: bytes.name, status: bytes.status)
        }
        // The reason is the last one of the process: where two openings fail at once it may be the other's. A lock would
        // let one that hangs, on a network's disk, hold up all others.
        // SAFETY: the text is a constant, and is copied.
        throw error(unsafe sf_strerror(nil).map { unsafe String(cString: $0) } ?? "")
    }

    fileprivate static func subtype(of format: SampleFormat) -> Int32 {
        switch format {
        case .s16: Int32(SF_FORMAT_PCM_16)
        case .s24: Int32(SF_FORMAT_PCM_24)
        case .s32: Int32(SF_FORMAT_PCM_32)
        case .f32: Int32(SF_FORMAT_FLOAT)
        }
    }
}

extension SndFileHandle.Information {
    fileprivate init(_ info: SF_INFO) {
        let container = Int(info.format) & SF_FORMAT_TYPEMASK
        let codec = Int(info.format) & SF_FORMAT_SUBMASK
        let isBigEndian = Int(info.format) & SF_FORMAT_ENDMASK == SF_ENDIAN_BIG
        self.init(
            frameCount: Int(info.frames), sampleRateHz: Int(info.samplerate), channelCount: Int(info.channels),
            isFloatingPoint: Self.floatingPoint.contains(codec),
            isWAV: [SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64].contains(container),
            sampleFormat: isBigEndian ? nil : SampleFormat.allCases.first { SndFileHandle.subtype(of: $0) == codec })
    }

    private static let floatingPoint: [Int] = [
        SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE, SF_FORMAT_VORBIS, SF_FORMAT_OPUS, SF_FORMAT_MPEG_LAYER_I,
        SF_FORMAT_MPEG_LAYER_II, SF_FORMAT_MPEG_LAYER_III,
    ]
}

// MARK: - What libsndfile calls to reach the bytes

private func bytes(_ user: UnsafeMutableRawPointer?) -> SoundFileBytes {
    // SAFETY: the pointer is the object that `open` passed, which lives as long as the handle.
    unsafe Unmanaged<SoundFileBytes>.fromOpaque(user!).takeUnretainedValue()
}

private func byteCountCallback(_ user: UnsafeMutableRawPointer?) -> sf_count_t {
    // SAFETY: `user` is what `bytes` expects; so below.
    unsafe sf_count_t(bytes(user).byteCount)
}

private func seekCallback(_ offset: sf_count_t, _ whence: Int32, _ user: UnsafeMutableRawPointer?) -> sf_count_t {
    // SAFETY: as above.
    unsafe sf_count_t(bytes(user).seek(Int(offset), whence: whence))
}

private func readCallback(
    _ buffer: UnsafeMutableRawPointer?, _ count: sf_count_t, _ user: UnsafeMutableRawPointer?
) -> sf_count_t {
    // A damaged file can make libsndfile ask for a negative count.
    guard count > 0 else { return 0 }
    // SAFETY: as above; libsndfile's buffer has room for `count` bytes.
    return unsafe sf_count_t(bytes(user).read(into: UnsafeMutableRawBufferPointer(start: buffer, count: Int(count))))
}

private func writeCallback(
    _ buffer: UnsafeRawPointer?, _ count: sf_count_t, _ user: UnsafeMutableRawPointer?
) -> sf_count_t {
    guard count > 0 else { return 0 }
    // SAFETY: as above; the buffer holds `count` bytes.
    return unsafe sf_count_t(bytes(user).write(UnsafeRawBufferPointer(start: buffer, count: Int(count))))
}

private func positionCallback(_ user: UnsafeMutableRawPointer?) -> sf_count_t {
    // SAFETY: as above.
    unsafe sf_count_t(bytes(user).position)
}
