// The model's other threads: `claim` and `release`, `discard`, `releasePages`.
extension RingInterleavingState {
    struct Consumer: Hashable {
        enum At: Hashable { case readTail, readPublished, claim, look, read, readAgain, release }

        var at = At.readTail
        var takes = 0
        var delivered = 0
        var word: Int8 = 0
        var offset: Int8 = 0
        var number: Int8 = 0
        var lastNumber: Int8 = 0
    }

    mutating func stepConsumer() throws(Violation) {
        switch consumer.at {
        case .readTail:
            consumer.word = tail
            consumer.at = .readPublished
        case .readPublished:
            let position = consumer.word >> 1
            let published = published[slot(position)]
            consumer.at = .claim
            guard has(.publishedAtAnyTime) ? published == 0 : published <= position else { return }
            try require(head <= position || tail != consumer.word, "a chunk that is counted cannot be taken")
            endTake()
        case .claim:
            let claimed = has(.claimWithoutBit) ? tail == consumer.word : exchangeTail(consumer.word, consumer.word | 1)
            consumer.at = claimed ? .look : .readTail
        case .look:
            consumer.offset = offsets[slot(consumer.word >> 1)]
            consumer.number = numbers[slot(consumer.word >> 1)]
            consumer.at = has(.releaseBeforeReading) ? .release : .read
        case .read, .readAgain:
            let found = cells[Int(consumer.offset)]
            try require(found == consumer.number, "chunk \(consumer.number) reads as \(found)")
            try require(found > consumer.lastNumber, "chunk \(found) after \(consumer.lastNumber)")
            if consumer.at == .read {
                consumer.at = .readAgain
            } else if has(.releaseBeforeReading) {
                endTake()
            } else {
                consumer.at = .release
            }
        case .release:
            tail = (consumer.word >> 1 + 1) << 1
            consumer.delivered += 1
            if has(.releaseBeforeReading) { consumer.at = .read } else { endTake() }
        }
    }

    private mutating func endTake() {
        consumer.lastNumber = max(consumer.lastNumber, consumer.number)
        consumer.takes += 1
        consumer.at = .readTail
        consumer.word = 0
        consumer.offset = 0
        consumer.number = 0
    }

    struct Discarder: Hashable {
        enum At: Hashable { case readTail, readHead, exchange }

        var at = At.readTail
        var discards = 0
        var cleared = 0
        var word: Int8 = 0
        var headSeen: Int8 = 0
    }

    mutating func stepDiscarder() throws(Violation) {
        switch discarder.at {
        case .readTail:
            discarder.word = tail
            discarder.at = .readHead
        case .readHead:
            discarder.headSeen = head
            discarder.at = .exchange
            if discarder.word & 1 == 1 || head <= discarder.word >> 1 { endDiscard() }
        case .exchange:
            let always = has(.discardWithoutCompareAndSwap)
            guard exchangeTail(discarder.word, discarder.headSeen << 1, always: always) else {
                discarder.at = .readTail
                return
            }
            discarder.cleared += Int(discarder.headSeen - discarder.word >> 1)
            endDiscard()
        }
    }

    private mutating func endDiscard() {
        discarder.discards += 1
        discarder.at = .readTail
        discarder.word = 0
        discarder.headSeen = 0
    }

    struct Releaser: Hashable {
        enum At: Hashable {
            case readTail, readByteEnd, readHead, readStart, checkTail
            case readReserved, limit, check, release, lift
        }

        var at = At.readTail
        var releases = 0
        var attempts = 0
        var tailSeen: Int8 = 0
        var start: Int8 = 0
        var limit: Int8 = 0
    }

    mutating func stepReleaser() throws(Violation) {
        switch releaser.at {
        case .readTail:
            releaser.tailSeen = tail >> 1
            releaser.at = .readByteEnd
        case .readByteEnd:
            releaser.start = byteEnd
            releaser.at = .readHead
        case .readHead: releaser.at = head > releaser.tailSeen ? .readStart : .readReserved
        case .readStart:
            releaser.start = starts[slot(releaser.tailSeen)]
            releaser.at = .checkTail
        case .checkTail: releaser.at = tail >> 1 == releaser.tailSeen ? .readReserved : .readTail
        case .readReserved:
            releaser.limit = reservedEnd + Int8(scenario.slack)
            releaser.at = .limit
        case .limit:
            writeLimit = releaser.limit
            releaser.at = has(.pagesWithoutLookingAgain) ? .release : .check
        case .check:
            if reservedEnd <= releaser.limit {
                releaser.at = .release
            } else {
                releaser.attempts += 1
                releaser.at = releaser.attempts < 2 ? .readReserved : .lift
            }
            if has(.limitLiftedBeforeReleasing) { writeLimit = Self.noLimit }
        case .release:
            let end = releaser.start + Int8(scenario.capacity)
            for position in releaser.limit..<max(end, releaser.limit) {
                let cell = Int(position) % scenario.capacity
                try require(!isInUse(cell), "gives the page of a chunk in use back")
                cells[cell] = 0
            }
            releaser.at = .lift
        case .lift:
            writeLimit = Self.noLimit
            releaser = Releaser(releases: releaser.releases + 1)
        }
    }
}
