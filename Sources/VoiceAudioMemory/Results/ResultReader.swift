import VoiceAudioCore

/// Reads a store's results in order, a block at a time.
///
/// > Concurrency: One thread at a time; the store may change meanwhile.
final class ResultReader {
    private let store: ResultStore
    private let generation: Int
    private var index = 0
    private var end: Int
    /// The block that is being read: the only one.
    private var scratch: ResultBlock?
    private var isLoaded = false

    /// Reads what there is now.
    init(_ store: ResultStore) {
        self.store = store
        (generation, end) = store.snapshot
    }

    /// The next result's bytes, or why they cannot be read; `nil` at the end.
    func next() -> (index: Int, bytes: Result<[UInt8], AudioError>)? {
        guard index < end else { return nil }
        do throws(AudioError) {
            try store.checkProcess()
            if !isLoaded || scratch.map({ $0.endIndex <= index }) != false {
                isLoaded = false
                isLoaded = try store.load(index, generation: generation, into: &scratch)
            }
        } catch {
            index += 1
            return (index - 1, .failure(error))
        }
        guard isLoaded, let scratch else {
            end = index
            return nil
        }
        defer { index += 1 }
        if let bytes = scratch.bytes(at: index) { return (index, .success(bytes)) }
        return (index, .failure(store.damage(at: index)))
    }
}
