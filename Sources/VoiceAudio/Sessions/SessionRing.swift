import VoiceAudioCore

/// A session's configuration with caps of the ring that fit its memory.
struct SessionRing {
    let configuration: AudioConfiguration
    /// What had to shrink, for people; `nil` where nothing had.
    let note: String?

    /// - Parameters:
    ///   - configuration: What is asked for.
    ///   - shareBytes: What the session has altogether. An eighth of it stays for metadata and parts.
    /// - Throws: `invalidConfiguration`; `budgetExceeded` where not even one chunk would fit.
    init(_ configuration: AudioConfiguration, shareBytes: Int) throws(AudioError) {
        try configuration.validate()
        let room = shareBytes - shareBytes / 8
        let chunkBytes = configuration.chunkByteCount
        func ringBytes(_ chunks: Int) -> Int {
            BoundedAudioBuffer.allocatedBytes(
                maxChunks: chunks, maxBytes: configuration.maxBytes, maxChunkBytes: chunkBytes)
        }
        guard ringBytes(configuration.maxChunks) > room else {
            self.configuration = configuration
            note = nil
            return
        }
        guard ringBytes(1) <= room else {
            throw AudioError(
                .budgetExceeded,
                """
                a session of \(shareBytes) bytes has \(room) for its ring, and one of a single chunk of \(chunkBytes) \
                bytes takes \(ringBytes(1)): accepted are more memory, or shorter chunks
                """)
        }
        // The most chunks that fit.
        var (fits, tooMany) = (1, configuration.maxChunks)
        while tooMany - fits > 1 {
            let middle = fits + (tooMany - fits) / 2
            if ringBytes(middle) <= room { fits = middle } else { tooMany = middle }
        }
        var fitted = configuration
        fitted.maxChunks = fits
        fitted.maxBytes = min(configuration.maxBytes, fits * chunkBytes)
        self.configuration = fitted
        note = """
            maxChunks \(configuration.maxChunks) → \(fits) and maxBytes \(configuration.maxBytes) → \(fitted.maxBytes), \
            to fit \(shareBytes) bytes
            """
    }
}
