public import VoiceAudioCore

/// Knows which large audio objects are alive, whose they are, how big and how old, and keeps none of them alive.
///
/// ```swift
/// let tracker = AudioObjectTracker(monitor: monitor) { object in log("\(object.owner) let \(object.type) go") }
/// try tracker.track(session.waveform, byteCount: 4 << 20, owner: "call-17")     // any object, held weakly
/// let text = try withTrackedAudio(samples, byteCount: 2 * samples.count, owner: "call-17", in: tracker, transcribe)
/// for object in tracker.report().objects { print(object.trackedAt, object.ageSeconds) }    // oldest first
/// ```
///
/// **When one goes** is known at once of what ``TrackedAudio`` holds and of what ``withTrackedAudio(_:byteCount:owner:in:file:line:_:)``
/// lends. The language tells nobody when another object goes: that is noticed when somebody looks, which ``sweep()``
/// does, each report, each clean-up of a monitor, and now and then ``track(_:byteCount:owner:file:line:)`` itself.
/// Until then its bytes count. Looking holds an object for a moment: if its last other reference goes in that moment,
/// its `deinit` runs on the thread that looks. An object whose `deinit` must run on a thread of its own belongs into a
/// `TrackedAudio`.
///
/// **Bounds.** The table has at most 256 places, or as many as twice the objects that were alive at the last look, and
/// `maxObjects` at most. Some 400 bytes an object.
///
/// In a fork of the process (without exec) it refuses to track, and reports nothing.
///
/// > Concurrency: Safe from any thread.
///
/// > Real-time: Not safe: takes a lock, allocates.
public final class AudioObjectTracker: Sendable {
    /// What logs and reports call it.
    public let name: String
    /// The most objects that it takes.
    public let maxObjects: Int
    /// What is tracked is taken from there, under the owner's name.
    public let budget: MemoryBudget?
    public let cleanupPriority: Int

    private let clock: any AudioClock
    private let onRelease: (@Sendable (AudioObjectReport.Object) -> Void)?
    private let state: Lock<TrackedObjects>
    private let process = OwningProcess()

    /// Makes a tracker of nothing yet.
    ///
    /// - Parameters:
    ///   - name: What logs and reports call it.
    ///   - maxObjects: The most objects that it takes.
    ///   - budget: What is tracked is taken from there, and refused where there is not enough left.
    ///   - monitor: Asks for clean-ups; holds the tracker weakly.
    ///   - cleanupPriority: Handlers with a higher one are asked first.
    ///   - clock: What ages go by.
    ///   - onRelease: Is told of each object that went, once, on the thread that noticed and off any lock. It must not
    ///     keep the tracker.
    public init(
        name: String = "audio objects", maxObjects: Int = .max, budget: MemoryBudget? = nil,
        monitor: MemoryPressureMonitor? = nil, cleanupPriority: Int = 0, clock: any AudioClock = SystemClock(),
        onRelease: (@Sendable (AudioObjectReport.Object) -> Void)? = nil
    ) {
        self.name = name
        self.maxObjects = maxObjects
        self.budget = budget
        self.cleanupPriority = cleanupPriority
        self.clock = clock
        self.onRelease = onRelease
        state = Lock(TrackedObjects(budget: budget, maxObjects: maxObjects))
        monitor?.register(self)
    }

    // MARK: - Tracking

    /// Tracks an object, without keeping it alive. One that is tracked already gets this owner and size, and keeps its age.
    ///
    /// - Parameters:
    ///   - object: Any object.
    ///   - byteCount: Bytes of memory that go with it, 0 to 2⁴⁰.
    ///   - owner: Who has it, for totals: "call-17".
    ///   - file: Where it is tracked, for reports.
    ///   - line: Where it is tracked, for reports.
    /// - Throws: ``AudioError`` with code `budgetExceeded`, `limitReached` or `invalidConfiguration`, and `invalidState`
    ///   in a fork; nothing is tracked then.
    /// - Complexity: O(1), amortised.
    public func track(
        _ object: AnyObject, byteCount: Int, owner: String, file: StaticString = #fileID, line: Int = #line
    ) throws(AudioError) {
        try track(object, byteCount, owner, file, line, purge: nil)
    }

    /// Tracks an object that can go when memory is short: a cache's entry. One that is tracked already gets this `purge`, too.
    ///
    /// - Parameters:
    ///   - object: Any object that threads may share.
    ///   - byteCount: Bytes of memory that go with it, 0 to 2⁴⁰.
    ///   - owner: Who has it, for totals: "call-17".
    ///   - file: Where it is tracked, for reports.
    ///   - line: Where it is tracked, for reports.
    ///   - purge: Has whoever holds the object let it go. Called by clean-ups from `shrink` on, on a thread of the
    ///     monitor's. It must not hold the object itself, which is why it is given to it.
    /// - Throws: As the other form.
    public func track<Object: AnyObject & Sendable>(
        _ object: Object, byteCount: Int, owner: String, file: StaticString = #fileID, line: Int = #line,
        purge: @escaping @Sendable (Object) -> Void
    ) throws(AudioError) {
        let reference = WeakReference(object)
        try track(object, byteCount, owner, file, line) { reference.object.map(purge) }
    }

    /// Tracks a value for as long as the box lives that is returned.
    ///
    /// - Throws: As for an object.
    public func box<Value>(
        _ value: Value, byteCount: Int, owner: String, file: StaticString = #fileID, line: Int = #line
    ) throws(AudioError) -> TrackedAudio<Value> {
        TrackedAudio(value, number: try begin(Value.self, byteCount, owner, file, line), in: self)
    }

    /// Tracks an object no more; ``init(name:maxObjects:budget:monitor:cleanupPriority:clock:onRelease:)``'s `onRelease`
    /// is not told of it.
    ///
    /// - Returns: Whether it was tracked.
    @discardableResult
    public func untrack(_ object: AnyObject) -> Bool {
        guard process.isCurrent else { return false }
        let entry = state.withLock { state in
            state.number(of: object).flatMap { state.remove($0, isGone: false) }
        }
        return entry != nil
    }

    // MARK: - Looking

    /// Bytes of what is alive, and of what nobody noticed to be gone.
    public var byteCount: Int { process.isCurrent ? state.withLock { $0.byteCount } : 0 }

    /// Objects that are alive, or that nobody noticed to be gone.
    public var objectCount: Int { process.isCurrent ? state.withLock { $0.entries.count } : 0 }

    /// Looks which objects are gone.
    ///
    /// - Returns: Bytes of those that went since anybody looked.
    /// - Complexity: O(*n*) in the objects.
    @discardableResult
    public func sweep() -> Int {
        guard process.isCurrent else { return 0 }
        let byteCount = release(goneNumbers())
        state.withLock { $0.noteSweep() }
        return byteCount
    }

    /// What is alive now, to find who keeps what should have gone.
    ///
    /// - Parameters:
    ///   - order: Which objects come first.
    ///   - limit: The most objects to list one by one; totals are of all.
    /// - Complexity: O(*n* log *n*) in the objects.
    public func report(_ order: AudioObjectReport.Order = .oldestFirst, limit: Int = 20) -> AudioObjectReport {
        sweep()
        var report = AudioObjectReport(
            name: name, objectCount: 0, byteCount: 0, peakByteCount: 0, releasedCount: 0, owners: [], objects: [])
        guard process.isCurrent else { return report }
        let entries = state.withLock { state in
            report.byteCount = state.byteCount
            report.peakByteCount = state.peakByteCount
            report.releasedCount = state.releasedCount
            report.owners = state.owners
            return state.entries
        }
        report.objectCount = entries.count
        let now = clock.now
        // Numbers are given in the order of time.
        var numbers = entries.keys.sorted()
        if order == .biggestFirst {
            let places = numbers.map { (number: $0, byteCount: entries[$0]?.byteCount ?? 0) }
            numbers = places.sorted { ($1.byteCount, $0.number) < ($0.byteCount, $1.number) }.map(\.number)
        }
        report.objects = numbers.prefix(max(0, limit)).compactMap { entries[$0]?.report(at: now) }
        return report
    }

    // MARK: - Beneath

    /// Tracks what tells by itself when it goes, by ``end(_:)``.
    func begin(
        _ type: Any.Type, _ byteCount: Int, _ owner: String, _ file: StaticString, _ line: Int
    ) throws(AudioError) -> Int {
        let entry = TrackedObjects.Entry(
            identity: nil, type: type, owner: owner, byteCount: byteCount, file: file, line: line,
            start: clock.now, purge: nil)
        try check(entry)
        return try afterSweepIfNeeded { (state) throws(AudioError) in try state.add(entry) }
    }

    func end(_ number: Int) {
        guard process.isCurrent else { return }
        release([number])
    }

    private func track(
        _ object: AnyObject, _ byteCount: Int, _ owner: String, _ file: StaticString, _ line: Int,
        purge: (@Sendable () -> Void)?
    ) throws(AudioError) {
        let entry = TrackedObjects.Entry(
            identity: ObjectIdentifier(object), type: type(of: object), owner: owner,
            byteCount: byteCount, file: file, line: line, start: clock.now, purge: purge)
        try check(entry)
        if state.withLock({ $0.isDueForSweep }) { sweep() }
        _ = try afterSweepIfNeeded { (state) throws(AudioError) in try state.addOrChange(object, entry) }
    }

    private func check(_ entry: TrackedObjects.Entry) throws(AudioError) {
        try process.check("the tracker \"\(name)\"")
        guard !(0...1 << 40).contains(entry.byteCount) else { return }
        throw AudioError(
            .invalidConfiguration,
            "an audio object of \"\(entry.owner)\" has \(entry.byteCount) bytes: accepted are 0 to \(1 << 40)")
    }

    /// Runs `body`; where it is refused, once more after a look at which objects are gone.
    private func afterSweepIfNeeded<Result>(
        _ body: (inout TrackedObjects) throws(AudioError) -> Result
    ) throws(AudioError) -> Result {
        do throws(AudioError) {
            return try state.withLock(body)
        } catch {
            sweep()
            return try state.withLock(body)
        }
    }

    /// Looks off the lock: that may run a `deinit`.
    private func goneNumbers() -> [Int] {
        let watched = state.withLock { $0.watched }
        return watched.compactMap { number, reference in reference.object == nil ? number : nil }
    }

    /// Takes out what is gone, and tells of it; whoever takes an entry out is the only one to tell.
    @discardableResult
    private func release(_ numbers: [Int]) -> Int {
        let gone = state.withLock { state in numbers.compactMap { state.remove($0, isGone: true) } }
        if let onRelease, !gone.isEmpty {
            let now = clock.now
            for entry in gone { onRelease(entry.report(at: now)) }
        }
        return gone.reduce(0) { $0 + $1.byteCount }
    }
}

extension AudioObjectTracker: MemoryCleanupHandler {
    public var cleanupName: String { name }

    /// Looks which objects are gone; from `shrink` on, has those go that can, the oldest first.
    ///
    /// - Returns: Bytes of what went meanwhile, or was noticed to be gone.
    public func freeMemory(_ stage: MemoryCleanupStage) -> Int {
        guard process.isCurrent else { return 0 }
        let (before, entries) = state.withLock { ($0.releasedByteCount, $0.entries) }
        if stage != .trim {
            for entry in entries.sorted(by: { $0.key < $1.key }) { entry.value.purge?() }
        }
        sweep()
        return state.withLock { $0.releasedByteCount } &- before
    }
}
