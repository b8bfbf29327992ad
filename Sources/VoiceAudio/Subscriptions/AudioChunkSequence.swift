public import VoiceAudioCore

/// Chunks as they are captured, for `for try await`.
///
/// Its ring begins to fill when the sequence is made. Iterators share the chunks. The sequence ends when the capture
/// does, and when the task is cancelled; it throws what the capture failed with, or what kept it from subscribing.
public struct AudioChunkSequence: AsyncSequence, Sendable {
    public typealias Element = AudioChunk
    public typealias Failure = AudioError

    let subscription: Result<AudioSubscription, AudioError>
    let chunksToWakeFor: Int

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(subscription: subscription, chunksToWakeFor: chunksToWakeFor)
    }

    /// The subscription beneath: counts, statistics, cancelling.
    ///
    /// - Throws: ``AudioError`` with code `limitReached`, `invalidConfiguration`, `budgetExceeded` or `outOfResources`, as
    ///   iterating does.
    public func underlyingSubscription() throws(AudioError) -> AudioSubscription { try subscription.get() }

    public struct AsyncIterator: AsyncIteratorProtocol {
        public typealias Element = AudioChunk
        public typealias Failure = AudioError

        let subscription: Result<AudioSubscription, AudioError>
        let chunksToWakeFor: Int
        private var descriptorWait = DescriptorWait()

        init(subscription: Result<AudioSubscription, AudioError>, chunksToWakeFor: Int) {
            self.subscription = subscription
            self.chunksToWakeFor = chunksToWakeFor
        }

        /// The next chunk; `nil` at the end.
        public mutating func next() async throws(AudioError) -> AudioChunk? {
            let subscription = try subscription.get()
            while !Task.isCancelled {
                if let chunk = try subscription.buffer.popFirst() { return chunk }
                if subscription.buffer.isClosed {
                    if try subscription.isOver() { return nil }
                    continue
                }
                try await wait(for: subscription.buffer)
            }
            return nil
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(AudioError) -> AudioChunk? {
            try await next()
        }

        private mutating func wait(for buffer: BoundedAudioBuffer) async throws(AudioError) {
            let wakeUp = try buffer.beginWaiting(for: chunksToWakeFor)
            defer { buffer.endWaiting(wakeUp) }
            if buffer.count >= chunksToWakeFor || buffer.isClosed { return }
            if try await descriptorWait.untilReadable(wakeUp.descriptor, of: "the ring's descriptor") {
                wakeUp.clear()
            }
        }
    }
}
