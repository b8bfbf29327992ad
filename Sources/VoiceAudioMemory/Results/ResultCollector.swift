public import VoiceAudioCore

/// Results in the order in which they came, in bounded memory: the older ones go to disk.
///
/// Results are held as encoded bytes, so that their size is known. Past the budget, and when the monitor finds memory short,
/// the oldest go to a file without a name, which is gone with the collector or the process, even by SIGKILL.
///
/// ```swift
/// let results = ResultCollector<Transcript>(budget: .percentOfAvailable(20), monitor: monitor)
/// try results.append(transcript)
/// for result in results { show(try result.get()) }        // in order, from memory and disk, in constant memory
/// ```
///
/// **Limits.** Memory is taken in blocks of a quarter of the budget, 256 KiB at most, and all of them together are never
/// more than the budget, not for an instant. Besides, each iterator has one block of its own, and each block on disk
/// is remembered in 24 bytes: 100 KB for a million results of 1 KiB. A result on disk takes its bytes and 16 more.
///
/// **A full disk**, or a full quota, is an error of `append`: that result is not accepted, all others stay, and it works
/// again once there is room.
///
/// > Concurrency: Safe from any thread. One that appends may wait while another writes a block to disk; reading from disk
/// > keeps nobody waiting. In a fork of the process it refuses, and holds nothing.
///
/// > Real-time: Not safe: encodes, takes a lock, and may write to disk.
public final class ResultCollector<Value: Codable & Sendable>: Sendable {
    /// What logs and reports call it.
    public let name: String
    private let coding: ResultCoding<Value>
    let store: ResultStore

    /// Makes an empty collector. What is not accepted of the settings, the first `append` throws.
    ///
    /// - Parameters:
    ///   - name: What logs and reports call it.
    ///   - budget: The most memory for results, looked up now. 20 % of what the process may use by default.
    ///   - node: A budget that the memory is taken from besides; what it refuses goes to disk.
    ///   - monitor: Has results spilled when memory is short. It does not keep the collector alive.
    ///   - spill: Where results go that memory has no room for.
    ///   - coding: How bytes are made of results. `[UInt8]` stands for itself; all else is JSON by default.
    ///   - logSink: Is told where results go once they do.
    public convenience init(
        name: String = "results", budget: ResultBudget = .percentOfAvailable(20), in node: MemoryBudget? = nil,
        monitor: MemoryPressureMonitor? = nil, spill: ResultSpill = ResultSpill(),
        coding: ResultCoding<Value> = .standard, logSink: any AudioLogSink = SilentLogSink()
    ) {
        self.init(
            name: name, budget: budget, in: node, monitor: monitor, spill: spill, places: SpillPlaces(spill),
            coding: coding,
            logSink: logSink)
    }

    init(
        name: String = "results", budget: ResultBudget, in node: MemoryBudget? = nil,
        monitor: MemoryPressureMonitor? = nil, spill: ResultSpill,
        places: SpillPlaces, coding: ResultCoding<Value> = .standard, logSink: any AudioLogSink = SilentLogSink()
    ) {
        self.name = name
        self.coding = coding
        let settings = Result<ResultStore.Settings, AudioError> { () throws(AudioError) in
            try ResultStore.Settings(budget, of: MemoryCapacity.usableBytes(seenBy: monitor), spill, places)
        }
        store = ResultStore(settings, node: node, logSink: logSink)
        monitor?.register(self)
    }

    /// Adds a result behind the others.
    ///
    /// - Throws: ``AudioError`` with code `diskFull` where memory is full and the disk, or the spill's quota, too;
    ///   `fileTooLarge` where the process may write no larger file (`ulimit -f`);
    ///   `notWritable` or `permissionDenied` where no directory takes the file; `budgetExceeded` where a node of the budget
    ///   has no room for a single block; `resultTooLarge` for one that the budget, or 1 GiB, cannot hold; `resultNotEncodable`;
    ///   `outOfResources`; `invalidConfiguration` for settings that are not accepted; `invalidState` when closed, and in a
    ///   fork. Then the result is not accepted, and those before it stay.
    /// - Complexity: O(*n*) in the result's bytes, and now and then a block is written to disk.
    public func append(_ value: Value) throws(AudioError) {
        let bytes: [UInt8]
        do {
            bytes = try coding.encode(value)
        } catch {
            store.noteRefusal()
            throw AudioError(.resultNotEncodable, "a result cannot be encoded: \(error)")
        }
        try store.append(bytes)
    }

    /// Result `index`, the first being 0.
    ///
    /// - Throws: ``AudioError`` with code `damagedResult` where it is not what was put in; `unreadableFile` where the disk
    ///   fails; `invalidConfiguration` where there is no such result; `outOfResources`; `invalidState` in a fork.
    /// - Complexity: O(*n*) in the result's bytes, and O(log *m*) in the blocks. All in order are faster by iterating.
    public func result(at index: Int) throws(AudioError) -> Value {
        try decode(store.bytes(at: index), index)
    }

    /// Results that are held.
    public var count: Int { store.count }

    /// Whether there are none.
    public var isEmpty: Bool { count == 0 }

    /// Memory taken for results, used or not.
    public var memoryByteCount: Int { store.report.memoryBytes }

    /// Bytes on disk.
    public var spilledByteCount: Int { store.report.spilledBytes }

    /// What is held, and where.
    public var report: ResultCollectorReport {
        var report = store.report
        report.name = name
        return report
    }

    /// Forgets all results, and gives their memory and disk space back. Iterators end with the block that they read.
    ///
    /// - Returns: How many there were.
    @discardableResult
    public func removeAll() -> Int { store.removeAll() }

    /// Forgets all results, and accepts none any more. A second call does nothing.
    public func close() { _ = store.removeAll(closing: true) }

    func decode(_ bytes: [UInt8], _ index: Int) throws(AudioError) -> Value {
        do {
            return try coding.decode(bytes)
        } catch {
            throw store.damage(at: index, "it cannot be decoded: \(error)")
        }
    }
}

extension ResultStore.Settings {
    /// - Throws: `invalidConfiguration`; `outOfResources` where it is not known what the process may use.
    init(
        _ budget: ResultBudget, of usableBytes: Int?, _ spill: ResultSpill, _ places: SpillPlaces
    ) throws(AudioError) {
        try spill.validate()
        limitBytes = try budget.limitBytes(of: usableBytes)
        blockBytes = min(limitBytes / 4, 256 << 10)
        self.spill = spill
        self.places = places
    }
}
