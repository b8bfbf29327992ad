public import VoiceAudioCore

/// What a collector holds, as bytes: older results on disk, then those in memory, the last block of which takes new ones.
///
/// All state is behind one lock. Only reading what is on disk happens outside of it.
final class ResultStore: Sendable {
    struct Settings: Sendable {
        let limitBytes: Int
        let blockBytes: Int
        let spill: ResultSpill
        let places: SpillPlaces
    }

    private let settings: Result<Settings, AudioError>
    private let state: Lock<State>
    private let owner = OwningProcess()
    private let logSink: any AudioLogSink

    init(_ settings: Result<Settings, AudioError>, node: MemoryBudget?, logSink: any AudioLogSink) {
        self.settings = settings
        self.logSink = logSink
        state = Lock(State(node: node))
    }

    /// - Throws: `invalidState` in a fork.
    func checkProcess() throws(AudioError) { try owner.check("the result collector") }

    /// - Throws: see ``ResultCollector/append(_:)``.
    func append(_ bytes: [UInt8]) throws(AudioError) {
        try checkProcess()
        let place = try state.withLock { (state) throws(AudioError) -> ResultCollectorReport? in
            if state.appendToNewest(bytes) { return nil }
            do throws(AudioError) {
                try state.appendToEmptyBlock(bytes, settings.get())
                return state.newPlace()
            } catch {
                state.report.refusedCount += 1
                throw error
            }
        }
        if let place { logPlace(place) }
    }

    /// Counts a result that did not become bytes.
    func noteRefusal() {
        if owner.isCurrent { state.withLock { $0.report.refusedCount += 1 } }
    }

    /// Writes results to disk and gives their memory back.
    ///
    /// - Parameter keepsNewest: Whether the block that takes new results stays.
    /// - Returns: Bytes given back.
    /// - Throws: see ``ResultCollector/append(_:)``, and only where nothing was given back.
    func spill(keepsNewest: Bool) throws(AudioError) -> Int {
        try checkProcess()
        let settings = try settings.get()
        guard settings.spill.maximumBytes > 0 else { return 0 }
        let end = count
        var freed = 0
        // A block at a time, so that whoever appends or reads meanwhile waits for one at most.
        while true {
            do throws(AudioError) {
                let byteCount = try state.withLock { (state) throws(AudioError) in
                    guard let oldest = state.held.first, oldest.firstIndex < end else { return 0 }
                    if keepsNewest && state.held.count == 1 { return 0 }
                    let block = try state.spillOldest(settings)
                    state.release(block)
                    return block.capacity
                }
                if byteCount == 0 { return freed }
                freed += byteCount
                if let place = state.withLock({ $0.newPlace() }) { logPlace(place) }
            } catch {
                if freed == 0 { throw error }
                return freed
            }
        }
    }

    /// Forgets all results; how many.
    func removeAll(closing: Bool = false) -> Int {
        guard owner.isCurrent else { return 0 }
        let (count, file) = state.withLock { state in
            let before = (state.report.count, state.file)
            state.removeAll()
            state.isClosed = state.isClosed || closing
            return before
        }
        // Closing a big file takes its time: nobody is to wait for that.
        return withExtendedLifetime(file) { count }
    }

    var count: Int { owner.isCurrent ? state.withLock { $0.report.count } : 0 }

    var report: ResultCollectorReport {
        var report = owner.isCurrent ? state.withLock { $0.report } : ResultCollectorReport()
        if let settings = try? settings.get() {
            report.memoryLimitBytes = settings.limitBytes
            report.spillLimitBytes = settings.spill.maximumBytes
        }
        return report
    }

    /// Says where results go, once it is known.
    private func logPlace(_ report: ResultCollectorReport) {
        let isMemory = report.temporaryDirectoryIsMemory == true
        let avoidsMemory = (try? settings.get().places.avoidsMemory) == true
        let message =
            switch (isMemory, avoidsMemory) {
            case (false, _): "results that memory has no room for go to disk"
            case (true, true): "the temporary directory is memory; results that have no room there go elsewhere"
            case (true, false): "the directory named for results is memory; they go there all the same"
            }
        logSink.log(
            level: isMemory ? .notice : .debug, message: message,
            metadata: ["directory": report.spillDirectory ?? ""], source: "VoiceAudio")
    }

    /// The descriptor of the file, for tests that damage what is in it.
    var spillDescriptor: Int32? { state.withLock { $0.file?.descriptor } }

    // MARK: Reading

    /// The bytes of one result.
    ///
    /// - Throws: `damagedResult`, `unreadableFile`, `invalidConfiguration`; `invalidState` in a fork.
    func bytes(at index: Int) throws(AudioError) -> [UInt8] {
        try checkProcess()
        let found = try state.withLock { (state) throws(AudioError) in
            guard (0..<state.report.count).contains(index) else {
                throw AudioError(
                    .invalidConfiguration,
                    "there is no result \(index): accepted are 0 and more, below \(state.report.count)")
            }
            guard let block = state.heldBlock(with: index) else { return state.spilledBlock(with: index) }
            return .inMemory(block.bytes(at: index))
        }
        let bytes: [UInt8]?
        switch found {
        case nil: bytes = nil
        case .inMemory(let read): bytes = read
        case .onDisk(let block, let file): bytes = try file.bytes(at: index, of: block)
        }
        guard let bytes else { throw damage(at: index) }
        return bytes
    }

    /// Which results there are, and since which removal of all.
    var snapshot: (generation: Int, count: Int) {
        owner.isCurrent ? state.withLock { ($0.generation, $0.report.count) } : (0, 0)
    }

    /// Brings the block with result `index` into `scratch`.
    ///
    /// - Returns: Whether it is there: not after a removal.
    /// - Throws: `unreadableFile`, `outOfResources`.
    func load(_ index: Int, generation: Int, into scratch: inout ResultBlock?) throws(AudioError) -> Bool {
        let found = try state.withLock { (state) throws(AudioError) -> ResultPlace? in
            guard state.generation == generation else { return nil }
            guard let block = state.heldBlock(with: index) else { return state.spilledBlock(with: index) }
            try Self.makeReady(&scratch, for: block.usedByteCount).copy(block)
            return .inMemory(nil)
        }
        switch found {
        case nil: return false
        case .inMemory: return true
        case .onDisk(let block, let file):
            let target = try Self.makeReady(&scratch, for: Int(block.byteCount))
            // SAFETY: the scratch block's memory, for the call.
            try unsafe target.load(
                firstIndex: block.firstIndex, count: Int(block.count), byteCount: Int(block.byteCount)
            ) { (bytes) throws(AudioError) in
                try unsafe file.read(into: bytes, at: block.offset)
            }
            return true
        }
    }

    /// The error of a damaged result, counted.
    func damage(at index: Int, _ reason: String = "what was read back is not what was put in") -> AudioError {
        state.withLock { $0.report.damagedCount += 1 }
        return AudioError(.damagedResult, "result \(index) is damaged: \(reason); the others can be read")
    }

    private static func makeReady(
        _ scratch: inout ResultBlock?, for byteCount: Int
    ) throws(AudioError) -> ResultBlock {
        if let scratch, scratch.capacity >= byteCount { return scratch }
        let block = try ResultBlock(atLeast: byteCount)
        scratch = block
        return block
    }
}

extension AudioError.Code {
    /// What was read back is not the result that was put in.
    public static let damagedResult = Self(rawValue: "damagedResult")
    /// The result could not be made into bytes.
    public static let resultNotEncodable = Self(rawValue: "resultNotEncodable")
    /// The result alone is more than the budget.
    public static let resultTooLarge = Self(rawValue: "resultTooLarge")
}
