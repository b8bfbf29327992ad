public import VoiceAudioCore

/// Changes among the sound cards as they happen, for `for try await`.
///
/// It watches from when the sequence is made. It ends when a task that waits for it is cancelled, or with
/// ``DeviceWatch/end()``, and then holds no descriptor any more; it throws what keeps it from watching.
public struct DeviceChangeSequence: AsyncSequence, Sendable {
    public typealias Element = DeviceChange
    public typealias Failure = AudioError

    let watch: Result<DeviceWatch, AudioError>

    /// The watch beneath: the cards at the beginning, ending it.
    ///
    /// - Throws: ``AudioError`` with code `outOfResources`, `permissionDenied` or `deviceFailed`, as iterating does.
    public func underlyingWatch() throws(AudioError) -> DeviceWatch { try watch.get() }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(watch: watch) }

    public struct AsyncIterator: AsyncIteratorProtocol {
        public typealias Element = DeviceChange
        public typealias Failure = AudioError

        let watch: Result<DeviceWatch, AudioError>
        private var wait = DescriptorWait()

        init(watch: Result<DeviceWatch, AudioError>) { self.watch = watch }

        /// The next change; `nil` at the end.
        public mutating func next() async throws(AudioError) -> DeviceChange? {
            let watch = try watch.get()
            while !Task.isCancelled {
                if let change = try watch.look().change { return change }
                guard let folder = watch.folder else { return nil }
                _ = try await wait.untilReadable(folder.descriptor, of: "the watch's descriptor")
            }
            watch.end()
            return nil
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(AudioError) -> DeviceChange? {
            try await next()
        }
    }
}
