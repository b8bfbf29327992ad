/// A ring that is compared: of 300 slots, for chunks of one size. Loops over many chunks, so that the call costs nothing.
public protocol TestedRing: AnyObject {
    var name: String { get }

    /// Copies so many numbered chunks in, waiting while the ring is full.
    func produce(_ count: Int)
    /// Copies so many chunks out, waiting while the ring is empty, and answers the sum of their first and last words.
    func consume(_ count: Int) -> UInt64
    /// Reads so many chunks where they lie, each given back by itself, and answers the sum of all words.
    func consumeInPlace(_ count: Int) -> UInt64
    /// As ``consumeInPlace(_:)``, but reads all that is there, then gives it back at once.
    func consumeAllInPlace(_ count: Int) -> UInt64
    /// Copies chunks in, and notes what each took; an attempt at a full ring does not count, where it is refused.
    func produceTimed(_ ticks: UnsafeMutableBufferPointer<UInt32>)
    /// Copies chunks out without a pause until `stop` is set.
    func hammer(until stop: UnsafeMutablePointer<Int32>)
    /// Copies out what is there.
    func empty()
}

/// The chunks of one size: what they hold, and what their sums must be.
public struct ChunkShape: Sendable {
    public static let slots = 300

    public let byteCount: Int

    public init(byteCount: Int) { self.byteCount = byteCount }

    var wordCount: Int { byteCount / 8 }

    /// Memory for one chunk, filled with words that tell their places. The first becomes the chunk's number.
    func makeChunk() -> UnsafeMutableBufferPointer<UInt64> {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)
        let words = memory.bindMemory(to: UInt64.self)
        for index in words.indices { words[index] = UInt64(index) }
        return words
    }

    /// What ``TestedRing/consume(_:)`` must answer.
    public func sumOfEnds(_ count: Int) -> UInt64 { UInt64(count * (count - 1) / 2 + count * (wordCount - 1)) }

    /// What ``TestedRing/consumeInPlace(_:)`` must answer.
    public func sumOfAll(_ count: Int) -> UInt64 {
        UInt64(count * (count - 1) / 2 + count * (wordCount * (wordCount - 1) / 2))
    }
}
