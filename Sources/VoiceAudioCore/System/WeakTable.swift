/// Objects that can be found for as long as they live. None is kept alive, and a fork begins with none.
///
/// > Concurrency: Safe from any thread.
package final class WeakTable<Object: AnyObject>: Sendable {
    private struct State: Sendable {
        var references: [ObjectIdentifier: WeakReference<Object>] = [:]
        /// How many there may be before someone looks which are gone: so that takes O(1) for each that is added.
        var countToLookAt = 64
    }

    private let state = PerProcess(Lock(State())) { _ in Lock(State()) }

    package init() {}

    /// Adds an object; twice is once.
    package func add(_ object: Object) {
        let reference = WeakReference(object)
        let isDue = state.value.withLock { state in
            state.references[ObjectIdentifier(object)] = reference
            return state.references.count > state.countToLookAt
        }
        if isDue { forgetThoseGone() }
    }

    /// Removes an object, in its `deinit` at the latest where it should not stay in the table until somebody looks.
    package func remove(_ object: Object) {
        let removed = state.value.withLock { $0.references.removeValue(forKey: ObjectIdentifier(object)) }
        withExtendedLifetime(removed) {}
    }

    /// References to those that are there; some may be gone by now.
    package var references: [WeakReference<Object>] { state.value.withLock { Array($0.references.values) } }

    private func forgetThoseGone() {
        // Looked at off the lock, as that may run a `deinit`.
        let gone = state.value.withLock { $0.references }.filter { $0.value.object == nil }
        state.value.withLock { state in
            for (key, reference) in gone where state.references[key] === reference { state.references[key] = nil }
            state.countToLookAt = max(64, 2 * state.references.count)
        }
    }
}
