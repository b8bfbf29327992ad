import VoiceAudioCore

/// The table behind an ``AudioObjectTracker``'s lock: what is alive as far as was noticed, and what each owner has.
///
/// Nothing here looks whether an object is gone, but where the caller holds it: that may run its `deinit`.
struct TrackedObjects {
    struct Entry: Sendable {
        /// The address of an object that is held weakly; `nil` where a scope or box tells when it goes.
        let identity: ObjectIdentifier?
        let type: Any.Type
        var owner: String
        var byteCount: Int
        let file: StaticString
        let line: Int
        let start: MonotonicInstant
        var purge: (@Sendable () -> Void)?

        func report(at now: MonotonicInstant) -> AudioObjectReport.Object {
            AudioObjectReport.Object(
                owner: owner, type: String(describing: type), byteCount: byteCount,
                ageSeconds: start.duration(to: now) / .seconds(1), trackedAt: "\(file):\(line)")
        }
    }

    private struct Account {
        var objectCount = 0
        var byteCount = 0
        /// Taken from the budget for all of the owner's objects together.
        let reservation: MemoryReservation?
    }

    private let budget: MemoryBudget?
    private let maxObjects: Int
    private(set) var entries: [Int: Entry] = [:]
    /// The objects that are held weakly, apart from the rest so that looking at them is quick.
    private(set) var watched: [Int: WeakReference<AnyObject>] = [:]
    /// Whose address is whose entry. An object that is gone may have left its address to another one.
    private var numbers: [ObjectIdentifier: Int] = [:]
    private var accounts: [String: Account] = [:]
    private var lastNumber = 0
    private(set) var byteCount = 0
    private(set) var peakByteCount = 0
    private(set) var releasedCount = 0
    private(set) var releasedByteCount = 0
    /// How many may be watched before someone looks which are gone.
    private var watchedCountToSweepAt = Self.leastCountToSweepAt
    private static let leastCountToSweepAt = 256

    init(budget: MemoryBudget?, maxObjects: Int) {
        self.budget = budget
        self.maxObjects = maxObjects
    }

    /// Whether as many objects were added since the last sweep as were there then: so a sweep costs O(1) an object.
    var isDueForSweep: Bool { watched.count >= watchedCountToSweepAt }

    mutating func noteSweep() { watchedCountToSweepAt = max(Self.leastCountToSweepAt, 2 * watched.count) }

    /// The number of an object that the caller holds; `nil` where it is not tracked.
    func number(of object: AnyObject) -> Int? {
        // Whatever is alive at this address is this object: looking holds nothing that the caller does not hold.
        guard let number = numbers[ObjectIdentifier(object)], watched[number]?.object != nil else { return nil }
        return number
    }

    /// Takes in an object that the caller holds, or gives it another owner, size and `purge` where it is there.
    ///
    /// - Returns: The entry that it had, to be dropped off the lock: what its `purge` holds may have a `deinit`.
    mutating func addOrChange(_ object: AnyObject, _ entry: Entry) throws(AudioError) -> Entry? {
        if let number = number(of: object) { return try change(number, to: entry) }
        let number = try add(entry)
        watched[number] = WeakReference(object)
        numbers[ObjectIdentifier(object)] = number
        return nil
    }

    mutating func add(_ entry: Entry) throws(AudioError) -> Int {
        guard entries.count < maxObjects else {
            throw AudioError(
                .limitReached, "\(entries.count) audio objects are tracked: accepted are \(maxObjects) at most")
        }
        try credit(entry.owner, objects: 1, bytes: entry.byteCount)
        lastNumber += 1
        entries[lastNumber] = entry
        return lastNumber
    }

    private mutating func change(_ number: Int, to new: Entry) throws(AudioError) -> Entry? {
        guard let entry = entries[number] else { return nil }
        let account = try account(of: new.owner)
        try credit(entry.owner, objects: 0, bytes: new.byteCount - entry.byteCount)
        if new.owner != entry.owner { move(new.byteCount, from: entry.owner, to: new.owner, account) }
        entries[number]?.owner = new.owner
        entries[number]?.byteCount = new.byteCount
        if let purge = new.purge { entries[number]?.purge = purge }
        return entry
    }

    /// Gives an object to another owner. Its bytes are the same ones: taking them anew could be refused.
    private mutating func move(_ byteCount: Int, from owner: String, to newOwner: String, _ account: Account) {
        guard var old = accounts[owner] else { return }
        var new = account
        old.objectCount -= 1
        old.byteCount -= byteCount
        new.objectCount += 1
        new.byteCount += byteCount
        if let reservation = new.reservation { old.reservation?.move(byteCount, to: reservation) }
        accounts[owner] = old.objectCount > 0 ? old : nil
        accounts[newOwner] = new
    }

    /// Takes an object out; `nil` where another did.
    ///
    /// - Parameter isGone: Whether it counts as released.
    mutating func remove(_ number: Int, isGone: Bool) -> Entry? {
        guard let entry = entries.removeValue(forKey: number) else { return nil }
        if let identity = entry.identity {
            watched[number] = nil
            if numbers[identity] == number { numbers[identity] = nil }
        }
        debit(entry)
        if isGone {
            releasedCount += 1
            // A sum over months: past the end it begins again, and differences stay right.
            releasedByteCount &+= entry.byteCount
        }
        return entry
    }

    /// What each owner has; the one with the most bytes first.
    var owners: [AudioObjectReport.Owner] {
        accounts.map { owner, account in
            AudioObjectReport.Owner(owner: owner, objectCount: account.objectCount, byteCount: account.byteCount)
        }.sorted { ($1.byteCount, $0.owner) < ($0.byteCount, $1.owner) }
    }

    /// What an owner has; nothing yet for a new one.
    private func account(of owner: String) throws(AudioError) -> Account {
        if let known = accounts[owner] { return known }
        return Account(reservation: try budget?.reserve(0, for: owner))
    }

    private mutating func credit(_ owner: String, objects: Int, bytes: Int) throws(AudioError) {
        var account = try account(of: owner)
        try account.reservation?.resize(to: account.byteCount + bytes)
        account.objectCount += objects
        account.byteCount += bytes
        accounts[owner] = account
        byteCount += bytes
        peakByteCount = max(peakByteCount, byteCount)
    }

    private mutating func debit(_ entry: Entry) {
        guard var account = accounts[entry.owner] else { return }
        account.objectCount -= 1
        account.byteCount -= entry.byteCount
        byteCount -= entry.byteCount
        accounts[entry.owner] = account.objectCount > 0 ? account : nil
        // Less is never refused.
        try? account.reservation?.resize(to: account.byteCount)
    }
}
