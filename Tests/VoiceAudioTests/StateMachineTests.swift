import Testing
import VoiceAudioCore

@testable import VoiceAudio

/// Every event in every state, as one table: the next state and the action, or `-` where the event is refused.
@Suite struct StateMachineTests {
    // record.i: a recording that was started from idle; record.r: from ready. So with pause and process.
    // failed+: failed and holds a recording; failed-: holds none.
    static let table = """
        event      | idle            | ready         | record.i      | record.r         | pause.i        | pause.r          | process.i  | process.r  | failed+        | failed-
        arm        | idle open       | -             | -             | -                | -              | -                | -          | -          | -              | -
        armed      | ready none      | -             | -             | -                | -              | -                | -          | -          | -              | -
        start      | idle openRecord | ready record  | -             | -                | -              | -                | -          | -          | -              | -
        started    | record.i none   | record.r none | -             | -                | -              | -                | -          | -          | -              | -
        pause      | -               | -             | pause.i pause | pause.r pause    | -              | -                | -          | -          | -              | -
        resume     | -               | -             | -             | -                | record.i resume| record.r resume  | -          | -          | -              | -
        stop       | -               | -             | process.i end | process.r exchange | process.i end| process.r exchange | -        | -          | process.i end  | -
        stopped    | -               | -             | -             | -                | -              | -                | idle none  | ready none | -              | -
        stopFailed | -               | -             | -             | -                | -              | -                | other- none| other- none| -              | -
        cleanup    | idle none       | idle release  | idle release  | idle release     | idle release   | idle release     | idle release | idle release | idle release | idle release
        failed     | idle none       | other- none   | other+ none   | other+ none      | other+ none    | other+ none      | process.i none | process.r none | failed+ none | failed- none
        ended      | idle none       | ready none    | record.i none | record.i none    | pause.i none   | pause.i none     | process.i none | process.i none | failed+ none | failed- none
        """

    struct Cell: Sendable, CustomTestStringConvertible {
        var event: String
        var state: String
        var outcome: String
        var testDescription: String { "\(event) in \(state): \(outcome)" }
    }

    static let cells: [Cell] = {
        let rows = table.split(separator: "\n").map { line in
            line.split(separator: "|").map { $0.split(separator: " ").joined(separator: " ") }
        }
        return rows.dropFirst().flatMap { row in
            zip(rows[0], row).dropFirst().map { Cell(event: row[0], state: $0, outcome: $1) }
        }
    }()

    static let first = AudioError(.deviceLost, "the first failure")
    static let other = AudioError(.deviceFailed, "the other failure")

    static let states: [String: ProcessorStateMachine.State] = [
        "idle": .idle, "ready": .ready, "record.i": .recording(.idle), "record.r": .recording(.ready),
        "pause.i": .paused(.idle), "pause.r": .paused(.ready), "process.i": .processing(.idle),
        "process.r": .processing(.ready), "failed+": .failed(first, holdsRecording: true),
        "failed-": .failed(first, holdsRecording: false), "other+": .failed(other, holdsRecording: true),
        "other-": .failed(other, holdsRecording: false),
    ]

    static let events: [String: ProcessorStateMachine.Event] = [
        "arm": .arm, "armed": .armed, "start": .start, "started": .recordingStarted, "pause": .pause,
        "resume": .resume, "stop": .stop, "stopped": .stopped, "stopFailed": .stopFailed(other), "cleanup": .cleanup,
        "failed": .captureFailed(other), "ended": .captureEnded,
    ]

    static let actions: [String: ProcessorStateMachine.Action] = [
        "none": .none, "open": .open, "openRecord": .openAndRecord, "record": .record, "pause": .pause,
        "resume": .resume, "exchange": .exchangeHistory, "end": .endCapture, "release": .release,
    ]

    /// The way to a state.
    static func machine(in name: String) throws -> ProcessorStateMachine {
        let events: [ProcessorStateMachine.Event] =
            switch name {
            case "idle": []
            case "ready": [.armed]
            case "record.i": [.recordingStarted]
            case "record.r": [.armed, .recordingStarted]
            case "pause.i": [.recordingStarted, .pause]
            case "pause.r": [.armed, .recordingStarted, .pause]
            case "process.i": [.recordingStarted, .stop]
            case "process.r": [.armed, .recordingStarted, .stop]
            case "failed+": [.recordingStarted, .captureFailed(first)]
            case "failed-": [.armed, .captureFailed(first)]
            default: fatalError("no way to \(name)")
            }
        var machine = ProcessorStateMachine()
        for event in events { _ = try machine.handle(event) }
        return machine
    }

    @Test func theTableIsWhole() {
        #expect(Self.cells.count == Self.events.count * 10)
    }

    @Test(arguments: cells) func doesAsTheTableSays(_ cell: Cell) throws {
        var machine = try Self.machine(in: cell.state)
        let before = try #require(Self.states[cell.state])
        #expect(machine.state == before)
        let event = try #require(Self.events[cell.event])
        if cell.outcome == "-" {
            let error = try #require(throws: AudioError.self) { try machine.handle(event) }
            #expect(error.code == .invalidState)
            #expect(error.message.contains("does not fit the state"))
            #expect(machine.state == before, "a refused event changed the state")
        } else {
            let words = cell.outcome.split(separator: " ").map(String.init)
            #expect(try machine.handle(event) == Self.actions[words[1]])
            #expect(machine.state == Self.states[words[0]])
        }
    }
}
