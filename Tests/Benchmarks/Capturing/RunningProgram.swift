import Foundation
import Measuring

/// A program at work.
public final class RunningProgram: Identifiable {
    private let program: Program
    private let process = Process()
    private let output = Pipe()
    private let began = ContinuousClock.now
    private let complaints: URL

    public init(_ program: Program, from source: SoundServer.Source, of server: SoundServer) throws {
        self.program = program
        complaints = URL(filePath: NSTemporaryDirectory()).appending(path: "voice-audio-bench-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: complaints.path, contents: nil)
        process.executableURL = URL(filePath: program.executable)
        process.arguments = program.arguments
        process.environment = server.environment(for: source).merging(program.environment) { $1 }
        process.currentDirectoryURL = server.directory
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = program.proof == .file ? FileHandle.nullDevice : output
        process.standardError = try FileHandle(forWritingTo: complaints)
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: complaints)
    }

    /// Processor time that it has taken, of threads that have ended, too: what perf calls task-clock.
    public func cpuSeconds() throws -> Double {
        var clock = clockid_t()
        var time = timespec()
        guard process.isRunning, clock_getcpuclockid(process.processIdentifier, &clock) == 0,
            clock_gettime(clock, &time) == 0
        else { throw Missing(reason: complaint ?? "ended early") }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The most memory that it ever had resident, in bytes.
    public func peakResidentBytes() throws -> Int { try number("VmHWM", in: "status") * 1024 }

    /// Resident now, and of no file: what no other process shares, and the system cannot drop.
    public func ownResidentBytes() throws -> Int {
        try (number("RssAnon", in: "status") + number("RssShmem", in: "status")) * 1024
    }

    /// Ends it.
    ///
    /// - Throws: ``Missing`` where it has not got the frames of its time, less two seconds for its start.
    public func end(_ format: CaptureFormat) throws {
        let seconds = began.duration(to: .now) / .seconds(1)
        var bytes = program.proof == .file ? try number("wchar", in: "io") : 0
        process.terminate()
        if program.proof == .counts {
            bytes = (Int(try lines().last ?? "") ?? 0) * 2 * format.channels
        }
        process.waitUntilExit()
        guard Double(bytes) >= (seconds - 2) * Double(format.byteRate) else {
            // What it says while it works is not why it lost frames.
            let failure = process.terminationStatus == 0 ? nil : complaint
            throw Missing(reason: failure ?? "it got \(bytes) bytes in \(seconds) s")
        }
    }

    /// What it prints until it ends by itself: times in nanoseconds, each after what it is.
    public func times() throws -> [String: [Double]] {
        var times: [String: [Double]] = [:]
        for line in try lines() {
            let words = line.split(separator: " ")
            guard words.count == 2, let time = Double(words[1]) else { throw Missing(reason: line) }
            times[String(words[0]), default: []].append(time)
        }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Missing(reason: complaint ?? "it failed") }
        return times
    }

    private func lines() throws -> [String] {
        let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    /// What it said was wrong: of a crash not the last line of where it was, and else its last words.
    private var complaint: String? {
        guard let text = try? String(contentsOf: complaints, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n")
        return (lines.first { $0.contains("Fatal error: ") || $0.hasPrefix("*** ") } ?? lines.last).map(String.init)
    }

    private func number(_ key: String, in file: String) throws -> Int {
        let text = try? String(contentsOfFile: "/proc/\(process.processIdentifier)/\(file)", encoding: .utf8)
        let line = text?.split(separator: "\n").first { $0.hasPrefix(key + ":") }
        guard let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw Missing(reason: complaint ?? "ended early")
        }
        return number
    }
}
