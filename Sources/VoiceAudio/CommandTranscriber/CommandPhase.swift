/// How far a command has come: a pure value. Whoever watches the program tells it what happened, and does what it answers.
///
/// A program runs until it exits, and then until nobody holds its outputs any more; or it is stopped: asked first, then
/// killed, and, where even that has no effect, left to a thread of its own.
struct CommandPhase {
    /// Why a command was stopped.
    enum Stop: Hashable {
        case timedOut
        case cancelled
        case outputTooLarge
    }

    enum Event: Hashable {
        /// The program has exited; others of its group may go on.
        case exited
        /// Both outputs are closed by all who had them.
        case outputsEnded
        /// The time set last is over.
        case timePassed
        case stop(Stop)
    }

    enum Action: Hashable {
        case setTimer(Duration)
        /// Asks the group to end.
        case terminate
        case kill
        /// Nothing more is to come. What is left of the group goes.
        case finish(Stop?)
        /// The program cannot be killed now: a thread waits for its end.
        case abandon(Stop)
    }

    private enum State: Hashable {
        /// Exits: `exited`, `stop`, `timePassed`.
        case running
        /// The program has exited; something that it started still has its outputs. Exits: all.
        case draining
        /// Exits: `exited`, `timePassed`.
        case terminating(Stop)
        /// Exits: `exited`, `timePassed`.
        case killing(Stop)
        case finished
    }

    private var state = State.running
    private var outputsHaveEnded = false
    private let grace: Duration

    init(grace: Duration) { self.grace = grace }

    var isFinished: Bool { state == .finished }

    mutating func handle(_ event: Event) -> [Action] {
        if event == .outputsEnded { outputsHaveEnded = true }
        switch state {
        case .running:
            switch event {
            case .exited where outputsHaveEnded: return finish(nil)
            case .exited:
                state = .draining
                return [.setTimer(grace)]
            case .timePassed: return terminate(.timedOut)
            case .stop(let reason): return terminate(reason)
            case .outputsEnded: return []
            }
        case .draining:
            switch event {
            case .outputsEnded, .timePassed: return finish(nil)
            case .stop(let reason): return finish(reason)
            case .exited: return []
            }
        case .terminating(let reason):
            switch event {
            case .exited: return finish(reason)
            case .timePassed:
                state = .killing(reason)
                return [.kill, .setTimer(grace)]
            case .outputsEnded, .stop: return []
            }
        case .killing(let reason):
            switch event {
            case .exited: return finish(reason)
            case .timePassed:
                state = .finished
                return [.abandon(reason)]
            case .outputsEnded, .stop: return []
            }
        case .finished: return []
        }
    }

    private mutating func terminate(_ reason: Stop) -> [Action] {
        state = .terminating(reason)
        return [.terminate, .setTimer(grace)]
    }

    private mutating func finish(_ reason: Stop?) -> [Action] {
        state = .finished
        return [.finish(reason)]
    }
}
