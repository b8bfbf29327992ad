import VoiceAudio

/// Chunks in a case. Scripts/thresholds divides by it.
let chunkCount = 1000

/// The ring's ends do one thing, chunk by chunk, between `begin` and `end`.
///
/// What is copied is not in the counts: that is the C library's work, and differs from processor to processor.
func forEachCase(_ begin: (String) -> Void, end: () -> Void) throws {
    for byteCount in [320, 2048] {
        let bytes = [UInt8](repeating: 1, count: byteCount)
        let time = MonotonicInstant(nanoseconds: 1)
        func append(_ name: String, to ring: BoundedAudioBuffer, filledWith filling: Int) throws {
            var producer = try ring.takeProducer()
            for _ in 0..<filling { producer.append(bytes.span.bytes, captureTime: time) }
            begin("append, \(name), \(byteCount) B")
            for _ in 0..<chunkCount { producer.append(bytes.span.bytes, captureTime: time) }
            end()
        }
        let rules: [(String, OverflowPolicy.Rule)] = [
            ("drop-oldest", .dropOldest), ("drop-newest", .dropNewest), ("keep-newest-half", .keepNewestHalf),
            ("block", .block(.zero)),
        ]
        for (name, rule) in rules {
            let wide = try makeRing(chunks: chunkCount + 1, bytes: (chunkCount + 1) * byteCount, rule)
            try append("\(name), room", to: wide, filledWith: 1)
            // At a cap it waits, which is another matter.
            if case .block = rule { continue }
            try append("\(name), chunk cap", to: makeRing(chunks: 300, bytes: 3 << 20, rule), filledWith: 300)
            try append("\(name), byte cap", to: makeRing(chunks: 3000, bytes: 300 * byteCount, rule), filledWith: 300)
        }
        let ring = try makeRing(chunks: chunkCount, bytes: chunkCount * byteCount, .dropOldest)
        for _ in 0..<chunkCount { ring.append(bytes, captureTime: time) }
        var consumer = try ring.takeConsumer()
        var sum = 0
        begin("borrow, \(byteCount) B")
        for _ in 0..<chunkCount { consumer.withOldest { sum += $0.frameCount &+ $1.byteCount } }
        end()
        begin("consume, \(byteCount) B")
        for _ in 0..<chunkCount { consumer.consumeOldest { sum += $0.frameCount &+ $1.byteCount } }
        end()
        for _ in 0..<chunkCount { ring.append(bytes, captureTime: time) }
        begin("consume all at once, \(byteCount) B")
        consumer.consumeAll { sum += $0.frameCount &+ $1.byteCount }
        end()
        precondition(sum == chunkCount * byteCount * 6, "not each chunk was there")
    }
}

private func makeRing(chunks: Int, bytes: Int, _ rule: OverflowPolicy.Rule) throws -> BoundedAudioBuffer {
    try BoundedAudioBuffer(maxChunks: chunks, maxBytes: bytes, overflow: .uniform(rule))
}
