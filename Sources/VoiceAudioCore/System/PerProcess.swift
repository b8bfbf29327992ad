import Synchronization

/// A value that every process has for itself: a fork begins with a fresh one.
///
/// What a fork has of its parent's value may be half changed, and its lock held by a thread that is not there. It is
/// never looked at again, nor released.
///
/// > Concurrency: Safe from any thread.
@safe
package final class PerProcess<Value: Sendable>: Sendable {
    private final class Entry: Sendable {
        let owner = OwningProcess()
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    /// The address of a retained entry.
    private let current: Atomic<UInt>
    private let inFork: @Sendable (OwningProcess) -> Value

    /// - Parameters:
    ///   - value: This process's.
    ///   - inFork: Makes that of a fork; it is told whose the value was before.
    package init(_ value: Value, inFork: @escaping @Sendable (OwningProcess) -> Value) {
        // SAFETY: released by deinit.
        current = Atomic(UInt(bitPattern: unsafe Unmanaged.passRetained(Entry(value)).toOpaque()))
        self.inFork = inFork
    }

    deinit {
        let entry = Self.entry(at: current.load(ordering: .acquiring))
        // SAFETY: the reference that was retained when the entry was put in; nobody else has this object any more.
        if entry.owner.isCurrent { unsafe Unmanaged.passUnretained(entry).release() }
    }

    /// This process's value.
    package var value: Value {
        while true {
            let word = current.load(ordering: .acquiring)
            // SAFETY: as in `entry(at:)`; it is not counted, as every look at the value would pay for that.
            let unmanaged = unsafe Self.unmanagedEntry(at: word)
            if unsafe unmanaged._withUnsafeGuaranteedRef({ $0.owner.isCurrent }) {
                return unsafe unmanaged._withUnsafeGuaranteedRef { $0.value }
            }
            let entry = Self.entry(at: word)
            // SAFETY: as in init; where another thread was faster, its entry stays and ours goes.
            let fresh = unsafe Unmanaged.passRetained(Entry(inFork(entry.owner)))
            let address = UInt(bitPattern: unsafe fresh.toOpaque())
            if !current.compareExchange(expected: word, desired: address, ordering: .acquiringAndReleasing).exchanged {
                unsafe fresh.release()
            }
        }
    }

    private static func unmanagedEntry(at word: UInt) -> Unmanaged<Entry> {
        // SAFETY: the address is that of an entry.
        unsafe Unmanaged<Entry>.fromOpaque(UnsafeRawPointer(bitPattern: word)!)
    }

    private static func entry(at word: UInt) -> Entry {
        // SAFETY: an entry that a process has put in stays as long as that process has this object.
        unsafe unmanagedEntry(at: word).takeUnretainedValue()
    }
}
