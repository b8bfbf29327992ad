import Glibc
import Synchronization
import TestSupport
import VoiceAudioCore

/// A producer, a consumer and an observer at work on one ring; every byte and every count is checked.
struct RingStress: Sendable {
    var overflow: OverflowPolicy
    /// Chunks of one size that divides the memory: none wraps, so that ThreadSanitizer, to which the two mappings of a
    /// page are two places, sees every access. Otherwise of all sizes, wrapping all the time.
    var wraps: Bool
    var chunkCount: Int

    struct Failure: Error, CustomStringConvertible { let description: String }

    private static let largest = 1024
    private static let interval: UInt64 = 0x9E37_79B9_7F4A_7C15

    private final class Shared: Sendable {
        let ring: BoundedAudioBuffer
        let isOver = Atomic<Bool>(false)

        init(_ ring: BoundedAudioBuffer) { self.ring = ring }
    }

    /// What a consumer saw.
    private struct Delivery: Sendable {
        var chunks = 0
        var frames = 0
        var told = 0
        var end = 0
    }

    func run() throws {
        // 15 chunks beside the one being filled: four pages of memory and no gap.
        let shared = Shared(
            try BoundedAudioBuffer(
                maxChunks: wraps ? 13 : 15, maxBytes: wraps ? 9000 : 15 * Self.largest, overflow: overflow,
                maxChunkBytes: Self.largest))
        let consumer = try ThreadResult { try consume(shared.ring) }
        let observer = try ThreadResult { try observe(shared) }
        let producer = try ThreadResult { try produce(into: shared.ring) }
        let stored = try producer.value()
        let delivery = try consumer.value()
        shared.isOver.store(true, ordering: .relaxed)
        try observer.value()
        try check(shared.ring, stored: stored, delivery: delivery)
    }

    private func check(_ ring: BoundedAudioBuffer, stored: Int, delivery: Delivery) throws {
        let statistics = ring.statistics
        let lostAtEnd = ring.nextNumbers.framePosition - delivery.end
        try expect(ring.count, 0, "held at the end")
        try expect(statistics.appended.chunks, stored, "appended")
        try expect(statistics.appended.chunks + statistics.refused.chunks, chunkCount, "attempts")
        try expect(statistics.delivered.chunks, delivery.chunks, "delivered chunks")
        try expect(statistics.delivered.frames, delivery.frames, "delivered frames")
        try expect(statistics.delivered + statistics.evicted + statistics.cleared, statistics.appended, "fates")
        try expect(
            delivery.told + lostAtEnd,
            statistics.evicted.frames + statistics.cleared.frames + statistics.refused.frames, "lost frames")
    }

    /// Appends by copying and by filling in place; answers how many were stored.
    private func produce(into ring: BoundedAudioBuffer) throws -> Int {
        defer { ring.close() }
        var end = try ring.takeProducer()
        var generator = SeededGenerator(seed: 1)
        var stored = 0
        let time = MonotonicInstant(nanoseconds: 0)
        let source = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.largest, alignment: 16)
        // SAFETY: this thread's own; every access lies within the largest chunk.
        defer { unsafe source.deallocate() }
        for number in 0..<chunkCount {
            let byteCount = wraps ? 8 * (1 + generator.below(Self.largest / 8)) : Self.largest
            let result: AppendResult
            if number % 2 == 0 {
                unsafe fill(UnsafeMutableRawBufferPointer(rebasing: source[..<byteCount]), number)
                let chunk = unsafe UnsafeRawBufferPointer(rebasing: source[..<byteCount])
                result = end.append(unsafe chunk.bytes, captureTime: time)
            } else if let place = unsafe end.reserve() {
                unsafe fill(UnsafeMutableRawBufferPointer(rebasing: place[..<byteCount]), number)
                result = end.commit(byteCount: byteCount, captureTime: time)
            } else {
                end.noteUnplaced(byteCount: byteCount)
                continue
            }
            if result.isStored { stored += 1 }
            // Now and then the consumer gets ahead, and finds the ring empty.
            if generator.below(64) == 0 { sched_yield() }
        }
        return stored
    }

    private func consume(_ ring: BoundedAudioBuffer) throws -> Delivery {
        var end = try ring.takeConsumer()
        var generator = SeededGenerator(seed: 2)
        var delivery = Delivery()
        while true {
            switch generator.below(5) {
            case 0:
                // SAFETY: the bytes of an array that lives through the call.
                if let chunk = end.popFirst() { try check(chunk.header, unsafe chunk.bytes.span.bytes, &delivery) }
            case 1:
                try end.withOldest { header, bytes throws in
                    try check(header, bytes)
                    // It must stay as it is for as long as it is borrowed.
                    for _ in 0..<generator.below(4) { try check(header, bytes) }
                }
            case 2: try end.consumeAll { header, bytes throws in try check(header, bytes, &delivery) }
            default:
                try end.consumeOldest { header, bytes throws in try check(header, bytes, &delivery) }
            }
            if generator.below(200) == 0 { sched_yield() }
            if ring.count == 0, try ring.waitForChunks(timeout: .seconds(60)) != .ready { return delivery }
        }
    }

    private func check(_ header: AudioChunkHeader, _ bytes: RawSpan, _ delivery: inout Delivery) throws {
        try check(header, bytes)
        try expect(header.framePosition - delivery.end, header.lossBefore?.frames ?? 0, "loss told")
        delivery.chunks += 1
        delivery.frames += header.frameCount
        delivery.told += header.lossBefore?.frames ?? 0
        delivery.end = header.framePosition + header.frameCount
    }

    /// Looks in from outside, clears and gives pages back now and then.
    private func observe(_ shared: Shared) throws {
        let ring = shared.ring
        var generator = SeededGenerator(seed: 3)
        while !shared.isOver.load(ordering: .relaxed) {
            let fill = ring.fill
            guard fill.chunks <= ring.maxChunks, fill.bytes <= ring.maxBytes, fill.chunks >= 0,
                fill.bytes >= 8 * fill.chunks, fill.bytes <= Self.largest * fill.chunks
            else { throw Failure(description: "impossible fill: \(fill)") }
            let statistics = ring.statistics
            guard statistics.peakChunks <= ring.maxChunks, statistics.peakBytes <= ring.maxBytes else {
                throw Failure(description: "impossible peaks: \(statistics)")
            }
            switch generator.below(1000) {
            case 0: ring.removeAll()
            case 1: ring.forceCleanup()
            case 2..<20: ring.releaseUnusedPages()
            default: break
            }
            if generator.below(10) == 0 { sched_yield() }
        }
    }

    /// Every word of a chunk tells of the chunk and of its own place: one that was torn, moved or wiped shows.
    private func fill(_ bytes: UnsafeMutableRawBufferPointer, _ number: Int) {
        var word = UInt64(number + 1) &* Self.interval
        for offset in stride(from: 0, to: bytes.count, by: 8) {
            // SAFETY: whole words within the buffer.
            unsafe bytes.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            word &+= Self.interval &>> 7
        }
    }

    private func check(_ header: AudioChunkHeader, _ bytes: RawSpan) throws {
        try expect(bytes.byteCount, header.frameCount, "bytes")
        var word = UInt64(header.sequenceNumber + 1) &* Self.interval
        for offset in stride(from: 0, to: bytes.byteCount, by: 8) {
            // SAFETY: whole words within the span.
            let found = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if found != word { throw Failure(description: "torn at \(offset) of \(header): \(found), not \(word)") }
            word &+= Self.interval &>> 7
        }
    }

    private func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ what: String) throws {
        if value != expected { throw Failure(description: "\(what): got \(value), expected \(expected)") }
    }
}
