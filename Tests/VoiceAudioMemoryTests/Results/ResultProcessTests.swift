import Foundation
import TestSupport
import Testing

/// Processes that are killed, or fork, while they hold results on disk.
struct ResultProcessTests {
    private let directory: String

    init() throws {
        directory = NSTemporaryDirectory() + "voice-audio-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    private func start(_ arguments: String..., output: Pipe? = nil) throws -> Process {
        let process = Process()
        process.executableURL = programBesideTests("ResultHolder")
        process.arguments = [directory] + arguments
        if let output { process.standardOutput = output }
        // A sanitizer would look for leaks in a fork, too, which ends at once.
        process.environment = ProcessInfo.processInfo.environment.merging(["ASAN_OPTIONS": "detect_leaks=0"]) { $1 }
        try process.run()
        return process
    }

    private func freeBytes() throws -> Int {
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: directory)
        return try #require(attributes[.systemFreeSize] as? Int)
    }

    @Test(.timeLimit(.minutes(5))) func killedHoldersLeaveNothing() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for _ in 0..<3 {
            let holders = try (0..<2).map { _ in
                let pipe = Pipe()
                return (process: try start(output: pipe), pipe: pipe)
            }
            for (process, pipe) in holders {
                // Somewhere in the first few thousand results, of which a hundred fill the memory.
                var wanted = Int.random(in: 16_000...100_000)
                while wanted > 0 {
                    let count = try pipe.fileHandleForReading.read(upToCount: wanted)?.count ?? 0
                    try #require(count > 0, "the holder has ended")
                    wanted -= count
                }
                let descriptors = try FileManager.default.contentsOfDirectory(
                    atPath: "/proc/\(process.processIdentifier)/fd")
                let targets = descriptors.compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(process.processIdentifier)/fd/\($0)")
                }
                #expect(targets.contains { $0.hasPrefix(directory) }, "it has no file: the test shows nothing")
                #expect(kill(process.processIdentifier, SIGKILL) == 0)
                process.waitUntilExit()
                #expect(process.terminationReason == .uncaughtSignal)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
        }
    }

    /// Also not killed by SIGXFSZ.
    @Test(.timeLimit(.minutes(5)), arguments: ["fork", "limit"]) func whatCannotBeIsRefused(what: String) throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let process = try start(what)
        process.waitUntilExit()
        #expect(process.terminationReason == .exit && process.terminationStatus == 0)
    }
}
