import CPeers

/// No ring: the copying that all of them do, on one thread, through as much memory. What is faster than this has left
/// something out.
public struct OneThread {
    private let shape: ChunkShape
    private let slots: UnsafeMutableRawBufferPointer
    private let produced: UnsafeMutableBufferPointer<UInt64>
    private let consumed: UnsafeMutableBufferPointer<UInt64>

    /// Its memory is never freed: there is one for each case.
    public init(shape: ChunkShape) {
        self.shape = shape
        slots = .allocate(byteCount: ChunkShape.slots * shape.byteCount, alignment: 64)
        produced = shape.makeChunk()
        consumed = shape.makeChunk()
    }

    /// In and out; answers the sum of the first and last words.
    public func copyTwice(_ count: Int) -> UInt64 {
        let last = shape.wordCount - 1
        var sum: UInt64 = 0
        for number in 0..<count {
            let slot = copyIn(number)
            UnsafeMutableRawBufferPointer(consumed).copyMemory(from: slot)
            sum &+= consumed[0] &+ consumed[last]
        }
        return sum
    }

    /// In, and reads it there; answers the sum of all words.
    public func copyAndSum(_ count: Int) -> UInt64 {
        var sum: UInt64 = 0
        for number in 0..<count {
            let slot = copyIn(number)
            sum &+= ring_sum(slot.baseAddress, slot.count)
        }
        return sum
    }

    private func copyIn(_ number: Int) -> UnsafeRawBufferPointer {
        produced[0] = UInt64(number)
        let start = number % ChunkShape.slots * shape.byteCount
        let slot = UnsafeMutableRawBufferPointer(rebasing: slots[start..<start + shape.byteCount])
        slot.copyMemory(from: UnsafeRawBufferPointer(produced))
        return UnsafeRawBufferPointer(slot)
    }
}
