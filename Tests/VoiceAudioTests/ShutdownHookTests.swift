import Foundation
import TestSupport
import Testing
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO

/// What a program with a hook leaves as it ends: real processes, which end in each way.
@Suite(.serialized) struct ShutdownHookTests {
    private let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("shutdown-\(UUID())")

    init() throws { try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true) }

    /// The program, and what it says.
    private final class Program {
        let process = Process()
        private let output = Pipe()
        private let errors = Pipe()
        private let input = Pipe()

        init(_ scratch: URL, _ modes: String...) throws {
            process.executableURL = programBesideTests("ShutdownProgram")
            process.arguments = [scratch.path] + modes
            process.standardOutput = output
            process.standardError = errors
            process.standardInput = input
            try process.run()
        }

        /// Reads a line; empty at the end.
        func line() throws -> String {
            var bytes: [UInt8] = []
            while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 {
                bytes.append(byte)
            }
            return String(decoding: bytes, as: UTF8.self)
        }

        func signal(_ number: Int32) { #expect(kill(process.processIdentifier, number) == 0) }

        func endInput() throws { try input.fileHandleForWriting.close() }

        /// Waits for its end; what it logged.
        func end() throws -> String {
            let log = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return String(decoding: log, as: UTF8.self)
        }
    }

    private func cleanUp() { try? FileManager.default.removeItem(at: scratch) }

    /// Each file has all that was captured for it, and no temporary file is left.
    private func expectAllIsThere(_ log: String) throws {
        let expected = try String(contentsOf: scratch.appendingPathComponent("expected"), encoding: .utf8)
        let lines = expected.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.count == 32)
        for line in lines {
            let path = String(line[0])
            let frames = try #require(Int(line[1]))
            #expect(frames > 960)
            let reader = try SoundFileReader(path: path)
            #expect(reader.frameCount == frames, "\(path)\n\(log)")
            var buffer = [UInt8](repeating: 0, count: frames * 2 + 2)
            var read = 0
            while true {
                var span = buffer.mutableSpan
                // SAFETY: the elements are plain bytes.
                var bytes = unsafe span.mutableBytes
                let count = try reader.read(into: &bytes, as: .s16)
                if count == 0 { break }
                read += count
            }
            #expect(read == frames)
        }
        let left = try FileManager.default.contentsOfDirectory(
            atPath: scratch.appendingPathComponent("voice-audio-\(geteuid())").path)
        #expect(left == [], "\(log)")
    }

    @Test(.timeLimit(.minutes(5)), arguments: [SIGTERM, SIGINT]) func aSignalEndsAllAndThenTheProcess(
        signal: Int32
    ) throws {
        defer { cleanUp() }
        let program = try Program(scratch)
        #expect(try program.line() == "ready")
        program.signal(signal)
        let log = try program.end()
        #expect(program.process.terminationReason == .uncaughtSignal)
        #expect(program.process.terminationStatus == signal)
        try expectAllIsThere(log)
        #expect(log.contains("captures are stopped and files finished"))
        #expect(!log.contains("error:"), "\(log)")
    }

    @Test(.timeLimit(.minutes(5))) func filesThatNobodyFinishesAreFinished() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "lazy")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        let log = try program.end()
        #expect(program.process.terminationStatus == SIGTERM)
        try expectAllIsThere(log)
        // Others may be among them, where the disk takes its time.
        for number in 0..<32 where number % 4 < 2 {
            let path = "\(scratch.path)/\(number).\(number % 2 == 0 ? "wav" : "flac")"
            #expect(log.contains("a recording was finished as the process ends [\"path\": \"\(path)\"]"), "\(log)")
        }
    }

    @Test(.timeLimit(.minutes(5))) func exitEndsAllAndKeepsItsStatus() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "lazy")
        #expect(try program.line() == "ready")
        try program.endInput()
        let log = try program.end()
        #expect(program.process.terminationReason == .exit)
        #expect(program.process.terminationStatus == 0)
        try expectAllIsThere(log)
    }

    @Test(.timeLimit(.minutes(5))) func oneThatHangsKeepsNeitherTheOthersNorTheProcess() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "hang", "lazy")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        // It would hang for ever: that it ends is the test.
        let log = try program.end()
        #expect(program.process.terminationReason == .uncaughtSignal)
        #expect(program.process.terminationStatus == SIGTERM)
        #expect(log.contains("a capture did not end in time"), "\(log)")
        try expectAllIsThere(log)
    }

    @Test(.timeLimit(.minutes(5))) func aSecondSignalEndsAtOnce() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "stuck")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        #expect(try program.line() == "stuck")
        // The deadline will not come.
        program.signal(SIGINT)
        _ = try program.end()
        #expect(program.process.terminationReason == .uncaughtSignal)
        #expect(program.process.terminationStatus == SIGINT)
    }

    @Test(.timeLimit(.minutes(5))) func theHandlerOfBeforeHasTheLastWord() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "handler")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        let log = try program.end()
        #expect(program.process.terminationReason == .exit)
        #expect(program.process.terminationStatus == 7)
        try expectAllIsThere(log)
    }

    /// Also where `main` has returned meanwhile: who is in `exit()` must not keep the handler from it.
    @Test(.timeLimit(.minutes(5)), arguments: [false, true]) func theHandlerOfBeforeMayExit(mainReturns: Bool) throws {
        defer { cleanUp() }
        let program = try Program(scratch, "exits", "lazy")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        if mainReturns { try program.endInput() }
        let log = try program.end()
        #expect(program.process.terminationReason == .exit)
        #expect(program.process.terminationStatus == 8)
        try expectAllIsThere(log)
    }

    @Test(.timeLimit(.minutes(5))) func anActionThatExitsCutsNothingOff() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "leaver", "lazy")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        let log = try program.end()
        #expect(program.process.terminationReason == .uncaughtSignal)
        #expect(program.process.terminationStatus == SIGTERM)
        #expect(log.contains("an action at the process's end did not return in time"), "\(log)")
        try expectAllIsThere(log)
    }

    @Test(.timeLimit(.minutes(5))) func aSinkThatHangsKeepsNothingFromItsEnd() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "mute", "lazy")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        let log = try program.end()
        #expect(program.process.terminationStatus == SIGTERM)
        try expectAllIsThere(log)
    }

    @Test(
        .timeLimit(.minutes(5)),
        .enabled(
            if: !ProcessCounts.isThreadSanitized,
            "with ThreadSanitizer a fork's signal mask is not its parent's, so that it never hears of a signal"))
    func aForkEndsAlone() throws {
        defer { cleanUp() }
        let program = try Program(scratch, "fork")
        #expect(try program.line() == "forked \(SIGTERM) true")
        #expect(try program.line() == "ready")
        program.signal(SIGTERM)
        let log = try program.end()
        #expect(program.process.terminationStatus == SIGTERM)
        try expectAllIsThere(log)
    }

    @Test func whatIsNotAcceptedIsRefused() {
        for signals: Set<Int32> in [[SIGKILL], [SIGTERM, SIGSEGV], [-1], [99]] {
            #expect(throws: AudioError.self) { try ShutdownHook.install(signals: signals) }
        }
        #expect(throws: AudioError.self) { try ShutdownHook.install(deadline: .zero) }
    }
}
