import Foundation
import Testing

/// A terminal that a program has as its standard error, and what it shows there.
final class PseudoTerminal {
    private let master: FileHandle
    private let device: FileHandle

    init(columns: UInt16) throws {
        var descriptors: (master: Int32, device: Int32) = (-1, -1)
        var size = winsize(ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        // SAFETY: locals; no name and no modes are asked for.
        try #require(unsafe openpty(&descriptors.master, &descriptors.device, nil, nil, &size) == 0)
        master = FileHandle(fileDescriptor: descriptors.master, closeOnDealloc: true)
        device = FileHandle(fileDescriptor: descriptors.device, closeOnDealloc: true)
    }

    /// Starts the tool in this terminal, with no `VOICE_AUDIO_*` variables, and those of a terminal as given.
    func start(_ arguments: [String], environment: [String: String]) throws -> Process {
        let process = Process()
        process.executableURL = Tool.url
        process.arguments = arguments
        let others = ["TERM", "NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG"]
        process.environment = ProcessInfo.processInfo.environment
            .filter { !$0.key.hasPrefix("VOICE_AUDIO_") && !others.contains($0.key) }
            .merging(Tool.patient) { $1 }.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = device
        try process.run()
        return process
    }

    /// Its modes, as `stty` writes them.
    func modes() throws -> String { try stty("--save") }

    func resize(columns: Int) throws { _ = try stty("cols", "\(columns)") }

    /// What was shown since the last call: something at least.
    ///
    /// Blocks until then; the program that is to show it ends by itself.
    func text() throws -> String {
        let bytes = piece()
        try #require(!bytes.isEmpty)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is shown until no program has the terminal any more.
    func rest() throws -> String {
        try device.close()
        var bytes: [UInt8] = []
        while case let more = piece(), !more.isEmpty { bytes += more }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What is there to be read, or comes next; nothing at the end, which is an error of the system and traps in Foundation.
    private func piece() -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: 4096) { room, count in
            // SAFETY: the system writes within the capacity.
            count = unsafe max(0, read(master.fileDescriptor, room.baseAddress, room.count))
        }
    }

    private func stty(_ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["stty"] + arguments
        // This end stays open, and tells of both.
        process.standardInput = master
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return text
    }
}
