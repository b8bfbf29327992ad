public import VoiceAudioCore

/// The results as a sequence of what reading each gives: one that is damaged does not end the loop.
///
/// ```swift
/// for (index, result) in results.enumerated() {
///     do { show(try result.get()) } catch { log("\(index): \(error)") }
/// }
/// ```
extension ResultCollector: Sequence {
    /// The results there are now, first to last. Those that are appended later are not among them.
    public func makeIterator() -> Iterator { Iterator(self) }

    /// Reads one result after the other, in the memory of one block.
    ///
    /// > Concurrency: One thread at a time. The collector may be used meanwhile: spilling changes nothing, and after a
    /// > removal come those at most that the iterator's block holds.
    public final class Iterator: IteratorProtocol {
        private let collector: ResultCollector
        private let reader: ResultReader

        init(_ collector: ResultCollector) {
            self.collector = collector
            reader = ResultReader(collector.store)
        }

        /// The next result, or why it cannot be read: ``AudioError`` with code `damagedResult`, `unreadableFile` or
        /// `outOfResources`, or `invalidState` in a fork. `nil` at the end.
        public func next() -> Result<Value, AudioError>? {
            guard let (index, bytes) = reader.next() else { return nil }
            do throws(AudioError) {
                return .success(try collector.decode(bytes.get(), index))
            } catch {
                return .failure(error)
            }
        }
    }
}
