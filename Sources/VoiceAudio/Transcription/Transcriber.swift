public import VoiceAudioCore
public import VoiceAudioIO

/// Something that makes text of speech.
///
/// > Concurrency: Safe from any thread, with several calls at once.
public protocol Transcriber: Sendable {
    /// Whether the file needs a name that ends in `.wav`; `false` where nothing is said.
    var needsNamedFile: Bool { get }

    /// Makes text of a file, which is gone soon after the call has returned: nothing may go on reading it.
    ///
    /// A call ends early with an error when its task is cancelled, and leaves nothing running.
    ///
    /// - Parameters:
    ///   - wav: The file.
    ///   - language: A language tag such as `de` or `pt-BR`; `nil` leaves it to the transcriber.
    func transcribe(_ wav: borrowing TemporaryWAV, language: String?) async throws -> Transcript
}

extension Transcriber {
    public var needsNamedFile: Bool { false }

    /// Makes text of samples, through a temporary file.
    ///
    /// - Parameters:
    ///   - samples: Interleaved, whole frames: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`, or the bytes of any
    ///     format as `UInt8`.
    ///   - format: The shape of the frames.
    ///   - language: A language tag; `nil` leaves it to the transcriber.
    ///   - directory: Where the file goes; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk; 1 GiB where nothing is said.
    /// - Throws: What the transcriber throws, or what `withTemporaryWAV(samples:format:)` throws.
    public func transcribe<Sample: BitwiseCopyable>(
        samples: [Sample], format: AudioFormat, language: String? = nil, directory: String? = nil,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes
    ) async throws -> Transcript {
        try await withTemporaryWAV(
            samples: samples, format: format, named: needsNamedFile, directory: directory,
            minimumFreeBytes: minimumFreeBytes
        ) { wav in try await transcribe(wav, language: language) }
    }

    /// Makes text of the bytes of a WAV file, through a temporary file.
    ///
    /// - Parameters:
    ///   - wavBytes: A whole WAV file, as a client sent it. Checked before anything is written.
    ///   - language: A language tag; `nil` leaves it to the transcriber.
    ///   - directory: Where the file goes; `nil` stands for `TMPDIR`, and for `/tmp` where that is not set.
    ///   - minimumFreeBytes: Bytes that must stay free on the disk; 1 GiB where nothing is said.
    /// - Throws: What the transcriber throws, or what `withTemporaryWAV(wavBytes:)` throws.
    public func transcribe(
        wavBytes: [UInt8], language: String? = nil, directory: String? = nil,
        minimumFreeBytes: Int = TemporaryWAV.defaultMinimumFreeBytes
    ) async throws -> Transcript {
        try await withTemporaryWAV(
            wavBytes: wavBytes, named: needsNamedFile, directory: directory, minimumFreeBytes: minimumFreeBytes
        ) { wav in try await transcribe(wav, language: language) }
    }
}
