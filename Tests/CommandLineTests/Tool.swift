import Foundation
import Testing

/// The built tool, run as a process.
enum Tool {
    struct Result {
        let status: Int32
        let output: String
        let errors: String

        /// The output as JSON.
        func json() throws -> Any { try JSONSerialization.jsonObject(with: Data(output.utf8)) }
    }

    /// The tests' own program lies beside it.
    static var url: URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("voice-audio")
    }

    /// A simulated device that holds six seconds: whoever keeps the tool waiting, nothing is lost.
    static let patient = ["VOICE_AUDIO_MIN_FREE_DISK_MB": "0", "VOICE_AUDIO_CHUNK_FRAMES": "24000"]

    /// Runs the tool to its end, with no `VOICE_AUDIO_*` variables but these.
    static func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Result {
        try run(arguments, environment: environment)
    }

    static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        let process = Process()
        process.executableURL = url
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("VOICE_AUDIO_") }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // Files, not pipes: what the tool prints cannot block it.
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: directory) }
        let files = try ["output", "errors"].map { name in
            let file = directory.appendingPathComponent(name)
            try Data().write(to: file)
            return (file, try FileHandle(forWritingTo: file))
        }
        process.standardOutput = files[0].1
        process.standardError = files[1].1
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationReason == .exit)
        let texts = try files.map { try String(contentsOf: $0.0, encoding: .utf8) }
        return Result(status: process.terminationStatus, output: texts[0], errors: texts[1])
    }
}
