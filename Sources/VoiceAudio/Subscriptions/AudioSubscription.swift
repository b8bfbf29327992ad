public import VoiceAudioCore
import VoiceAudioIO

/// One listener's own bounded ring of what is captured from now on. It can hurt neither the capture nor other listeners.
///
/// It gets chunks while the capture runs, recording or not, but not in a pause; the first one is the next that is
/// captured. It ends when the capture does, or with ``cancel()``, or when the last reference goes.
///
/// > Concurrency: Safe from any thread; several readers share the chunks.
///
/// > Real-time: Not safe: taking a lock, and waiting.
public final class AudioSubscription: Sendable {
    /// The ring; to look at its counts and statistics.
    public let buffer: BoundedAudioBuffer
    private let feed: SubscriberTable.Feed
    private let table: SubscriberTable

    /// - Parameter interval: The capture time from one chunk to the next; `nil` where each is wanted.
    init(
        _ buffer: BoundedAudioBuffer, in table: SubscriberTable, oneEvery interval: Duration? = nil
    ) throws(AudioError) {
        self.buffer = buffer
        self.table = table
        feed = try SubscriberTable.Feed(buffer, oneEvery: interval)
        try table.add(feed)
    }

    deinit { cancel() }

    /// The next chunk, as an owned copy.
    ///
    /// - Parameter timeout: Longest wait; `.zero` polls, `nil` waits for ever.
    /// - Returns: The chunk; `nil` when the capture has ended and all chunks were taken.
    /// - Throws: ``AudioError`` with code `timedOut`; or what the capture failed with, once all chunks were taken.
    public func next(timeout: Duration? = nil) throws(AudioError) -> AudioChunk? {
        let deadline = deadline(after: timeout)
        while true {
            if let chunk = try buffer.popFirst() { return chunk }
            guard try waitForChunk(until: deadline, of: timeout) else { return nil }
        }
    }

    /// Lends the next chunk in place, then takes it out.
    ///
    /// - Parameters:
    ///   - timeout: Longest wait; `.zero` polls, `nil` waits for ever.
    ///   - body: Gets the chunk; while it runs, the chunk cannot be evicted, and what arrives is refused if it would have
    ///     to be.
    /// - Returns: What `body` returns; `nil` when the capture has ended and all chunks were taken.
    /// - Throws: ``AudioError`` with code `timedOut`; or what the capture failed with, once all chunks were taken; or
    ///   what `body` throws.
    @inlinable
    public func consumeNext<Result>(
        timeout: Duration? = nil, _ body: (AudioChunkHeader, RawSpan) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try takeNext(timeout: timeout) { header, bytes in result = try body(header, bytes) }
        return result
    }

    /// Not generic, so that no metadata of types is looked up at each call.
    @usableFromInline
    func takeNext(timeout: Duration?, _ body: (AudioChunkHeader, RawSpan) throws -> Void) throws {
        let deadline = deadline(after: timeout)
        while try buffer.consumeOldest(body) == nil {
            guard try waitForChunk(until: deadline, of: timeout) else { return }
        }
    }

    /// Waits until `count` chunks are there, the capture has ended, or the descriptor `interrupt` is readable.
    ///
    /// - Returns: Whether there is, or may be, something to take: `false` at the end and at an interruption.
    /// - Throws: What the capture failed with, once all chunks were taken.
    package func waitForChunks(_ count: Int, interrupt: Int32) throws(AudioError) -> Bool {
        switch try buffer.waitForChunks(count, timeout: nil, interrupt: interrupt) {
        case .ready, .timedOut: true
        case .closed: try !isOver()
        case nil: false
        }
    }

    /// Ends the subscription. Chunks that are there already can still be taken.
    public func cancel() { table.remove(feed) }

    private func deadline(after timeout: Duration?) -> MonotonicInstant? {
        timeout.map { buffer.clock.now.advanced(by: $0) }
    }

    /// Waits until there may be a chunk; `false` where there will be none any more.
    private func waitForChunk(until deadline: MonotonicInstant?, of timeout: Duration?) throws(AudioError) -> Bool {
        // Another reader may have taken the chunk that ended an earlier wait: only what is left counts.
        let rest = deadline.map { max(.zero, buffer.clock.now.duration(to: $0)) }
        switch try buffer.waitForChunks(timeout: rest) {
        case .ready: return true
        case .closed: return try !isOver()
        case .timedOut: throw AudioError(.timedOut, "no chunk arrived within \(timeout ?? .zero)")
        }
    }

    /// Whether a closed subscription has nothing left.
    ///
    /// - Throws: What the capture failed with.
    package func isOver() throws(AudioError) -> Bool {
        guard buffer.count == 0 else { return false }
        if let failure = feed.failure { throw failure }
        return true
    }
}
