public import VoiceAudioCore

// Subscriptions for what is not to have each chunk, and for what takes audio on.
extension AudioProcessor {
    /// Subscribes to the newest chunk, again and again: for a meter or a display. What it holds is one chunk.
    ///
    /// What lies between is left out on purpose: `skippedBefore` of the next chunk tells the frames, the report and the
    /// ring's statistics the chunks. `lossBefore` tells only what was lost, by the device or a clean-up.
    ///
    /// - Parameters:
    ///   - sampling: Which chunks it gets.
    ///   - rate: The most chunks that it gets, by capture time; a reader that waits is not woken for the others. `nil` is no
    ///     limit. The rate is met on average, as chunks allow: in a second there may be one more.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, `limitReached`, `budgetExceeded` or `outOfResources`.
    public func subscribe(
        _ sampling: ChunkSampling, atMost rate: ChunkRate? = nil
    ) throws(AudioError) -> AudioSubscription {
        if let rate, !ChunkRate.accepted.contains(rate.chunksPerSecond) {
            throw AudioError(
                .invalidConfiguration,
                "a subscription of at most \(rate.chunksPerSecond) chunks a second: accepted are 0.001 to 1000")
        }
        try configuration.validate()
        let chunkBytes = configuration.chunkByteCount
        let buffer = try BoundedAudioBuffer(
            maxChunks: 1, maxBytes: chunkBytes, overflow: .uniform(.dropOldest), format: configuration.format,
            maxChunkBytes: chunkBytes, clock: clock, isSampled: true
        ) { (byteCount) throws(AudioError) in try budget?.reserve(byteCount, for: "subscription") }
        return try listen(with: buffer, oneEvery: rate?.interval)
    }

    /// Subscribes for a use that has a name: ``SubscriptionBound/liveStream``.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, `limitReached`, `budgetExceeded` or `outOfResources`.
    public func subscribe(_ bound: SubscriptionBound) throws(AudioError) -> AudioSubscription {
        try configuration.validate()
        let chunkBytes = configuration.chunkByteCount
        guard bound.maxBytes >= chunkBytes else {
            throw AudioError(
                .invalidConfiguration,
                "a subscription of \(bound.maxBytes) bytes: accepted are those of a chunk, \(chunkBytes), and more")
        }
        return try subscribe(chunks: min(bound.maxBytes / chunkBytes, 1_000_000), overflow: .uniform(.keepNewestHalf))
    }

    /// As ``subscribe(_:atMost:)``, for `for try await`.
    ///
    /// - Returns: A sequence; where subscribing failed, it throws that at its first element.
    public func chunks(_ sampling: ChunkSampling, atMost rate: ChunkRate? = nil) -> AudioChunkSequence {
        AudioChunkSequence(chunksToWakeFor: 1) { () throws(AudioError) in try subscribe(sampling, atMost: rate) }
    }

    /// As ``subscribe(_:)``, for `for try await`.
    ///
    /// - Returns: A sequence; where subscribing failed, it throws that at its first element.
    public func chunks(_ bound: SubscriptionBound) -> AudioChunkSequence {
        AudioChunkSequence(chunksToWakeFor: 1) { () throws(AudioError) in try subscribe(bound) }
    }
}

extension AudioChunkSequence {
    fileprivate init(chunksToWakeFor: Int, _ subscribe: () throws(AudioError) -> AudioSubscription) {
        do throws(AudioError) {
            self.init(subscription: .success(try subscribe()), chunksToWakeFor: chunksToWakeFor)
        } catch {
            self.init(subscription: .failure(error), chunksToWakeFor: chunksToWakeFor)
        }
    }
}
