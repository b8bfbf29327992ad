import Foundation
import Measuring

/// One of those that capture: a program that takes how many and how long, and prints `Figures`.
struct Rival {
    let name: String
    let program: String
    let arguments: [String]
    let environment: [String: String]
    /// Why it cannot run.
    let lacking: String?

    /// This program itself. A process each count, so that memory is that count's alone.
    static func own(_ kind: Job.Kind, device: NumberedDevice? = nil) -> Self {
        Self(
            name: "VoiceAudio", program: "/proc/self/exe", arguments: [Job.option, kind.rawValue],
            environment: device?.environment ?? [:], lacking: device?.lacking)
    }

    static func portAudio(_ peers: String?, device: NumberedDevice) -> Self {
        Self(
            name: "PortAudio", program: (peers ?? "") + "/portaudio-many", arguments: [],
            environment: device.environment,
            lacking: device.lacking ?? reasonMissing("portaudio-many", of: peers))
    }

    /// Runs it; throws what it says on standard error where it fails.
    func run(count: Int, seconds: Double) throws -> Figures {
        let process = Process()
        process.executableURL = URL(filePath: program).resolvingSymlinksInPath()
        process.arguments = arguments + [String(count), String(seconds)]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // Both are less than a pipe holds.
        let line = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let complaint = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0, let figures = Figures(line: line) else {
            let last = complaint.split(separator: "\n").last
            throw Missing(reason: "status \(process.terminationStatus)\(last.map { ", " + $0 } ?? "")")
        }
        return figures
    }
}

/// Why a peer's program or module is not there; `nil` where it is.
func reasonMissing(_ name: String, of peers: String?) -> String? {
    do throws(Missing) {
        _ = try peerFile(name, in: peers)
        return nil
    } catch {
        return error.reason
    }
}
