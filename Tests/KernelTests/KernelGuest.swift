import Foundation
import Testing
import VoiceAudio

/// The machine that `Scripts/kernel-test` emulates: its helper commands, and programs run in it.
enum KernelGuest {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Whether this is that machine.
    static let isHere = ProcessInfo.processInfo.environment["VOICEAUDIO_KERNEL_GUEST"] != nil

    /// Runs a shell command line to its end.
    @discardableResult static func run(_ command: String) throws -> String {
        let output = Pipe()
        let process = try start(command, output: output)
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "\(command): status \(process.terminationStatus): \(text)")
        }
        return text
    }

    /// Starts a program: its process is that program, not a shell.
    static func start(_ command: String, output: Any = FileHandle.standardError) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "exec \(command)"]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        // Threads of the concurrency pool block all signals, which programs would inherit.
        var none = sigset_t()
        var blocked = sigset_t()
        // SAFETY: the sets are locals.
        unsafe sigemptyset(&none)
        unsafe pthread_sigmask(SIG_SETMASK, &none, &blocked)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &blocked, nil) }
        try process.run()
        return process
    }

    /// Stops this whole process for a while, as a busy or suspended machine would.
    ///
    /// - Parameter seconds: How long, on the guest's clock.
    static func stopThisProcess(seconds: Double) throws {
        let own = ProcessInfo.processInfo.processIdentifier
        try run("sh -c 'kill -STOP \(own); sleep \(seconds); kill -CONT \(own)' </dev/null >/dev/null 2>&1")
    }
}

extension AudioConfiguration {
    /// For the microphone whose frames are numbered.
    static func microphone(rate: Int = 16_000, chunkFrames: Int? = nil) -> AudioConfiguration {
        var configuration = AudioConfiguration()
        configuration.device = "hw:CARD=Mic"
        configuration.sampleRateHz = rate
        configuration.channelCount = 2
        if let chunkFrames { configuration.chunkFrameCount = chunkFrames }
        return configuration
    }
}
