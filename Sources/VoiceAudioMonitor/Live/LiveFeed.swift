import FoundationEssentials
import VoiceAudio
import VoiceAudioCore

/// Makes the blocks of server-sent events that ``/events`` sends: one for all who listen.
///
/// `levels` is in each block. `states`, which says whose levels they are, is in the first, in each after a change of a
/// state, a health or the pressure's level, and once a second besides: that is for those who joined since, or whose
/// connection was too slow for the block that had it.
///
/// > Concurrency: Safe from any thread.
final class LiveFeed: Sendable {
    private struct State {
        var number = 0
        var sentStates: StatesEvent?
        var statesTime = MonotonicInstant(nanoseconds: 0)

        /// The states as they are, and whether they are to be sent.
        mutating func states(of report: LiveReport, at now: MonotonicInstant) -> (StatesEvent, isDue: Bool) {
            var states = StatesEvent(report, states: sentStates?.states ?? 0)
            if states != sentStates { states.states += 1 }
            let isDue = states != sentStates || statesTime.duration(to: now) >= LiveFeed.statesInterval
            if isDue { (sentStates, statesTime) = (states, now) }
            return (states, isDue)
        }
    }

    /// How often `states` is sent without a change.
    private static let statesInterval = Duration.seconds(1)

    private let reporter: SystemReporter
    private let clock: any AudioClock
    private let state = Lock(State())

    init(_ reporter: SystemReporter, clock: any AudioClock = SystemClock()) {
        self.reporter = reporter
        self.clock = clock
    }

    /// A complete block of events, for now.
    func nextEvents() -> [UInt8] {
        let report = reporter.liveReport()
        let now = clock.now
        let (number, version, states) = state.withLock { state in
            state.number += 1
            let (states, isDue) = state.states(of: report, at: now)
            return (state.number, states.states, isDue ? states : nil)
        }
        // No value in them is one that JSON lacks, so that nothing throws.
        var block: [UInt8] = []
        if let states, let json = try? JSONEncoder().encode(states) {
            Self.append("states", number, [UInt8](json), to: &block)
        }
        if let json = try? LevelsEvent(report, states: version).json(with: report.processors) {
            Self.append("levels", number, json, to: &block)
        }
        return block
    }

    /// - Parameter json: Without line breaks, so that one data line holds it.
    private static func append(_ name: String, _ number: Int, _ json: [UInt8], to block: inout [UInt8]) {
        block += "event: \(name)\nid: \(number)\ndata: ".utf8
        block += json
        block += "\n\n".utf8
    }
}
