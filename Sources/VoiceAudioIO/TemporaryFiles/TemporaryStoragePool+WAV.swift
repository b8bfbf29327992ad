public import VoiceAudioCore

extension TemporaryStoragePool {
    /// Writes samples to a temporary WAV file in a file of the pool, and runs `body` with it.
    ///
    /// - Parameters:
    ///   - samples: Interleaved, whole frames: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`, or the bytes of any
    ///     format as `UInt8`.
    ///   - format: The shape of the frames.
    ///   - body: Gets the file.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, as it is; or ``AudioError`` with code `invalidConfiguration` (the samples are not of that
    ///   format, or not whole frames), `unsupportedFormat`, `diskFull`, `fileTooLarge`, `notWritable`, `permissionDenied`,
    ///   `outOfResources`, or `invalidState` in a fork.
    public func withTemporaryWAV<Sample: BitwiseCopyable & Sendable, Result>(
        samples: [Sample], format: AudioFormat, _ body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        try await WAVContent(samples: samples, format: format).withTemporaryWAV(in: self, body)
    }

    /// Writes the bytes of a WAV file to a file of the pool, and runs `body` with it.
    ///
    /// - Parameters:
    ///   - wavBytes: A whole WAV file, as a client sent it. Checked before anything is written.
    ///   - body: Gets the file.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws, as it is; or ``AudioError`` with code `unreadableFile` (the bytes are no WAV file),
    ///   `diskFull`, `notWritable`, `permissionDenied`, `outOfResources`, or `invalidState` in a fork.
    public func withTemporaryWAV<Result>(
        wavBytes: [UInt8], _ body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        try await WAVContent(wavBytes: wavBytes).withTemporaryWAV(in: self, body)
    }
}
