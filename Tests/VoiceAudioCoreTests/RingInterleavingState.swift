/// A tiny ring as the explorer sees it: what threads share, and how far each has come. One chunk is one cell of memory,
/// and one page.
///
/// Each step of a thread is one atomic operation of `Ring`, or one access to the memory; memory is sequentially
/// consistent here. What weaker orderings allow is ThreadSanitizer's part.
struct RingInterleavingState: Hashable {
    /// A bug planted in the model.
    enum Bug: CaseIterable {
        case claimWithoutBit, evictIgnoringTheBit, evictWithoutCompareAndSwap, discardWithoutCompareAndSwap
        case publishedBeforeCopy, headBeforePublished, publishedAtAnyTime, copyBeforeAdmission, restartWhileHeld
        case releaseBeforeReading
        case limitReadBeforeReserving, pagesWithoutLookingAgain, byteEndBeforeHead, limitLiftedBeforeReleasing
    }

    struct Violation: Error { let description: String }

    /// What is explored: how much each thread does, and in which way.
    struct Scenario: Hashable {
        var capacity = 2
        var appends = 4
        var fillsInPlace = false
        var takes = 2
        var discards = 0
        var pageReleases = 0
        var slack = 0
        var bug: Bug?
    }

    static let maxChunks = 2
    static let noLimit: Int8 = .max

    let scenario: Scenario
    // Shared, as in `Ring`.
    var head: Int8 = 0
    var tail: Int8 = 0
    var byteEnd: Int8 = 0
    var reservedEnd: Int8 = 0
    var writeLimit = noLimit
    /// The number of the chunk whose bytes lie there; 0 is a page that was given back.
    var cells = SIMD4<Int8>(repeating: 0)
    /// The descriptors, by position modulo `maxChunks`.
    var starts = SIMD2<Int8>(repeating: 0)
    var offsets = SIMD2<Int8>(repeating: 0)
    var numbers = SIMD2<Int8>(repeating: 0)
    var published = SIMD2<Int8>(repeating: 0)

    var producer = Producer()
    var consumer = Consumer()
    var discarder = Discarder()
    var releaser = Releaser()

    init(_ scenario: Scenario) {
        self.scenario = scenario
        if scenario.fillsInPlace { producer.at = .reserve }
    }

    enum Thread: CaseIterable { case producer, consumer, discarder, releaser }

    func isOver(_ thread: Thread) -> Bool {
        switch thread {
        case .producer: producer.appended + producer.refused == scenario.appends
        case .consumer: consumer.takes == scenario.takes
        case .discarder: discarder.discards == scenario.discards
        case .releaser: releaser.releases == scenario.pageReleases
        }
    }

    mutating func step(_ thread: Thread) throws(Violation) {
        switch thread {
        case .producer: try stepProducer()
        case .consumer: try stepConsumer()
        case .discarder: try stepDiscarder()
        case .releaser: try stepReleaser()
        }
        let end = max(head, producer.publishedEnd)
        try require((0...Int8(Self.maxChunks)).contains(end - tail >> 1), "\(end - tail >> 1) chunks held")
        if Thread.allCases.allSatisfy(isOver) {
            let gone = consumer.delivered + producer.evicted + discarder.cleared
            let appended = producer.appended
            try require(appended == gone + held.count, "\(appended) appended, \(gone) gone, \(held.count) held")
        }
    }

    func has(_ bug: Bug) -> Bool { scenario.bug == bug }

    func slot(_ position: Int8) -> Int { Int(position) % Self.maxChunks }

    /// Whether a chunk that is held lies in the cell, or one that is being filled.
    func isInUse(_ cell: Int) -> Bool {
        if producer.hasPlace, Int(producer.offset) == cell { return true }
        return held.contains { Int(offsets[slot($0)]) == cell }
    }

    /// The positions of the chunks that are held: `head` may not have come to the newest yet.
    var held: Range<Int8> { tail >> 1..<max(tail >> 1, head, producer.publishedEnd) }

    /// As an exchange of a thread that found `expected` before.
    mutating func exchangeTail(_ expected: Int8, _ desired: Int8, always: Bool = false) -> Bool {
        guard always || tail == expected else { return false }
        tail = desired
        return true
    }

    func require(_ condition: Bool, _ description: @autoclosure () -> String) throws(Violation) {
        if !condition { throw Violation(description: description()) }
    }
}
