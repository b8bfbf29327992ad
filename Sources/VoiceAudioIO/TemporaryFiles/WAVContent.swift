package import VoiceAudioCore

/// What is to be in a temporary WAV file, before there is one.
package struct WAVContent: Sendable {
    /// Bytes of the file, but for a header that is to be written.
    package let byteCount: Int

    private let write:
        @Sendable (_ place: TemporaryPlace, _ file: consuming TemporaryFile) throws(AudioError) -> TemporaryWAV

    /// Interleaved samples, whole frames.
    ///
    /// - Throws: `invalidConfiguration` where they are not of that format.
    package init<Sample: BitwiseCopyable & Sendable>(samples: [Sample], format: AudioFormat) throws(AudioError) {
        try format.requireStored(as: Sample.self)
        byteCount = samples.count * MemoryLayout<Sample>.stride
        write = { (place, file) throws(AudioError) in
            try TemporaryWAV(samples: samples, format: format, in: place, file: file)
        }
    }

    /// The bytes of a WAV file.
    ///
    /// - Throws: `unreadableFile` where they are none.
    package init(wavBytes: [UInt8]) throws(AudioError) {
        let format = try TemporaryWAV.format(ofWAVBytes: wavBytes)
        byteCount = wavBytes.count
        write = { (place, file) throws(AudioError) in
            try TemporaryWAV(wavBytes: wavBytes, format: format, in: place, file: file)
        }
    }

    /// Writes a temporary WAV file, and runs `body` with it.
    ///
    /// - Throws: What `body` throws; `unsupportedFormat`, `invalidConfiguration` (no whole frames), `diskFull`,
    ///   `fileTooLarge`, `notWritable`, `permissionDenied` or `outOfResources`.
    package func withTemporaryWAV<Result>(
        in place: TemporaryPlace, _ body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        let wav = try write(place, TemporaryFile(in: place, toWrite: byteCount))
        return try await body(wav)
    }

    /// As `withTemporaryWAV(in:)`, in a file of a pool.
    package func withTemporaryWAV<Result>(
        in pool: TemporaryStoragePool, _ body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        let file = try pool.take(toWrite: byteCount)
        defer { pool.giveBack(file) }
        return try await lend(file, in: pool.place, to: body)
    }

    /// A function of its own, so that what is lent is closed when it returns.
    private func lend<Result>(
        _ file: PooledFile, in place: TemporaryPlace, to body: (borrowing TemporaryWAV) async throws -> Result
    ) async throws -> Result {
        let wav = try write(place, file.opened(in: place))
        return try await body(wav)
    }
}
