import Foundation

/// A program of the system's that checks what we wrote for it.
struct InstalledTool {
    private let path: String

    /// `nil`, and a line that says so, where it is not installed.
    init?(_ name: String, package: String) {
        let folders = "\(ProcessInfo.processInfo.environment["PATH"] ?? ""):/usr/sbin:/sbin".split(separator: ":")
        let paths = folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile) else {
            print("skipped: there is no \(name) here; Debian's package \(package) has it")
            return nil
        }
        self.path = path
    }

    /// Runs it to its end, for two minutes at most.
    ///
    /// - Parameter input: What it reads from standard input.
    /// - Returns: Its status, and all that it said.
    func run(_ arguments: String..., input: [UInt8] = [], in directory: URL? = nil) throws -> (
        status: Int32, output: String
    ) {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("tool-\(UUID())")
        let said = file.appendingPathExtension("output")
        defer { for file in [file, said] { try? FileManager.default.removeItem(at: file) } }
        try Data(input).write(to: file)
        let process = try start(
            "/usr/bin/timeout", ["--kill-after=5", "120", path] + arguments, in: directory,
            input: try FileHandle(forReadingFrom: file), output: said)
        process.waitUntilExit()
        return (process.terminationStatus, try String(contentsOf: said, encoding: .utf8))
    }

    /// Runs it until `body` returns, or this process is no more.
    ///
    /// - Parameter output: What it says goes there.
    func run<Result>(
        _ arguments: [String], in directory: URL, output: URL, during body: () throws -> Result
    ) throws -> Result {
        let input = Pipe()
        // The shell ends it when nobody has the pipe. By SIGKILL: threads of the tests' pool have all other signals blocked,
        // and so have programs that they start.
        let process = try start(
            "/bin/sh", ["-c", "\"$0\" \"$@\" & read -r line; kill -KILL $!", path] + arguments, in: directory,
            input: input.fileHandleForReading, output: output)
        defer {
            try? input.fileHandleForWriting.close()
            process.waitUntilExit()
        }
        return try body()
    }

    private func start(
        _ program: String, _ arguments: [String], in directory: URL?, input: FileHandle, output: URL
    ) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = directory
        try Data().write(to: output)
        process.standardInput = input
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = process.standardOutput
        try process.run()
        return process
    }
}
