import Synchronization

/// A word alone on its cache lines: two cores that write neighbouring words do not slow each other down.
///
/// 128 bytes, because the prefetcher of x86 fetches lines in pairs.
struct CacheLine: ~Copyable {
    private let before = InlineArray<8, Int>(repeating: 0)
    let word: Atomic<Int>
    private let after = InlineArray<8, Int>(repeating: 0)

    init(_ value: Int = 0) { word = Atomic(value) }
}
