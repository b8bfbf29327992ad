import Testing

@testable import VoiceAudio

struct CommandPhaseTests {
    private let grace = Duration.seconds(2)

    /// What a command's phase answers to events one after the other.
    private func actions(_ events: CommandPhase.Event...) -> [[CommandPhase.Action]] {
        var phase = CommandPhase(grace: grace)
        return events.map { phase.handle($0) }
    }

    @Test func aProgramThatEndsIsFinished() {
        #expect(actions(.outputsEnded, .exited) == [[], [.finish(nil)]])
        #expect(actions(.exited, .outputsEnded) == [[.setTimer(grace)], [.finish(nil)]])
    }

    @Test func whatItStartedHasTheGraceAndNoMore() {
        #expect(actions(.exited, .timePassed) == [[.setTimer(grace)], [.finish(nil)]])
        #expect(actions(.exited, .stop(.cancelled)) == [[.setTimer(grace)], [.finish(.cancelled)]])
        #expect(actions(.exited, .exited, .stop(.outputTooLarge)).last == [.finish(.outputTooLarge)])
    }

    @Test func whoIsStoppedIsAskedThenKilledThenLeft() {
        let asked = [CommandPhase.Action.terminate, .setTimer(grace)]
        #expect(actions(.timePassed, .exited) == [asked, [.finish(.timedOut)]])
        let killed = [CommandPhase.Action.kill, .setTimer(grace)]
        #expect(actions(.stop(.cancelled), .timePassed, .exited) == [asked, killed, [.finish(.cancelled)]])
        #expect(
            actions(.stop(.outputTooLarge), .timePassed, .timePassed, .exited)
                == [asked, killed, [.abandon(.outputTooLarge)], []])
    }

    @Test func theFirstReasonStays() {
        #expect(
            actions(.stop(.cancelled), .stop(.outputTooLarge), .outputsEnded, .exited).last == [.finish(.cancelled)])
        #expect(
            actions(.timePassed, .timePassed, .stop(.cancelled), .outputsEnded, .exited).last == [.finish(.timedOut)])
    }
}
