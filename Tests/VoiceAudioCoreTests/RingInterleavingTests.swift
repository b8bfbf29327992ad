import TestSupport
import Testing

/// All interleavings of a few steps of the ring's threads, walked one after the other.
@Suite(.enabled(if: !ProcessCounts.isSanitized, "a model in safe code, of one thread: a sanitizer has nothing to see"))
struct RingInterleavingTests {
    typealias State = RingInterleavingState

    /// Walks every state that some interleaving reaches, each once.
    ///
    /// - Returns: How many states there are, and the first violation with the way that leads to it.
    private func explore(_ scenario: State.Scenario) -> (states: Int, violation: String?) {
        let first = State(scenario)
        var seen: Set<State> = [first]
        // The way to a state: its predecessor and the thread that made the step.
        var states = [(state: first, from: 0, thread: State.Thread.producer)]
        var next = 0
        while next < states.count {
            for thread in State.Thread.allCases where !states[next].state.isOver(thread) {
                var state = states[next].state
                do throws(State.Violation) {
                    try state.step(thread)
                } catch {
                    var way = ["\(thread)"]
                    var index = next
                    while index > 0 {
                        way.append("\(states[index].thread)")
                        index = states[index].from
                    }
                    return (states.count, "\(error.description), after \(way.reversed().joined(separator: " "))")
                }
                if seen.insert(state).inserted { states.append((state, next, thread)) }
            }
            next += 1
        }
        return (states.count, nil)
    }

    /// Evictions against takes and clears, wrapping; filling in place; pages given back all the while.
    static let scenarios: [State.Scenario] = [
        .init(capacity: 2, appends: 4, takes: 2, discards: 1),
        .init(capacity: 2, appends: 5, takes: 3),
        .init(capacity: 3, appends: 4, fillsInPlace: true, takes: 2, discards: 1),
        .init(capacity: 3, appends: 3, takes: 1, pageReleases: 1),
        .init(capacity: 3, appends: 3, fillsInPlace: true, takes: 1, pageReleases: 1, slack: 1),
        .init(capacity: 3, appends: 3, fillsInPlace: true, takes: 0, discards: 1, pageReleases: 1),
        .init(capacity: 4, appends: 4, takes: 2, pageReleases: 1),
    ]

    @Test(arguments: scenarios) func theRingIsSound(_ scenario: State.Scenario) {
        let (states, violation) = explore(scenario)
        #expect(violation == nil, "in \(scenario)")
        #expect(states > 1000, "the scenario is too small to tell anything")
    }

    @Test(arguments: State.Bug.allCases) func aPlantedBugIsFound(_ bug: State.Bug) {
        let found = Self.scenarios.contains { scenario in
            var scenario = scenario
            scenario.bug = bug
            return explore(scenario).violation != nil
        }
        #expect(found)
    }
}
