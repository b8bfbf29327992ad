import CPeers
import VoiceAudio

/// The library's ring, with both ends taken, as a program uses it that cares for speed. An end is free when it is taken here.
public final class OwnRing: TestedRing {
    public let name: String
    public let buffer: BoundedAudioBuffer
    private let shape: ChunkShape
    // One for each thread.
    private let produced: UnsafeMutableBufferPointer<UInt64>
    private let consumed: UnsafeMutableBufferPointer<UInt64>
    private let time = MonotonicInstant(nanoseconds: 1)

    public init(name: String, rule: OverflowPolicy.Rule, shape: ChunkShape) throws {
        self.name = name
        self.shape = shape
        buffer = try BoundedAudioBuffer(
            maxChunks: ChunkShape.slots, maxBytes: ChunkShape.slots * shape.byteCount, overflow: .uniform(rule),
            maxChunkBytes: shape.byteCount)
        produced = shape.makeChunk()
        consumed = shape.makeChunk()
    }

    deinit {
        produced.deallocate()
        consumed.deallocate()
    }

    public func produce(_ count: Int) {
        var producer = try! buffer.takeProducer()
        let bytes = UnsafeRawBufferPointer(produced)
        for number in 0..<count {
            produced[0] = UInt64(number)
            while !producer.append(bytes.bytes, captureTime: time).isStored { ring_pause() }
        }
    }

    public func consume(_ count: Int) -> UInt64 {
        var consumer = try! buffer.takeConsumer()
        let last = shape.wordCount - 1
        let chunk = UnsafeMutableRawBufferPointer(consumed)
        var sum: UInt64 = 0
        for _ in 0..<count {
            while consumer.consumeOldest({ _, bytes in bytes.withUnsafeBytes { chunk.copyMemory(from: $0) } }) == nil {
                ring_pause()
            }
            sum &+= consumed[0] &+ consumed[last]
        }
        return sum
    }

    public func consumeInPlace(_ count: Int) -> UInt64 {
        var consumer = try! buffer.takeConsumer()
        var sum: UInt64 = 0
        for _ in 0..<count {
            while true {
                let part = consumer.consumeOldest { _, bytes in
                    bytes.withUnsafeBytes { ring_sum($0.baseAddress, $0.count) }
                }
                if let part {
                    sum &+= part
                    break
                }
                ring_pause()
            }
        }
        return sum
    }

    public func consumeAllInPlace(_ count: Int) -> UInt64 {
        var consumer = try! buffer.takeConsumer()
        var sum: UInt64 = 0
        var rest = count
        while rest > 0 {
            let taken = consumer.consumeAll { _, bytes in
                sum &+= bytes.withUnsafeBytes { ring_sum($0.baseAddress, $0.count) }
            }
            if taken == 0 { ring_pause() }
            rest -= taken
        }
        return sum
    }

    public func produceTimed(_ ticks: UnsafeMutableBufferPointer<UInt32>) {
        var producer = try! buffer.takeProducer()
        let bytes = UnsafeRawBufferPointer(produced)
        var index = 0
        while index < ticks.count {
            let start = ring_ticks()
            let result = producer.append(bytes.bytes, captureTime: time)
            let end = ring_ticks()
            if result.isStored {
                ticks[index] = UInt32(truncatingIfNeeded: end &- start)
                index += 1
            } else {
                ring_pause()
            }
        }
    }

    public func hammer(until stop: UnsafeMutablePointer<Int32>) {
        var consumer = try! buffer.takeConsumer()
        let chunk = UnsafeMutableRawBufferPointer(consumed)
        while ring_is_set(stop) == 0 {
            _ = consumer.consumeOldest { _, bytes in bytes.withUnsafeBytes { chunk.copyMemory(from: $0) } }
        }
    }

    public func empty() {
        var consumer = try! buffer.takeConsumer()
        let chunk = UnsafeMutableRawBufferPointer(consumed)
        while consumer.consumeOldest({ _, bytes in bytes.withUnsafeBytes { chunk.copyMemory(from: $0) } }) != nil {}
    }
}
