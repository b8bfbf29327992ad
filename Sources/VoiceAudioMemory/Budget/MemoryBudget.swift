public import VoiceAudioCore

/// A limit on memory, shared among those below it: a tree, such as process, users, sessions.
///
/// What a node takes counts in each node above it, too, and is refused where any of them has not enough left: together
/// the children of a node never have more than the node's own limit, whatever theirs are.
///
/// ```swift
/// let process = try MemoryBudget(name: "process", percentOfAvailable: 50)
/// let call = try process.child(name: "call-17", limitBytes: 2 << 20)
/// let reservation = try call.reserve(64 << 10, for: "ring")     // given back with the reservation
/// ```
///
/// In a fork of the process (without exec) nothing can be taken, and reports say that nothing is: the memory is the
/// parent's.
///
/// > Concurrency: Safe from any thread. A tree has one lock.
///
/// > Real-time: Not safe: takes a lock.
public final class MemoryBudget: Sendable {
    /// What reports and errors call it.
    public let name: String
    /// The most that it, and all below it together, may have.
    public let limitBytes: Int
    /// The node above; `nil` for the tree's root.
    public let parent: MemoryBudget?

    private let tree: Tree
    private let number: Int
    private let depth: Int
    /// Whoever walks a tree does so by recursion.
    private static let maxDepth = 32

    /// Makes the root of a tree.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration`.
    public init(name: String, limitBytes: Int) throws(AudioError) {
        try Self.validate(limitBytes, of: name)
        self.name = name
        self.limitBytes = limitBytes
        parent = nil
        depth = 1
        tree = Tree()
        number = tree.add(name: name, limitBytes: limitBytes, parent: nil)
    }

    /// Makes the root of a tree that has a part of the memory that the process may use, the control group's limit or else
    /// the machine's: looked up now.
    ///
    /// - Parameters:
    ///   - percentOfAvailable: Above 0, up to 100.
    ///   - monitor: What knows that memory; without one it is asked of the system.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`; `outOfResources` where the memory is not known.
    public convenience init(
        name: String, percentOfAvailable: Double, monitor: MemoryPressureMonitor? = nil
    ) throws(AudioError) {
        let usableBytes = MemoryCapacity.usableBytes(seenBy: monitor)
        let limitBytes = try MemoryCapacity.part(percentOfAvailable, of: usableBytes, for: "the budget \"\(name)\"")
        try self.init(name: name, limitBytes: limitBytes)
    }

    private init(name: String, limitBytes: Int, below parent: MemoryBudget) {
        self.name = name
        self.limitBytes = limitBytes
        self.parent = parent
        depth = parent.depth + 1
        tree = parent.tree
        number = tree.add(name: name, limitBytes: limitBytes, parent: parent.number)
    }

    deinit { tree.remove(number) }

    /// Makes a node below this one. It is gone with its last reference, which its reservations have, too.
    ///
    /// - Parameter limitBytes: The most that it may have, if this node has as much left at the time.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`; `limitReached` where the tree would have more than 32
    ///   levels; `invalidState` in a fork of the process.
    public func child(name: String, limitBytes: Int) throws(AudioError) -> MemoryBudget {
        try checkProcess()
        try Self.validate(limitBytes, of: name)
        guard depth < Self.maxDepth else {
            throw AudioError(
                .limitReached,
                "the budget \"\(name)\" would be level \(depth + 1) of its tree: accepted are \(Self.maxDepth) at most")
        }
        return MemoryBudget(name: name, limitBytes: limitBytes, below: self)
    }

    /// Takes `byteCount` bytes.
    ///
    /// - Parameter purpose: What reports call it: "ring".
    /// - Returns: What gives them back when it goes.
    /// - Throws: ``AudioError`` with code `budgetExceeded`, naming the node that has not enough left; `invalidConfiguration`
    ///   for a negative number, `invalidState` in a fork of the process. Nothing is taken then.
    /// - Complexity: O(levels of the tree above).
    public func reserve(_ byteCount: Int, for purpose: String) throws(AudioError) -> MemoryReservation {
        let reservation = MemoryReservation(in: self, purpose: purpose)
        try reservation.resize(to: byteCount)
        return reservation
    }

    /// Bytes taken, here and below.
    public var usedBytes: Int { tree.usedBytes(number) }

    /// Bytes that can still be taken here: what this node and each above it have left.
    public var availableBytes: Int { tree.availableBytes(number) }

    /// This node and all below it.
    public var report: MemoryBudgetReport {
        tree.report(number)
            ?? MemoryBudgetReport(
                name: name, limitBytes: limitBytes, usedBytes: 0, peakBytes: 0, purposes: [:], children: [])
    }

    /// The process that has the memory. A fork has a copy of the tree, whose lock somebody may hold who is not there.
    var owner: OwningProcess { tree.owner }

    /// - Throws: `invalidState` in a fork.
    func checkProcess() throws(AudioError) { try owner.check("the memory budget \"\(name)\"") }

    /// Changes what `purpose` has.
    func change(by byteCount: Int, for purpose: String) throws(AudioError) {
        try tree.change(number, by: byteCount, for: purpose)
    }

    /// Has bytes that `purpose` has count as those of `other`: the same bytes, so no limit is asked.
    func move(_ byteCount: Int, from purpose: String, to other: String) {
        tree.move(number, byteCount, from: purpose, to: other)
    }

    private static func validate(_ limitBytes: Int, of name: String) throws(AudioError) {
        guard limitBytes <= 0 else { return }
        throw AudioError(
            .invalidConfiguration, "the budget \"\(name)\" has a limit of \(limitBytes) bytes: accepted are 1 and more")
    }
}

extension AudioError.Code {
    /// A memory budget has not enough left.
    public static let budgetExceeded = Self(rawValue: "budgetExceeded")
}
