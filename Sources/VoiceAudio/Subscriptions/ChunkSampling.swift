/// What a listener gets that does not want every chunk: a level meter, a display.
public struct ChunkSampling: Sendable, Hashable {
    /// Just the newest chunk: one that comes takes the place of one that still waits.
    public static let latestOnly = ChunkSampling()

    private init() {}
}

/// How many chunks a listener wants at most.
public struct ChunkRate: Sendable, Hashable {
    /// Chunks in a second of captured audio, 0.001 to 1000.
    public var chunksPerSecond: Double

    /// So many chunks in a second of captured audio, 0.001 to 1000; subscribing checks that.
    public static func perSecond(_ chunks: Double) -> ChunkRate { ChunkRate(chunksPerSecond: chunks) }

    private init(chunksPerSecond: Double) { self.chunksPerSecond = chunksPerSecond }

    static let accepted = 0.001...1000.0

    /// From chunk to chunk.
    var interval: Duration { .seconds(1) / chunksPerSecond }
}

/// What may wait for a listener, where its use has a name.
public struct SubscriptionBound: Sendable, Hashable {
    /// Bytes of samples.
    public var maxBytes: Int

    /// For a connection that takes the audio on as it comes, and may fall behind: 10 MiB, over five minutes of speech. Where
    /// that is full, the older half goes, and the listener is told.
    public static let liveStream = liveStream(maxBytes: 10 << 20)

    /// As ``liveStream``, with a bound of your own: one chunk at least.
    public static func liveStream(maxBytes: Int) -> SubscriptionBound { SubscriptionBound(maxBytes: maxBytes) }

    private init(maxBytes: Int) { self.maxBytes = maxBytes }
}
