package import Foundation
import VoiceAudioCore

/// A group of processes that may use only so much memory: a cgroup below this process's own, of version 1 or 2.
package final class MemoryLimitedGroup {
    private let directory: String

    /// Why a group cannot be made here, to be printed.
    package struct Unavailable: Error, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter limitBytes: The most that its processes may have; where there is swap, none of it.
    /// - Throws: ``Unavailable``.
    package init(limitBytes: Int) throws(Unavailable) {
        let name = "va-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let version1 = "/sys/fs/cgroup/memory"
        let isVersion1 = KernelFiles.exists(version1 + "/memory.limit_in_bytes")
        directory = "\(isVersion1 ? version1 : "/sys/fs/cgroup")/\(name)"
        // SAFETY: here and below, the path is NUL-terminated for the call.
        guard unsafe mkdir(directory, 0o755) == 0 else {
            throw Unavailable(description: "\(directory): \(AudioError(systemCall: "mkdir", status: errno))")
        }
        let limit = isVersion1 ? "memory.limit_in_bytes" : "memory.max"
        do {
            try write("\(limitBytes)", to: limit)
        } catch {
            _ = unsafe rmdir(directory)
            throw Unavailable(description: "\(directory)/\(limit) cannot be written: is the memory controller on?")
        }
        // Neither is there on every machine.
        try? write("0", to: isVersion1 ? "memory.swappiness" : "memory.swap.max")
    }

    // SAFETY: as above.
    deinit { _ = unsafe rmdir(directory) }

    /// Runs a program in the group to its end.
    ///
    /// - Returns: The process, and what it printed.
    package func run(_ program: URL, _ arguments: [String]) throws -> (process: Process, output: String) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The shell enters the group and becomes the program: nothing of it is outside.
        process.arguments =
            ["-c", "echo $$ > \"$0\" && exec \"$@\"", directory + "/cgroup.procs", program.path] + arguments
        process.standardOutput = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process, String(decoding: output, as: UTF8.self))
    }

    private func write(_ text: String, to file: String) throws {
        try text.write(toFile: "\(directory)/\(file)", atomically: false, encoding: .utf8)
    }
}
