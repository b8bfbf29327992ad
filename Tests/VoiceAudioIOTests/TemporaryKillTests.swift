import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Processes that are killed while they hold temporary files.
struct TemporaryKillTests {
    let scratch = Scratch()

    /// A process that makes temporary files one after another.
    private final class Holder {
        private let process = Process()
        private let pipe = Pipe()

        init(_ arguments: String...) throws {
            process.executableURL = programBesideTests("TemporaryWAVHolder")
            process.arguments = arguments
            process.standardOutput = pipe
            try process.run()
        }

        /// Waits until it has printed `byteCount` more bytes.
        func read(_ byteCount: Int) throws -> String {
            String(decoding: try pipe.fileHandleForReading.read(upToCount: byteCount) ?? Data(), as: UTF8.self)
        }

        /// Stops it at this instruction, as the signal cannot be caught.
        func kill() {
            #expect(Foundation.kill(process.processIdentifier, SIGKILL) == 0)
            process.waitUntilExit()
            #expect(process.terminationReason == .uncaughtSignal)
        }
    }

    @Test(.timeLimit(.minutes(15))) func twoHundredKilledHoldersLeaveNothing() throws {
        var leftovers = 0
        for _ in 0..<20 {
            let holders = try (0..<10).map { _ in try Holder(scratch.path) }
            for holder in holders {
                // Somewhere in the first few hundred files.
                var wanted = Int.random(in: 1...10_000)
                while wanted > 0 { wanted -= max(1, try holder.read(wanted).utf8.count) }
                holder.kill()
            }
            // One sweep, such as the next process makes.
            leftovers += try TemporaryWAV.removeStale(in: scratch.path)
            let privateDirectory = "voice-audio-\(geteuid())"
            #expect(scratch.names == [privateDirectory], "a nameless file was left")
            #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.file(privateDirectory)) == [])
        }
        #expect(leftovers > 0, "no holder was killed while it had a named file: the test shows nothing")
    }

    @Test(.timeLimit(.minutes(5))) func aSweepLeavesWhatAnotherProcessHolds() throws {
        let holder = try Holder(scratch.path, "hold")
        var path = ""
        while !path.hasSuffix("\n") { path += try holder.read(1) }
        path.removeLast()
        #expect(try TemporaryWAV.removeStale(in: scratch.path) == 0)
        #expect(exists(path))
        holder.kill()
        #expect(exists(path), "the test shows nothing if SIGKILL removes it")
        #expect(try TemporaryWAV.removeStale(in: scratch.path) == 1)
        #expect(!exists(path))
    }
}
