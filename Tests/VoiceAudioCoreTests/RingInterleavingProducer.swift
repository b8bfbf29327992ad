// The model's producer: `admit`, `reserve`, the copy, `publish` of Producing.swift, under `.dropOldest`.
extension RingInterleavingState {
    struct Producer: Hashable {
        enum At: Hashable {
            case admit, exchange
            case reserve, readLimit, storeReserved, checkLimit
            case copy, describe, publish, moveHead, storeByteEnd
        }

        var at = At.admit
        var appended = 0
        var refused = 0
        var evicted = 0
        var knownTail: Int8 = 0
        var word: Int8 = 0
        var attempts = 0
        /// Where the newest chunk ends in the memory.
        var offsetEnd: Int8 = 0
        var start: Int8 = 0
        var offset: Int8 = 0
        var position: Int8 = 0
        /// Behind the newest chunk that was published.
        var publishedEnd: Int8 = 0
        var limitSeenEarly: Int8 = 0
        /// Between a reservation that held and the publication or refusal.
        var hasPlace = false

        var number: Int8 { Int8(appended + refused + 1) }
    }

    /// The parts of an append in the order of the code.
    private var order: [Producer.At] {
        if scenario.fillsInPlace || has(.copyBeforeAdmission) {
            return [.reserve, .copy, .admit, .describe, .publish, .moveHead, .storeByteEnd]
        }
        let rest: [Producer.At] =
            switch scenario.bug {
            case .publishedBeforeCopy: [.describe, .publish, .copy, .moveHead, .storeByteEnd]
            case .headBeforePublished: [.copy, .describe, .moveHead, .publish, .storeByteEnd]
            case .byteEndBeforeHead: [.copy, .describe, .storeByteEnd, .publish, .moveHead]
            default: [.copy, .describe, .publish, .moveHead, .storeByteEnd]
            }
        return [.admit, .reserve] + rest
    }

    mutating func stepProducer() throws(Violation) {
        if producer.at == .admit, order[0] == .reserve, !producer.hasPlace { producer.at = .reserve }
        switch producer.at {
        case .admit: admit()
        case .exchange: exchange()
        case .reserve:
            let isEmpty = tail >> 1 == head || has(.restartWhileHeld)
            producer.start = byteEnd
            producer.offset = producer.offsetEnd
            producer.at = isEmpty && producer.offsetEnd > 0 ? .readLimit : .storeReserved
        case .readLimit:
            if writeLimit == Self.noLimit {
                producer.start += Int8(scenario.capacity) - producer.offset
                producer.offset = 0
            }
            producer.at = .storeReserved
        case .storeReserved:
            producer.limitSeenEarly = writeLimit
            producer.at = .checkLimit
            // The planted bug has the two steps the other way round.
            if !has(.limitReadBeforeReserving) { reservedEnd = producer.start + 1 }
        case .checkLimit:
            let limit = has(.limitReadBeforeReserving) ? producer.limitSeenEarly : writeLimit
            if producer.start + 1 > limit { return refuse() }
            reservedEnd = producer.start + 1
            producer.hasPlace = true
            goOn(after: .reserve)
        case .copy:
            let isHeld = held.contains { offsets[slot($0)] == producer.offset }
            try require(!isHeld, "copies over a chunk that is held")
            cells[Int(producer.offset)] = producer.number
            goOn(after: .copy)
        case .describe:
            try require(head - tail >> 1 < Self.maxChunks, "overwrites the descriptor of a chunk that is held")
            starts[slot(head)] = producer.start
            offsets[slot(head)] = producer.offset
            numbers[slot(head)] = producer.number
            producer.position = head
            goOn(after: .describe)
        case .publish:
            published[slot(producer.position)] = producer.position + 1
            producer.publishedEnd = producer.position + 1
            producer.hasPlace = false
            goOn(after: .publish)
        case .moveHead:
            head += 1
            goOn(after: .moveHead)
        case .storeByteEnd:
            byteEnd = producer.start + 1
            goOn(after: .storeByteEnd)
        }
    }

    private mutating func goOn(after part: Producer.At) {
        let next = order.firstIndex(of: part)! + 1
        if next < order.count { producer.at = order[next] } else { finish() }
    }

    private mutating func admit() {
        if head - producer.knownTail < Self.maxChunks { return goOn(after: .admit) }
        producer.word = tail
        producer.knownTail = tail >> 1
        if head - producer.knownTail < Self.maxChunks { return goOn(after: .admit) }
        if producer.word & 1 == 1, !has(.evictIgnoringTheBit) { return refuse() }
        producer.at = .exchange
    }

    private mutating func exchange() {
        let next = producer.word >> 1 + 1
        if exchangeTail(producer.word, next << 1, always: has(.evictWithoutCompareAndSwap)) {
            producer.knownTail = next
            producer.evicted += 1
            return goOn(after: .admit)
        }
        producer.attempts += 1
        if producer.attempts == 3 { refuse() } else { producer.at = .admit }
    }

    private mutating func refuse() {
        reservedEnd = byteEnd
        producer.refused += 1
        reset()
    }

    private mutating func finish() {
        producer.offsetEnd = (producer.offset + 1) % Int8(scenario.capacity)
        producer.appended += 1
        reset()
    }

    /// Forgets what the next append does not use, so that equal states are seen to be equal.
    private mutating func reset() {
        producer.at = order[0]
        producer.hasPlace = false
        producer.attempts = 0
        producer.word = 0
        producer.start = 0
        producer.offset = 0
        producer.position = 0
        producer.limitSeenEarly = 0
    }
}
