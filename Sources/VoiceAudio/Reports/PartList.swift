import VoiceAudioCore
import VoiceAudioMemory

/// Parts of one kind that somebody reports on, held weakly: one whose finder answers `nil` is gone for good, and forgotten.
///
/// > Concurrency: Safe from any thread. Parts are asked off the lock, and let go of there, as that may run a `deinit`.
final class PartList<Part: Sendable>: Sendable {
    private struct State {
        var finders: [Int: @Sendable () -> Part?] = [:]
        var lastNumber = 0
        /// How many parts there may be before someone looks which are gone: so that takes O(1) for each that is added.
        var countToLookAt = 64
    }

    private let state = Lock(State())
    private let owner = OwningProcess()

    func add(_ finder: @escaping @Sendable () -> Part?) {
        guard owner.isCurrent else { return }
        let isDue = state.withLock { state in
            state.lastNumber += 1
            state.finders[state.lastNumber] = finder
            return state.finders.count > state.countToLookAt
        }
        guard isDue else { return }
        _ = map { _ in }
        state.withLock { $0.countToLookAt = max(64, 2 * $0.finders.count) }
    }

    /// What `body` says of those that are there, in the order in which they were added.
    func map<Result>(_ body: (Part) -> Result) -> [Result] {
        guard owner.isCurrent else { return [] }
        let finders = state.withLock { $0.finders }.sorted { $0.key < $1.key }
        var results: [Result] = []
        var gone: [Int] = []
        for (number, finder) in finders {
            if let part = finder() { results.append(body(part)) } else { gone.append(number) }
        }
        state.withLock { state in
            for number in gone { state.finders[number] = nil }
        }
        return results
    }
}

/// A processor, and what reports call it.
struct NamedProcessor: Sendable {
    let name: String
    /// The registry's name where it is a session's.
    var registry: String?
    let processor: AudioProcessor
}

/// A collector of results of any type.
protocol ReportingCollector: MemoryCleanupHandler {
    var report: ResultCollectorReport { get }
}

extension ResultCollector: ReportingCollector {}
