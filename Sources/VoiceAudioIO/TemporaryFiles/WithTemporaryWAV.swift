public import VoiceAudioCore

/// Writes samples to a temporary WAV file, and runs `body` with it.
///
/// The file is complete before `body` runs, and gone afterwards: see ``TemporaryWAV``.
///
/// ```swift
/// let text = try withTemporaryWAV(samples: samples, format: .speech) { wav in try transcribe(path: wav.path) }
/// ```
///
/// - Parameters:
///   - samples: Interleaved, whole frames: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`, or the bytes of any
///     format as `UInt8`.
///   - format: The shape of the frames.
///   - named: Whether the file gets a name that ends in `.wav`, in a directory that is this user's alone; otherwise its
///     path is `/proc/PID/fd/N`.
///   - directory: Where to write; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
///   - minimumFreeBytes: Bytes that must stay free on the disk; 1 GiB where nothing is said.
///   - body: Gets the file.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, as it is; or ``AudioError`` with code `invalidConfiguration` (the samples are not of that
///   format, or not whole frames), `unsupportedFormat`, `diskFull`, `fileTooLarge` (more than 4 GiB), `notWritable`,
///   `permissionDenied` or `outOfResources`.
public func withTemporaryWAV<Sample: BitwiseCopyable, Result: ~Copyable>(
    samples: [Sample], format: AudioFormat, named: Bool = false, directory: String? = nil,
    minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes, _ body: (borrowing TemporaryWAV) throws -> Result
) throws -> Result {
    let place = TemporaryPlace(named: named, directory: directory, minimumFreeBytes: minimumFreeBytes)
    let wav = try TemporaryWAV(samples: samples, format: format, in: place)
    return try body(wav)
}

/// Writes samples to a temporary WAV file, and runs `body` with it.
///
/// As `withTemporaryWAV(samples:format:)`, for a body that suspends. A cancelled body that throws leaves nothing behind
/// either.
public func withTemporaryWAV<Sample: BitwiseCopyable, Result: ~Copyable>(
    samples: [Sample], format: AudioFormat, named: Bool = false, directory: String? = nil,
    minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes,
    _ body: (borrowing TemporaryWAV) async throws -> Result
) async throws -> Result {
    let place = TemporaryPlace(named: named, directory: directory, minimumFreeBytes: minimumFreeBytes)
    let wav = try TemporaryWAV(samples: samples, format: format, in: place)
    return try await body(wav)
}

/// Writes the bytes of a WAV file to a temporary file, and runs `body` with it.
///
/// The file is complete before `body` runs, and gone afterwards: see ``TemporaryWAV``.
///
/// - Parameters:
///   - wavBytes: A whole WAV file, as a client sent it. Checked before anything is written.
///   - named: Whether the file gets a name that ends in `.wav`, in a directory that is this user's alone; otherwise its
///     path is `/proc/PID/fd/N`.
///   - directory: Where to write; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
///   - minimumFreeBytes: Bytes that must stay free on the disk; 1 GiB where nothing is said.
///   - body: Gets the file.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, as it is; or ``AudioError`` with code `unreadableFile` (the bytes are no WAV file),
///   `diskFull`, `notWritable`, `permissionDenied` or `outOfResources`.
public func withTemporaryWAV<Result: ~Copyable>(
    wavBytes: [UInt8], named: Bool = false, directory: String? = nil,
    minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes,
    _ body: (borrowing TemporaryWAV) throws -> Result
) throws -> Result {
    let place = TemporaryPlace(named: named, directory: directory, minimumFreeBytes: minimumFreeBytes)
    let wav = try TemporaryWAV(wavBytes: wavBytes, in: place)
    return try body(wav)
}

/// Writes the bytes of a WAV file to a temporary file, and runs `body` with it.
///
/// As `withTemporaryWAV(wavBytes:)`, for a body that suspends. A cancelled body that throws leaves nothing behind either.
public func withTemporaryWAV<Result: ~Copyable>(
    wavBytes: [UInt8], named: Bool = false, directory: String? = nil,
    minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes,
    _ body: (borrowing TemporaryWAV) async throws -> Result
) async throws -> Result {
    let place = TemporaryPlace(named: named, directory: directory, minimumFreeBytes: minimumFreeBytes)
    let wav = try TemporaryWAV(wavBytes: wavBytes, in: place)
    return try await body(wav)
}

extension TemporaryWAV {
    fileprivate init<Sample: BitwiseCopyable>(
        samples: [Sample], format: AudioFormat, in place: TemporaryPlace
    ) throws(AudioError) {
        try format.requireStored(as: Sample.self)
        let byteCount = samples.count * MemoryLayout<Sample>.stride
        try self.init(
            samples: samples, format: format, in: place, file: TemporaryFile(in: place, toWrite: byteCount))
    }

    /// Writes samples to a file that is there, over what it holds.
    init<Sample: BitwiseCopyable>(
        samples: [Sample], format: AudioFormat, in place: TemporaryPlace, file: consuming TemporaryFile
    ) throws(AudioError) {
        let byteCount = samples.count * MemoryLayout<Sample>.stride
        try self.init(format: format, in: place, file: file, byteCount: byteCount) { writer throws(AudioError) in
            // SAFETY: the samples are plain values, of which every byte belongs to one.
            try writer.write(unsafe samples.span.bytes)
        }
    }
}

extension AudioFormat {
    /// Checks that samples of `type` are of this format.
    ///
    /// - Throws: `invalidConfiguration`.
    func requireStored<Sample>(as type: Sample.Type) throws(AudioError) {
        guard Sample.self == UInt8.self || sampleFormat.isStored(as: Sample.self) else {
            throw AudioError(
                .invalidConfiguration,
                """
                samples of type \(Sample.self) are not \(sampleFormat.rawValue): pass Int16 for s16, Int32 for s32, Float \
                for f32, or the bytes of any format as UInt8
                """)
        }
    }
}

extension SampleFormat {
    fileprivate func isStored<Sample>(as type: Sample.Type) -> Bool {
        switch self {
        case .s16: type == Int16.self
        case .s24: false
        case .s32: type == Int32.self
        case .f32: type == Float.self
        }
    }
}
