public import VoiceAudioCore

/// A capture's health as it changes, for `for try await`, beginning with how it is.
///
/// It ends when the capture does, and when a task that waits for it is cancelled.
public struct HealthSequence: AsyncSequence, Sendable {
    public typealias Element = HealthStatus
    public typealias Failure = AudioError

    private let watch: Result<HealthWatch, AudioError>

    package init(watch: Result<HealthWatch, AudioError>) { self.watch = watch }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watch: watch) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        public typealias Element = HealthStatus
        public typealias Failure = AudioError

        private let watch: Result<HealthWatch, AudioError>
        private var wait = DescriptorWait()

        init(watch: Result<HealthWatch, AudioError>) { self.watch = watch }

        /// The next change; `nil` at the end.
        public mutating func next() async throws(AudioError) -> HealthStatus? {
            let watch = try watch.get()
            while !Task.isCancelled {
                let (change, _, isOver) = watch.look()
                if let change { return change }
                if isOver { return nil }
                _ = try await wait.untilReadable(watch.descriptor, of: "the health")
            }
            return nil
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(AudioError) -> HealthStatus? {
            try await next()
        }
    }
}
