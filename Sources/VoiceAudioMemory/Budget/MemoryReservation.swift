public import VoiceAudioCore

/// Bytes taken from a ``MemoryBudget``: given back when this goes.
///
/// > Concurrency: Safe from any thread.
public final class MemoryReservation: Sendable {
    /// What has them.
    public let purpose: String
    /// Where they are taken from.
    public let budget: MemoryBudget

    private let size = Lock(0)

    init(in budget: MemoryBudget, purpose: String) {
        self.budget = budget
        self.purpose = purpose
    }

    /// In a fork there is nothing to give back.
    deinit { if budget.owner.isCurrent { try? resize(to: 0) } }

    /// Bytes taken; 0 in a fork of the process.
    public var byteCount: Int { budget.owner.isCurrent ? size.withLock { $0 } : 0 }

    /// Takes more, or gives some back.
    ///
    /// - Parameter byteCount: Bytes that it is to have, 0 or more.
    /// - Throws: ``AudioError`` with code `budgetExceeded`: then it has what it had, and less is never refused;
    ///   `invalidConfiguration` for a negative number, `invalidState` in a fork of the process.
    public func resize(to byteCount: Int) throws(AudioError) {
        try budget.checkProcess()
        guard byteCount >= 0 else {
            throw AudioError(
                .invalidConfiguration, "\(byteCount) bytes for \(purpose) are no size: accepted are 0 and more")
        }
        try size.withLock { (size) throws(AudioError) in
            try budget.change(by: byteCount - size, for: purpose)
            size = byteCount
        }
    }

    /// Hands some of its bytes to another reservation in the same budget, which cannot be refused. Not in a fork.
    func move(_ byteCount: Int, to other: MemoryReservation) {
        size.withLock { $0 -= byteCount }
        budget.move(byteCount, from: purpose, to: other.purpose)
        other.size.withLock { $0 += byteCount }
    }
}
