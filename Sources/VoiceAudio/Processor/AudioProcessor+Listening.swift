public import VoiceAudioCore

// Subscriptions to what is captured.
extension AudioProcessor {
    /// Subscribes to what is captured from now on, for `for try await`.
    ///
    /// It opens nothing: from `idle`, chunks come once somebody calls `arm()` or `start()`.
    /// The sequence ends with the capture, at the latest at ``cleanup(deadline:)``.
    ///
    /// - Parameters:
    ///   - chunkCount: Chunks that wait for the reader at most, 1 to 1,000,000.
    ///   - overflow: What happens when they are more; `.block` is refused, as a listener must not hold up the capture.
    ///   - chunksToWakeFor: A reader that waits is woken when this many are there: fewer wake-ups, more delay.
    /// - Returns: A sequence; where subscribing failed, it throws that at its first element.
    public func chunks(
        bounded chunkCount: Int = 100, overflow: OverflowPolicy = .uniform(.dropOldest), chunksToWakeFor: Int = 1
    ) -> AudioChunkSequence {
        var subscription: Result<AudioSubscription, AudioError>
        do throws(AudioError) {
            subscription = .success(try subscribe(chunks: chunkCount, overflow: overflow))
        } catch {
            subscription = .failure(error)
        }
        return AudioChunkSequence(
            subscription: subscription, chunksToWakeFor: min(max(1, chunksToWakeFor), max(1, chunkCount)))
    }

    /// Subscribes to what is captured from now on. At most 16 subscriptions at a time.
    ///
    /// - Parameters:
    ///   - chunkCount: Chunks that wait for the reader at most, 1 to 1,000,000.
    ///   - overflow: What happens when they are more; `.block` is refused, as a listener must not hold up the capture.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, `limitReached`, `budgetExceeded` or `outOfResources`.
    public func subscribe(
        chunks chunkCount: Int = 100, overflow: OverflowPolicy = .uniform(.dropOldest)
    ) throws(AudioError) -> AudioSubscription {
        guard (1...1_000_000).contains(chunkCount) else {
            throw AudioError(
                .invalidConfiguration, "a subscription of \(chunkCount) chunks: accepted are 1 to 1000000")
        }
        guard !overflow.blocks else {
            throw AudioError(
                .invalidConfiguration,
                "a subscription with the rule block: accepted are dropOldest, dropNewest and keepNewestHalf, "
                    + "as a listener must not hold up the capture")
        }
        try configuration.validate()
        let chunkBytes = configuration.chunkByteCount
        let buffer = try BoundedAudioBuffer(
            maxChunks: chunkCount, maxBytes: chunkCount * chunkBytes, overflow: overflow, format: configuration.format,
            maxChunkBytes: chunkBytes, clock: clock, evictionCause: .consumerLag, refusalCause: .consumerLag
        ) { (byteCount) throws(AudioError) in try budget?.reserve(byteCount, for: "subscription") }
        return try listen(with: buffer)
    }

    /// Adds a listener's ring.
    ///
    /// - Parameter interval: The capture time from one chunk that it gets to the next; `nil` for each chunk.
    func listen(
        with buffer: BoundedAudioBuffer, oneEvery interval: Duration? = nil
    ) throws(AudioError) -> AudioSubscription {
        // Under the lock: else a capture that ends in this moment would leave behind who listens to it.
        try capturing.withLock { (state) throws(AudioError) in
            guard buffer.format == state.setup.configuration.format else {
                throw AudioError(.formatChanged, "the capture was reconfigured in this moment: subscribe again")
            }
            return try AudioSubscription(buffer, in: state.subscribers, oneEvery: interval)
        }
    }
}
