import CLinux
import Foundation
import TestSupport
import VoiceAudio
import XCTest

/// Fifty commands at once, of which most fail or hang: no process, file, descriptor or thread stays behind.
final class CommandTranscriberLeakTests: XCTestCase {
    private var commands = MarkedCommands()

    override func setUpWithError() throws {
        commands = MarkedCommands()
        try FileManager.default.createDirectory(atPath: commands.directory, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: commands.directory) }

    /// What a program does, and what comes of it: the text, or a code.
    private let scripts: [(script: String, expected: String)] = [
        ("tail -c +45 \"$1\" | od -An -tu1 | tr -d ' \\n'", "700700"),
        ("exit 3", "transcriberFailed"),
        ("sleep 1000", "timedOut"),
        // Does not want to end, nor does what it started.
        ("trap '' TERM; sleep 1000 & wait; sleep 1000", "timedOut"),
        ("trap '' TERM; while :; do sleep 1000; done", "timedOut"),
        // Ends well, and leaves something behind that has its outputs.
        ("sleep 1000 & echo done", "done"),
        ("exec cat /dev/zero", "outputTooLarge"),
        ("yes >&2", "timedOut"),
        ("printf 'a\\377b'", "a\u{FFFD}b"),
        ("kill -KILL $$", "transcriberFailed"),
    ]

    private func outcomes(_ count: Int, of scripts: [(script: String, expected: String)]) async -> [String] {
        await withTaskGroup(of: (Int, String).self) { [commands] group in
            for number in 0..<count {
                let (script, expected) = scripts[number % scripts.count]
                let deadline = Duration.milliseconds(expected == "timedOut" ? 150 : 60_000)
                group.addTask {
                    (number, await commands.outcome(of: script, named: number % 4 == 0, deadline: deadline))
                }
            }
            return await group.reduce(into: [String](repeating: "", count: count)) { $0[$1.0] = $1.1 }
        }
    }

    private func expectNothingLeft(descriptors: Int, children: Int) {
        XCTAssertTrue(eventually { commands.running.isEmpty }, "processes are left: \(commands.running)")
        XCTAssertTrue(eventually { MarkedCommands.childCount == children }, "a child was not reaped")
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "threads are left: \(ProcessCounts.threadNames)")
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        let files = FileManager.default.subpaths(atPath: commands.directory) ?? []
        XCTAssertTrue(files.allSatisfy { !$0.hasSuffix(".wav") }, "files are left: \(files)")
    }

    func testFiftyAtOnceLeaveNothing() async throws {
        _ = await outcomes(4, of: [("echo", "")])
        let (descriptors, children) = (ProcessCounts.descriptors, MarkedCommands.childCount)
        // More with VOICEAUDIO_COMMAND_ROUNDS.
        for _ in 0..<(ProcessInfo.processInfo.environment["VOICEAUDIO_COMMAND_ROUNDS"].flatMap { Int($0) } ?? 1) {
            for (number, outcome) in await outcomes(50, of: scripts).enumerated() {
                let (script, expected) = scripts[number % scripts.count]
                XCTAssertEqual(outcome, expected, script)
            }
        }
        let missing = await commands.outcome(of: "", named: true, program: "/no/such/program")
        XCTAssertEqual(missing, "noSuchFile")
        expectNothingLeft(descriptors: descriptors, children: children)
    }

    func testFiftyCancelledLeaveNothingAndNeedOneThread() async throws {
        _ = await outcomes(4, of: [("echo", "")])
        let (descriptors, children) = (ProcessCounts.descriptors, MarkedCommands.childCount)
        let task = Task { [commands] in
            await withTaskGroup(of: String.self) { group in
                for number in 0..<50 {
                    group.addTask { await commands.outcome(of: "exec sleep 900", named: number % 4 == 0) }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }
        let areThere = try await eventuallyOffThePool { [commands] in commands.running.count == 50 }
        XCTAssertTrue(areThere)
        XCTAssertEqual(ProcessCounts.threads(named: "va-notify"), 1)
        XCTAssertEqual(ProcessCounts.threads(named: "va-call"), 0)
        task.cancel()
        let outcomes = await task.value
        XCTAssertEqual(outcomes, [String](repeating: "cancelled", count: 50))
        expectNothingLeft(descriptors: descriptors, children: children)
    }

    /// A program that embeds the library may have the system reap its children.
    func testWhereChildrenAreReapedByTheSystemItIsTold() async throws {
        try await expectToldWhereChildrenAreReaped(
            8, of: [("exit 0", ""), ("sleep 0.05; echo done", ""), ("sleep 1000", "timedOut")])
    }

    /// What a reaped program has started goes all the same.
    func testWhereChildrenAreReapedByTheSystemTheirGroupsGoToo() async throws {
        // Nothing has this descriptor's number: told as such, unless the kernel does not know the call's flag.
        guard clinux_pidfd_signal_group(-1, 0) < 0, errno == EBADF else {
            throw XCTSkip("signals to a group by a pidfd need Linux 6.9")
        }
        try await expectToldWhereChildrenAreReaped(
            4, of: [("sleep 1000 & sleep 0.5", ""), ("(trap '' TERM; sleep 1000; :) & sleep 1000", "timedOut")])
    }

    private func expectToldWhereChildrenAreReaped(
        _ count: Int, of scripts: [(script: String, expected: String)]
    ) async throws {
        let (descriptors, children) = (ProcessCounts.descriptors, MarkedCommands.childCount)
        // No other test runs meanwhile.
        let before = signal(SIGCHLD, SIG_IGN)
        let outcomes = await outcomes(count, of: scripts)
        _ = signal(SIGCHLD, before)
        for (number, outcome) in outcomes.enumerated() {
            let isTimedOut = scripts[number % scripts.count].expected == "timedOut"
            XCTAssertEqual(outcome, isTimedOut ? "timedOut" : "transcriberFailed")
        }
        expectNothingLeft(descriptors: descriptors, children: children)
    }
}

/// Commands whose processes can be told from all others.
private struct MarkedCommands: Sendable {
    let directory: String
    /// Each process has it in its environment, whoever its parent is by then.
    private let mark = UUID().uuidString

    init() { directory = NSTemporaryDirectory() + "voice-audio-test-" + mark }

    /// The text, or the code of the error.
    func outcome(
        of script: String, named: Bool, program: String = "/bin/sh", deadline: Duration = .seconds(60)
    ) async -> String {
        var options = CommandTranscriber.Options()
        options.deadline = deadline
        options.terminationGrace = .milliseconds(100)
        options.environment = ["PATH": "/usr/bin:/bin", "MARK": mark]
        options.needsNamedFile = named
        do {
            let transcriber = try CommandTranscriber(
                program, arguments: ["-c", script, "script", "{wav}"], options: options)
            return try await transcriber.transcribe(
                samples: [Int16](repeating: 70, count: 2), format: .speech, directory: directory, minimumFreeBytes: 0
            ).text
        } catch {
            return (error as? AudioError)?.code.rawValue ?? "\(error)"
        }
    }

    /// Children of this process that were not reaped.
    static var childCount: Int {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return numbers.filter { pid_t($0) != nil }.count { number in
            let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)
            // "NUMBER (NAME) STATE PARENT …", where the name may be anything.
            let fields = stat?.split(separator: ")").last?.split(separator: " ") ?? []
            return fields.count > 1 && pid_t(fields[1]) == getpid()
        }
    }

    /// Processes that have not exited: those that have, have no environment.
    var running: [pid_t] {
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return numbers.compactMap { pid_t($0) }.filter { number in
            let environment = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(number)/environ"))
            return environment?.range(of: Data("MARK=\(mark)".utf8)) != nil
        }
    }
}
