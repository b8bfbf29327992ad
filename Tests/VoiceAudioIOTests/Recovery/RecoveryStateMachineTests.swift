import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

@Suite struct RecoveryStateMachineTests {
    typealias Machine = RecoveryStateMachine
    let gone = AudioError(.deviceLost, "the device is gone", status: 19)
    let busy = AudioError(.busy, "the device is busy")
    let policy = RecoveryPolicy.reconnect(
        budget: .seconds(10), backoff: RecoveryBackoff(first: .milliseconds(100), longest: .seconds(1)))

    private func at(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000 + Int64(milliseconds) * 1_000_000)
    }

    private func machine(after events: (Machine.Event, Int)..., policy: RecoveryPolicy? = nil) -> Machine {
        var machine = Machine(policy: policy ?? self.policy)
        for (event, time) in events { _ = machine.handle(event, at: at(time)) }
        return machine
    }

    // MARK: What a device gets over

    @Test(arguments: [RecoveryPolicy.fail, .standard]) func tenStopsInARowAreRestartedAndTheNextIsALostDevice(
        policy: RecoveryPolicy
    ) {
        var machine = Machine(policy: policy)
        for _ in 0..<10 { #expect(machine.handle(.overrun, at: at(0)) == .restart) }
        #expect(machine.handle(.overrun, at: at(0)) == .giveUp)
    }

    @Test func aFrameForgivesAll() {
        var machine = machine()
        for _ in 0..<100 {
            for _ in 0..<10 { #expect(machine.handle(.overrun, at: at(0)) == .restart) }
            for _ in 0..<49 { #expect(machine.handle(.waitFailed, at: at(0)) == .none) }
            #expect(machine.handle(.frames, at: at(0)) == .none)
            #expect(machine.state == .flowing)
        }
    }

    @Test func waitsThatFailForEverAreALostDevice() {
        var machine = machine()
        for _ in 0..<49 { #expect(machine.handle(.waitFailed, at: at(0)) == .none) }
        #expect(machine.handle(.waitFailed, at: at(0)) == .giveUp)
    }

    @Test(arguments: [Machine.Event.resumeLater, .resumed]) func aSuspendedDeviceHasFiveSecondsToResume(
        answer: Machine.Event
    ) {
        var machine = machine()
        for time in stride(from: 0, to: 5000, by: 100) {
            #expect(machine.handle(.suspended, at: at(time)) == .resume)
            #expect(machine.handle(answer, at: at(time)) == .none)
        }
        // A restart that only finds it suspended again is no way on for ever.
        for _ in 0..<10 { #expect(machine.handle(.suspended, at: at(5000)) == .restart) }
        #expect(machine.handle(.suspended, at: at(5000)) == .giveUp)
    }

    @Test func aDeviceThatCannotResumeIsStartedAfresh() {
        var machine = machine(after: (.suspended, 0))
        #expect(machine.handle(.resumeRefused, at: at(0)) == .restart)
        _ = machine.handle(.restarted, at: at(0))
        // The next suspension has its own five seconds.
        #expect(machine.handle(.suspended, at: at(9000)) == .resume)
    }

    // MARK: Stalls

    private func stall(_ machine: inout Machine, at time: Int) -> Machine.Action {
        machine.handle(.stalled(since: at(0), patience: .seconds(2)), at: at(time))
    }

    @Test func aStalledDeviceIsRestartedAfterDoubledTimesAndThenOpenedAnew() {
        var machine = machine()
        #expect(stall(&machine, at: 1999) == .none)
        #expect(stall(&machine, at: 2000) == .restart)
        #expect(stall(&machine, at: 5999) == .none)
        #expect(stall(&machine, at: 6000) == .restart)
        #expect(stall(&machine, at: 13_999) == .none)
        #expect(stall(&machine, at: 14_000) == .restart)
        #expect(stall(&machine, at: 29_999) == .none)
        #expect(stall(&machine, at: 30_000) == .giveUp)
    }

    /// A pipe behind a plugin may be silent for hours: nothing fails because of it.
    @Test func aStallNeverEndsACaptureThatIsNotToReconnect() {
        var machine = Machine(policy: .fail)
        var restarts = 0
        for time in stride(from: 0, to: 100_000_000, by: 10_000) {
            switch stall(&machine, at: time) {
            case .restart: restarts += 1
            case .none: break
            case .resume, .giveUp, .close, .open, .fail: Issue.record("a stall ended the capture")
            }
        }
        #expect(restarts == 3)
    }

    @Test func whatIsSuspendedDoesNotStall() {
        var machine = machine(after: (.suspended, 0))
        #expect(stall(&machine, at: 4000) == .none)
        _ = machine.handle(.resumed, at: at(4000))
        #expect(stall(&machine, at: 4000) == .restart)
    }

    // MARK: A device that is gone

    @Test func withoutReconnectingALossFailsAtOnce() {
        var machine = Machine(policy: .fail)
        #expect(machine.handle(.lost(gone), at: at(0)) == .fail(gone))
        #expect(machine.state == .lost(gone))
        #expect(machine.outage == nil)
        #expect(machine.nextAttempt == nil)
    }

    @Test func pausesDoubleUpToTheLongest() {
        var machine = machine(after: (.lost(gone), 0))
        var now = at(0)
        for pause in [100, 200, 400, 800, 1000, 1000, 1000] {
            let next = now.advanced(by: .milliseconds(pause))
            #expect(machine.nextAttempt == next)
            #expect(machine.handle(.tick, at: next.advanced(by: .nanoseconds(-1))) == .none)
            #expect(machine.handle(.tick, at: next) == .open)
            #expect(machine.handle(.openFailed(busy), at: next) == .close)
            now = next
        }
        #expect(machine.outage?.attempts == 7)
        #expect(machine.outage?.error == gone)
        #expect(machine.outage?.newest == busy)
        #expect(machine.outage?.since == at(0))
    }

    @Test func theLastAttemptIsMadeWhenTheBudgetEnds() throws {
        var machine = machine(after: (.lost(gone), 0))
        var now = at(0)
        while true {
            now = try #require(machine.nextAttempt)
            #expect(machine.handle(.tick, at: now) == .open)
            if case .fail(let error) = machine.handle(.openFailed(busy), at: now) {
                #expect(now == at(10_000))
                #expect(error.code == .deviceLost)
                #expect(error.status == 19)
                for part in [gone.message, busy.message, "10.0 seconds"] { #expect(error.message.contains(part)) }
                #expect(machine.state == .lost(error))
                return
            }
        }
    }

    @Test func aCardThatComesEndsThePauseAndTheGrowthOfPauses() {
        var machine = machine(after: (.lost(gone), 0))
        for time in [100, 300, 700, 1500, 2500] {
            #expect(machine.handle(.tick, at: at(time)) == .open)
            _ = machine.handle(.openFailed(busy), at: at(time))
        }
        #expect(machine.nextAttempt == at(3500))
        _ = machine.handle(.devicesChanged, at: at(2600))
        #expect(machine.nextAttempt == at(2700))
        _ = machine.handle(.openFailed(busy), at: at(2700))
        #expect(machine.nextAttempt == at(2900))
        // It never puts an attempt off.
        _ = machine.handle(.devicesChanged, at: at(2899))
        #expect(machine.nextAttempt == at(2900))
    }

    @Test func aFrameEndsTheOutageAndTheNextOneHasItsOwnBudget() {
        var machine = machine(after: (.lost(gone), 0), (.opened, 9000))
        #expect(machine.outage != nil, "it counts as away until a frame comes")
        _ = machine.handle(.frames, at: at(9100))
        #expect(machine.state == .flowing)
        _ = machine.handle(.lost(gone), at: at(20_000))
        #expect(machine.nextAttempt == at(20_100))
        #expect(machine.outage?.attempts == 0)
    }

    /// A plugin that opens, and answers with overruns for ever: pauses grow, and the budget ends it.
    @Test func openingAloneIsNoRecovery() {
        var machine = machine(after: (.lost(gone), 0))
        var now = at(0)
        var openings = 0
        while let next = machine.nextAttempt {
            now = next
            #expect(machine.handle(.tick, at: now) == .open)
            #expect(machine.handle(.opened, at: now) == .none)
            openings += 1
            for _ in 0..<10 { #expect(machine.handle(.overrun, at: now) == .restart) }
            #expect(machine.handle(.overrun, at: now) == .giveUp)
            if case .fail(let error) = machine.handle(.lost(busy), at: now) {
                #expect(error.message.hasPrefix(gone.message))
                break
            }
            #expect(openings < 100)
        }
        #expect(now == at(10_000))
        #expect(openings == 13)
    }

    @Test func whatDoesNotFitChangesNothing() {
        let events: [Machine.Event] = [
            .frames, .overrun, .suspended, .resumed, .restarted, .waitFailed, .stalled(since: at(0), patience: .zero),
            .opened,
            .openFailed(busy), .devicesChanged, .tick,
        ]
        let lost = machine(after: (.lost(gone), 0), policy: .fail)
        for event in events {
            var machine = lost
            _ = machine.handle(event, at: at(100_000))
            #expect(machine == lost, "\(event)")
        }
        for event in events.dropLast(4) {
            var machine = machine(after: (.lost(gone), 0))
            let before = machine
            _ = machine.handle(event, at: at(1))
            #expect(machine == before, "\(event)")
        }
        var open = machine()
        for event in [Machine.Event.opened, .openFailed(busy), .devicesChanged, .tick] {
            #expect(open.handle(event, at: at(0)) == .none)
            #expect(open.state == .flowing)
        }
    }

    /// Whatever comes in whatever order, a capture without a frame ends by its budget, but for a stall.
    @Test(arguments: 0..<50) func noOrderOfEventsGoesOnForEver(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var machine = machine(after: (.lost(gone), 0))
        var now = at(0)
        for _ in 0..<100_000 {
            now = now.advanced(by: .milliseconds(Int.random(in: 1...500, using: &generator)))
            let event: Machine.Event =
                switch Int.random(in: 0..<8, using: &generator) {
                case 0: .overrun
                case 1: .suspended
                case 2: .resumeLater
                case 3: .waitFailed
                case 4: .opened
                case 5: .openFailed(busy)
                case 6: .devicesChanged
                default: .tick
                }
            switch machine.handle(event, at: now) {
            case .giveUp: if case .fail = machine.handle(.lost(gone), at: now) { return }
            case .fail: return
            case .none, .restart, .resume, .close, .open: break
            }
        }
        Issue.record("still not over at \(now): \(machine.state)")
    }
}
