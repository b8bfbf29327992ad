import Glibc
import TestSupport
import VoiceAudioCore

/// A ring and its model, doing the same at random and compared after each step.
final class RingAgainstModel {
    struct Shape: CustomStringConvertible {
        var maxChunks: Int
        var maxBytes: Int
        var chunkLimit: Int?
        var format: AudioFormat?

        var description: String { "\(maxChunks) chunks, \(maxBytes) bytes, chunk limit \(chunkLimit ?? 0)" }
    }

    struct Difference: Error, CustomStringConvertible { let description: String }

    private struct Interruption: Error {}

    /// What chunks are made of: each is a stretch of this, so that one misplaced byte shows.
    private static let material: [UInt8] = {
        var generator = SeededGenerator(seed: 1)
        return (0..<300_000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }()

    private let ring: BoundedAudioBuffer
    private var model: RingModel
    private var generator: SeededGenerator
    private var producer: BoundedAudioBuffer.Producer?
    private var consumer: BoundedAudioBuffer.Consumer?
    private let largest: Int
    private var time: Int64 = 0
    private var last = ""

    init(_ shape: Shape, overflow: OverflowPolicy, generator: SeededGenerator) throws {
        self.generator = generator
        ring = try BoundedAudioBuffer(
            maxChunks: shape.maxChunks, maxBytes: shape.maxBytes, overflow: overflow, format: shape.format,
            maxChunkBytes: shape.chunkLimit)
        model = RingModel(
            maxChunks: shape.maxChunks, maxBytes: shape.maxBytes, overflow: overflow,
            bytesPerFrame: shape.format?.bytesPerFrame ?? 1, chunkLimit: shape.chunkLimit ?? 0)
        // Most chunks are such that now the one cap is reached first, and now the other.
        largest = max(1, min(2 * shape.maxBytes / shape.maxChunks, shape.chunkLimit ?? .max))
        producer = self.generator.below(2) == 0 ? nil : try ring.takeProducer()
        consumer = self.generator.below(2) == 0 ? nil : try ring.takeConsumer()
    }

    func run(steps: Int) throws {
        for number in 0..<steps {
            do {
                try step()
                try compare()
            } catch { throw Difference(description: "step \(number), \(last): \(error)") }
        }
    }

    private func step() throws {
        switch generator.below(100) {
        case 0..<45: try append()
        case 45..<50: noteLoss()
        case 50..<70: try pop()
        case 70..<80: try borrow()
        case 80..<91: try consume()
        case 91..<94: try consumeAll()
        case 94: try drain()
        case 95: try expect(ring.removeAll(), model.removeAll(), "removeAll")
        case 96: try expect(ring.forceCleanup(), model.removeAll(), "forceCleanup")
        case 97: ring.releaseUnusedPages()
        default: for _ in 0..<ring.maxChunks where generator.below(20) > 0 { try append() }
        }
    }

    private func randomByteCount() -> Int {
        switch generator.below(40) {
        case 0: ring.maxBytes
        case 1: ring.maxBytes + 1
        case 2: 0
        case 3: max(1, model.chunkLimit)
        case 4: model.chunkLimit + 1
        case 5: 1 + generator.below(ring.maxBytes)
        case 6: 1 + generator.below(largest)
        default: max(1, (1 + generator.below(largest)) / model.bytesPerFrame) * model.bytesPerFrame
        }
    }

    private func append() throws {
        let byteCount = randomByteCount()
        time += 1
        let start = generator.below(Self.material.count - byteCount)
        // SAFETY: within the material, which lives for good.
        let source = unsafe Self.material.span.bytes.extracting(start..<start + byteCount)
        let expected = model.append(byteCount, material: start, captureTime: time)
        let captureTime = MonotonicInstant(nanoseconds: time)
        let result: AppendResult
        if producer == nil {
            last = "append of \(byteCount)"
            result = ring.append(source, captureTime: captureTime)
        } else if byteCount > model.chunkLimit || generator.below(2) == 0 {
            last = "producer's append of \(byteCount)"
            result = producer!.append(source, captureTime: captureTime)
        } else {
            last = "commit of \(byteCount)"
            // SAFETY: reserved until the commit, and as large as the largest chunk.
            guard let place = unsafe producer!.reserve() else { throw Difference(description: "no place") }
            unsafe source.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
            result = producer!.commit(byteCount: byteCount, captureTime: captureTime)
        }
        try expect(result, expected, last)
    }

    private func noteLoss() {
        guard producer != nil else { return }
        let loss = AudioLoss(
            frames: generator.below(2 * largest), cause: generator.below(2) == 0 ? .deviceOverrun : .deviceGap,
            isExact: generator.below(3) > 0)
        last = "noteLoss of \(loss)"
        producer!.noteLoss(loss)
        model.noteLoss(loss)
    }

    private func pop() throws {
        last = "popFirst"
        let chunk = consumer == nil ? try ring.popFirst() : consumer!.popFirst()
        guard let chunk else { return try expect(model.held.count, 0, "chunks where there was none to pop") }
        // SAFETY: the bytes of an array that lives through the call.
        try checkOldest(chunk.header, unsafe chunk.bytes.span.bytes)
        model.takeOldest()
    }

    /// Looks at the oldest chunk, and appends and clears while it is borrowed.
    private func borrow() throws {
        last = "withOldest"
        let appends = generator.below(3)
        let done: Void? =
            if consumer == nil {
                try ring.withOldest { try whileBorrowed($0, $1, appends: appends) }
            } else {
                try consumer!.withOldest { try whileBorrowed($0, $1, appends: appends) }
            }
        try expect(done == nil, model.held.isEmpty, "nothing to borrow")
    }

    private func whileBorrowed(_ header: AudioChunkHeader, _ bytes: RawSpan, appends: Int) throws {
        try checkOldest(header, bytes)
        model.isBorrowed = true
        for _ in 0..<appends { try append() }
        try expect(ring.removeAll(), 0, "removed while borrowed")
        try compare()
        model.isBorrowed = false
        try checkOldest(header, bytes)
    }

    /// Takes the oldest chunk in place, or leaves it by an error.
    private func consume() throws {
        last = "consumeOldest"
        let throwing = generator.below(8) == 0
        let body = { (header: AudioChunkHeader, bytes: RawSpan) throws in
            try self.checkOldest(header, bytes)
            if throwing { throw Interruption() }
        }
        do {
            let taken: Void? = consumer == nil ? try ring.consumeOldest(body) : try consumer!.consumeOldest(body)
            try expect(taken == nil, model.held.isEmpty, "nothing to consume")
            if taken != nil { model.takeOldest() }
        } catch is Interruption {}
    }

    /// Takes all in place, or leaves those from one on by an error.
    private func consumeAll() throws {
        guard consumer != nil else { return }
        last = "consumeAll"
        let there = model.held.count
        let throwing = generator.below(2) == 0 ? there : generator.below(there + 1)
        var seen = 0
        do {
            let taken = try consumer!.consumeAll { header, bytes throws in
                if seen == throwing { throw Interruption() }
                try checkOldest(header, bytes)
                model.takeOldest()
                seen += 1
            }
            try expect(taken, there, "taken at once")
        } catch is Interruption {}
        try expect(seen, throwing, "seen")
    }

    private func drain() throws {
        last = "drain"
        let chunks = consumer == nil ? try ring.drain() : consumer!.drain()
        try expect(chunks.count, model.held.count, "drained")
        for chunk in chunks {
            // SAFETY: as above.
            try checkOldest(chunk.header, unsafe chunk.bytes.span.bytes)
            model.takeOldest()
        }
    }

    private func checkOldest(_ header: AudioChunkHeader, _ bytes: RawSpan) throws {
        guard model.fits(header), let entry = model.held.first, bytes.byteCount == entry.byteCount else {
            throw Difference(description: "got \(header), expected \(String(describing: model.held.first))")
        }
        // SAFETY: both stretches are as long as the chunk.
        let same = unsafe Self.material.withUnsafeBytes { material in
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe memcmp(bytes.baseAddress!, material.baseAddress! + entry.material, bytes.count)
            }
        }
        try expect(same, 0, "contents of \(header)")
    }

    /// Everything that can be counted, after each step.
    private func compare() throws {
        try expect(ring.count, model.held.count, "count")
        try expect(ring.byteCount, model.byteCount, "byteCount")
        let statistics = ring.statistics
        try expect(statistics.appended, model.appended, "appended")
        try expect(statistics.delivered, model.delivered, "delivered")
        try expect(statistics.evicted, model.evicted, "evicted")
        try expect(statistics.cleared, model.cleared, "cleared")
        try expect(statistics.peakChunks, model.peakChunks, "peakChunks")
        try expect(statistics.peakBytes, model.peakBytes, "peakBytes")
        for (reason, count) in model.refused { try expect(statistics.refused(because: reason), count, reason.rawValue) }
        try expect(ring.untoldLoss?.frames ?? 0, model.untold.sum, "untold loss")
        if ring.count > ring.maxChunks || ring.byteCount > ring.maxBytes {
            throw Difference(description: "above a cap: \(ring.count) chunks, \(ring.byteCount) bytes")
        }
    }

    private func expect<Value: Equatable>(_ value: Value, _ expected: Value, _ what: @autoclosure () -> String) throws {
        guard value != expected else { return }
        throw Difference(description: "\(what()): got \(value), expected \(expected)")
    }
}
