import Foundation
import TestSupport
import Testing
import VoiceAudio

/// `voice-audio record --meter` in a terminal, and where there is none.
@Suite(.timeLimit(.minutes(5))) struct MeterTerminalTests {
    private static let utf8 = ["TERM": "xterm", "LANG": "C.UTF-8"]

    private static func arguments(_ more: String...) -> [String] {
        ["record", "--device", "sim:tone=440", "--output", "-"] + more
    }

    /// The lines as they stood one after the other.
    private static func lines(_ text: String) -> [Substring] {
        text.replacing(/\u{1B}\[[0-9]*[mK]/, with: "").split {
            "\r\n".unicodeScalars.contains($0.unicodeScalars.first!)
        }
    }

    private func run(
        columns: UInt16 = 100, _ arguments: [String] = arguments("--meter", "--seconds", "3.5"),
        environment: [String: String]
    ) throws -> String {
        let terminal = try PseudoTerminal(columns: columns)
        let modes = try terminal.modes()
        let process = try terminal.start(arguments, environment: environment)
        let text = try terminal.rest()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(try terminal.modes() == modes)
        return text
    }

    @Test func theMeterIsDrawnInPlace() throws {
        let text = try run(environment: Self.utf8)
        let drawn = Self.lines(text).filter { $0.contains("▕") }
        #expect(drawn.count > 1)
        for line in drawn {
            #expect(line.count <= 99)
            for part in ["dBFS", "peak", "buffer ", "lost 0", "memory "] { #expect(line.contains(part), "\(line)") }
        }
        // The tone is at −9 dBFS in the mean; a while after a chunk the bar is empty.
        #expect(drawn.contains { $0.contains("████") })
        #expect(text.contains("\u{1B}[32m"))
        // The line is left standing, and the report begins below.
        #expect(text.contains("\r\nvoice-audio: standard output: 3.5 s"))
        #expect(text.utf8.last == UInt8(ascii: "\n"))
        // No mode that would have to be taken back: no hidden cursor, no other screen.
        #expect(!text.contains("\u{1B}[?"))
    }

    @Test func withoutColoursAndInASCII() throws {
        let text = try run(environment: ["TERM": "xterm", "NO_COLOR": "1", "LC_ALL": "C"])
        #expect(text.utf8.allSatisfy { $0 < 0x80 })
        #expect(!text.contains("\u{1B}[3"))
        #expect(Self.lines(text).contains { $0.contains("[====") && $0.contains("-60") })
    }

    @Test func aDumbTerminalGetsPlainLines() throws {
        let text = try run(environment: ["TERM": "dumb", "LANG": "C.UTF-8"])
        #expect(!text.contains("\u{1B}"))
        #expect(Self.lines(text).contains { $0.contains("▕") && $0.contains("lost 0") })
        // Without the meter there is no line that nobody asked for.
        let silent = try run(Self.arguments("--seconds", "0.3"), environment: ["TERM": "dumb"])
        #expect(Self.lines(silent).allSatisfy { !$0.contains("dBFS") })
    }

    @Test func whereThereIsNoTerminalItIsPlainLines() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let result = try Tool.run(
            ["record", "--device", "sim:tone=440", "--output", file.path, "--meter", "--seconds", "3.5"],
            environment: Tool.patient.merging(["LC_ALL": "C.UTF-8"]) { $1 })
        #expect(result.status == 0)
        #expect(!result.errors.contains("\u{1B}"))
        #expect(result.errors.contains("▕"))
    }

    /// Whoever reads no messages does not hold up the recording: lines of the meter are left out.
    @Test func aFullPipeDoesNotHoldUpTheRecording() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).wav")
        defer { try? FileManager.default.removeItem(at: file) }
        let errors = Pipe()
        let descriptor = errors.fileHandleForWriting.fileDescriptor
        #expect(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0)
        let page = [UInt8](repeating: 0x2E, count: 4096)
        // SAFETY: the array's own bytes, for the call.
        while unsafe write(descriptor, page, page.count) > 0 {}
        #expect(fcntl(descriptor, F_SETFL, 0) == 0)
        let process = Process()
        process.executableURL = programBesideTests("voice-audio")
        process.arguments = [
            "record", "--device", "sim:tone=440", "--output", file.path, "--meter", "--seconds", "3.5",
        ]
        process.environment = Tool.patient
        process.standardError = errors
        try process.run()
        let isWhole = eventually { (try? Data(contentsOf: file).count) ?? 0 > 112_000 }
        #expect(isWhole)
        // Its report waits for a reader.
        let text = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(String(decoding: text, as: UTF8.self).contains(": 3.5 s"))
    }

    @Test func theLineFollowsTheWidth() throws {
        let terminal = try PseudoTerminal(columns: 120)
        let process = try terminal.start(Self.arguments("--meter", "--seconds", "60"), environment: Self.utf8)
        var text = ""
        while !text.contains("▕") { text = try terminal.text() }
        #expect(Self.lines(text).contains { $0.count > 80 })
        try terminal.resize(columns: 40)
        // A line under way may still have the old width.
        var isNarrow = false
        while !isNarrow {
            let newest = Self.lines(try terminal.text())
            isNarrow = newest.contains { $0.contains("lost ") } && newest.allSatisfy { $0.count <= 39 }
        }
        process.interrupt()
        let rest = try terminal.rest()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        #expect(rest.utf8.last == UInt8(ascii: "\n"))
    }
}
