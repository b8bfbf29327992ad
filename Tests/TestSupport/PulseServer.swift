import CLinux
public import Foundation
import Glibc

/// A PulseAudio server of the tests' own with a null sink: what is played into it can be captured from its monitor
/// through ALSA.
///
/// It runs in a private directory, touches no other server, and ends with this object or this process, however that
/// ends: its keeper waits for the end of a pipe that this process holds open.
public final class PulseServer {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The ALSA PCM that captures the sink's monitor, once ``environment`` is in force.
    public let device = "voiceaudio_test"
    /// For this process (see ``useInThisProcess()``) and children that are to use the server.
    public let environment: [String: String]

    /// Private to this server; removed with it.
    public let directory: String

    private let socketPath: String
    private let keeper = Process()
    private var replaced: [String: String?] = [:]
    private let lifeline: FileHandle

    /// Starts the server and waits until it answers.
    ///
    /// - Throws: ``Failure`` that says so where `pulseaudio` is not installed or does not come up.
    public init(sampleRateHz: Int = 16_000, channelCount: Int = 1) throws {
        guard Self.isInstalled("pulseaudio"), Self.isInstalled("paplay") else {
            throw Failure(
                description:
                    "pulseaudio is not installed: apt-get install pulseaudio pulseaudio-utils libasound2-plugins")
        }
        let pattern = NSTemporaryDirectory() + "/voiceaudio-pulse-XXXXXX"
        var template = Array(pattern.utf8CString)
        // SAFETY: the template is NUL-terminated and writable.
        guard unsafe mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory: \(errno)") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        socketPath = directory + "/socket"
        environment = [
            "ALSA_CONFIG_PATH": directory + "/asound.conf", "PULSE_SERVER": "unix:" + socketPath,
            "PULSE_RUNTIME_PATH": directory, "PULSE_COOKIE": directory + "/cookie", "XDG_RUNTIME_DIR": directory,
            "XDG_CONFIG_HOME": directory,
        ]
        try """
        </usr/share/alsa/alsa.conf>
        pcm.\(device) {
            type pulse
            server "unix:\(socketPath)"
            device "test.monitor"
            hint { show on description "The tests' sink" }
        }
        """.write(toFile: directory + "/asound.conf", atomically: true, encoding: .utf8)

        let pipe = Pipe()
        lifeline = pipe.fileHandleForWriting
        // SAFETY: a plain call on a descriptor that the pipe holds.
        _ = clinux_fcntl_int(lifeline.fileDescriptor, F_SETFD, FD_CLOEXEC)
        // Without rewinds the sink renders 50 ms ahead, not two seconds: capture from its monitor starts at once.
        let sink =
            "module-null-sink sink_name=test norewinds=1 rate=\(sampleRateHz) channels=\(channelCount) format=s16le"
        keeper.executableURL = URL(fileURLWithPath: "/bin/sh")
        keeper.arguments = [
            "-c",
            """
            trap '' INT TERM
            pulseaudio -n --daemonize=no --system=false --exit-idle-time=-1 --use-pid-file=no --realtime=no \
                --high-priority=no --log-target=file:"$1/log" -L "$2" \
                -L "module-native-protocol-unix socket=$1/socket auth-anonymous=1" </dev/null >/dev/null 2>&1 &
            echo $! >"$1/pid"
            cat >/dev/null
            kill -KILL $!
            wait
            rm -rf "$1"
            """, "keeper", directory, sink,
        ]
        keeper.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
            .merging(["HOME": directory]) { _, own in own }
        keeper.standardInput = pipe.fileHandleForReading
        keeper.standardOutput = FileHandle.nullDevice
        keeper.standardError = FileHandle.nullDevice
        try keeper.run()
        try? pipe.fileHandleForReading.close()
        try waitUntilItAnswers()
    }

    deinit { stop() }

    /// Ends the server and removes its directory; twice is harmless.
    public func stop() {
        changeProcessEnvironment(replaced)
        replaced = [:]
        try? lifeline.close()
        if keeper.isRunning { keeper.waitUntilExit() }
    }

    /// Ends the server at once, as a crash would; its directory stays until ``stop()``.
    public func kill() {
        let path = "\(directory)/pid"
        var server: pid_t?
        // Whoever started it may write its number after it answers.
        _ = eventually {
            let text = try? String(contentsOfFile: path, encoding: .utf8)
            server = text.flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            return server != nil
        }
        if let server { _ = Glibc.kill(server, SIGKILL) }
    }

    /// Points this process's ALSA and PulseAudio clients at the server, until ``stop()``. Not to be called while other
    /// threads use either: the process environment is shared.
    public func useInThisProcess() {
        replaced = changeProcessEnvironment(environment.mapValues(Optional.some))
    }

    /// Starts playing a sound file into the sink; the process ends with the file.
    public func play(file: String) throws -> Process {
        let player = Process()
        player.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        player.arguments = ["paplay", "--device=test", file]
        player.environment = ProcessInfo.processInfo.environment.merging(environment) { _, own in own }
        player.standardInput = FileHandle.nullDevice
        try player.run()
        return player
    }

    private func waitUntilItAnswers() throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !answers() {
            guard keeper.isRunning, ContinuousClock.now < deadline else {
                let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "no log"
                stop()
                throw Failure(description: "pulseaudio did not come up: \(log)")
            }
            usleep(10_000)
        }
    }

    /// The protocol module is loaded after the sink: who can connect finds the sink.
    private func answers() -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // SAFETY: the path fits (checked by the slice) and the structure is zeroed, so it ends with NUL.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            unsafe room.copyBytes(from: socketPath.utf8.prefix(room.count - 1))
        }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    private static func isInstalled(_ program: String) -> Bool {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { FileManager.default.isExecutableFile(atPath: "\($0)/\(program)") }
    }
}

/// Sets (`nil`: removes) variables of this process.
///
/// - Returns: What they were, to put back.
@discardableResult
public func changeProcessEnvironment(_ variables: [String: String?]) -> [String: String?] {
    let before = ProcessInfo.processInfo.environment
    for (name, value) in variables {
        // SAFETY: the strings live through the call, which copies them.
        if let value { _ = unsafe setenv(name, value, 1) } else { _ = unsafe unsetenv(name) }
    }
    return variables.keys.reduce(into: [:]) { $0[$1] = .some(before[$1]) }
}
