import VoiceAudio
package import VoiceAudioCore

/// Makes components that behave as they are told, and knows all that was done with them.
package final class ComponentBench: Sendable {
    /// What a call does.
    package enum Act: Sendable, Hashable {
        case works
        case fails
        /// Time passes.
        case takes(Duration)
        /// Time passes; then it does not return until ``ComponentBench/letGo()``.
        case hangs(Duration)
    }

    /// What each call of a component does.
    package struct Fate: Sendable, Hashable {
        package var make = Act.works
        package var start = Act.works
        package var health = Act.works
        package var stop = Act.works

        package init(make: Act = .works, start: Act = .works, health: Act = .works, stop: Act = .works) {
            self.make = make
            self.start = start
            self.health = health
            self.stop = stop
        }

        /// Six in ten do as they should in no time; some fail, and some take 50 to 500 ms or hang for so long.
        package static func random(by generator: inout SeededGenerator) -> Self {
            var fate = Self()
            let time = Duration.milliseconds(50 + generator.below(451))
            switch generator.below(20) {
            case 0: fate.make = .fails
            case 1: fate.start = .fails
            case 2: fate.start = .hangs(time)
            case 3: fate.health = .fails
            case 4: fate.health = .hangs(time)
            case 5: fate.stop = .fails
            case 6: fate.stop = .takes(time)
            case 7: fate.stop = .hangs(time)
            default: break
            }
            return fate
        }
    }

    private struct State: Sendable {
        var made = 0
        var starts: [Int: Int] = [:]
        var started: Set<Int> = []
        var stops: [Int: Int] = [:]
        var working: Set<Int> = []
        var alive: Set<Int> = []
        var mostAlive = 0
        /// Whether a call came while another of the same object was at work.
        var hasOverlapped = false
        var atWork: Set<Int> = []
        var calls: [String] = []
        var hanging: [WakeUp] = []
        var isHanging = 0
    }

    private let clock: ManualClock
    private let state = Lock(State())

    package init(clock: ManualClock) { self.clock = clock }

    /// Makes one.
    package func make(_ name: String = "", _ fate: Fate = Fate()) throws -> BenchedComponent {
        let number = state.withLock { state in
            state.made += 1
            return state.made
        }
        let component = BenchedComponent(name, number: number, fate, on: self)
        try act(fate.make, "make \(name)", number)
        return component
    }

    /// Lets everything go that hangs now.
    package func letGo() {
        let hanging = state.withLock { state in
            defer { state.hanging = [] }
            return state.hanging
        }
        for wakeUp in hanging { wakeUp.signal() }
    }

    /// Calls that hang now.
    package var hangingCount: Int { state.withLock { $0.isHanging } }
    /// Those made so far.
    package var madeCount: Int { state.withLock { $0.made } }
    /// Started, and not yet told to stop.
    package var working: Set<Int> { state.withLock { $0.working } }
    /// Objects that are there.
    package var aliveCount: Int { state.withLock { $0.alive.count } }
    /// The most objects that there were at once.
    package var mostAlive: Int { state.withLock { $0.mostAlive } }
    /// Each call, as "start name".
    package var calls: [String] { state.withLock { $0.calls } }

    /// What is not as a registry promises: one call after the other, one start, and one stop if that succeeded.
    package func complaints(allStopped: Bool) -> [String] {
        state.withLock { state in
            var complaints = state.hasOverlapped ? ["two calls on one object at once"] : []
            complaints += state.starts.filter { $0.value != 1 }.map { "\($0.key) was started \($0.value) times" }
            complaints += state.stops.filter { $0.value != 1 }.map { "\($0.key) was stopped \($0.value) times" }
            complaints += Set(state.stops.keys).subtracting(state.started).map {
                "\($0) was stopped, and never started"
            }
            guard allStopped else { return complaints }
            return complaints + state.started.subtracting(state.stops.keys).map { "\($0) was never stopped" }
        }
    }

    fileprivate func act(_ act: Act, _ call: String, _ number: Int) throws {
        state.withLock { state in
            if !state.atWork.insert(number).inserted { state.hasOverlapped = true }
            state.calls.append(call)
        }
        defer { state.withLock { _ = $0.atWork.remove(number) } }
        switch act {
        case .works: break
        case .fails: throw AudioError(.deviceFailed, "\(call) failed")
        case .takes(let time): clock.advance(by: time)
        case .hangs(let time):
            let wakeUp = try WakeUp()
            state.withLock { state in
                state.hanging.append(wakeUp)
                state.isHanging += 1
            }
            clock.advance(by: time)
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(wakeUp.descriptor, at: 0)
            while descriptors.poll(nanoseconds: nil) == 0 {}
            state.withLock { $0.isHanging -= 1 }
        }
    }

    fileprivate func noteBegin(_ number: Int) {
        state.withLock { state in
            state.alive.insert(number)
            state.mostAlive = max(state.mostAlive, state.alive.count)
        }
    }

    fileprivate func noteEnd(_ number: Int) { state.withLock { _ = $0.alive.remove(number) } }
    fileprivate func noteStart(_ number: Int) { state.withLock { $0.starts[number, default: 0] += 1 } }
    fileprivate func noteStarted(_ number: Int) {
        state.withLock { state in
            state.started.insert(number)
            state.working.insert(number)
        }
    }
    fileprivate func noteStop(_ number: Int) {
        state.withLock { state in
            state.stops[number, default: 0] += 1
            state.working.remove(number)
        }
    }
}

/// A component of a ``ComponentBench``.
package final class BenchedComponent: AudioComponent {
    package let name: String
    /// In the order in which they were made, from 1.
    package let number: Int
    private let fate: Lock<ComponentBench.Fate>
    private let bench: ComponentBench

    fileprivate init(_ name: String, number: Int, _ fate: ComponentBench.Fate, on bench: ComponentBench) {
        self.name = name
        self.number = number
        self.fate = Lock(fate)
        self.bench = bench
        bench.noteBegin(number)
    }

    deinit { bench.noteEnd(number) }

    /// From now on it does other things.
    package func change(_ change: @Sendable (inout ComponentBench.Fate) -> Void) { fate.withLock { change(&$0) } }

    package func start(deadline: Duration) throws {
        bench.noteStart(number)
        try bench.act(fate.withLock { $0.start }, "start \(name)", number)
        bench.noteStarted(number)
    }

    package func checkHealth() throws { try bench.act(fate.withLock { $0.health }, "check \(name)", number) }

    package func stop(deadline: Duration) throws {
        bench.noteStop(number)
        try bench.act(fate.withLock { $0.stop }, "stop \(name)", number)
    }
}

/// Keeps the lines that it gets, with the names of their metadata.
package final class LogLines: AudioLogSink {
    package struct Line: Sendable, Hashable {
        package let level: AudioLogLevel
        package let message: String
        package let metadata: [String: String]
    }

    private let kept = Lock<[Line]>([])

    package init() {}

    package var lines: [Line] { kept.withLock { $0 } }
    package var messages: [String] { lines.map(\.message) }

    package func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = Line(level: level, message: message(), metadata: metadata())
        kept.withLock { $0.append(line) }
    }
}
