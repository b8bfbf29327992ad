import Foundation
import Measuring

/// A private PulseAudio with a null sink, into which it plays a tone itself; and an ALSA configuration in which the PCM
/// `bench`, which is `default`, too, is the sink's monitor or the paced plugin. Ends, and takes its directory with it,
/// when this object or this process does.
public final class SoundServer {
    public enum Source: String, CaseIterable, Sendable {
        case monitor = "PulseAudio's monitor"
        case plugin = "the paced plugin"
    }

    /// Private to it; for the contestants' files, too.
    let directory: URL
    private let keeper = Process()
    private let lifeline = Pipe()

    /// - Parameter plugin: The plugin's file.
    /// - Throws: ``Missing`` where there is no PulseAudio.
    public init(_ format: CaptureFormat, plugin: String) throws {
        guard let server = program("pulseaudio") else { throw Missing(reason: "pulseaudio is not installed") }
        directory = URL(filePath: NSTemporaryDirectory()).appending(path: "voice-audio-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let pulse = "type pulse  server \"unix:\(directory.path)/socket\""
        let definitions: [Source: String] = [
            .monitor: "\(pulse)  device \"test.monitor\"  hint { show on  description \"The sink's monitor\" }",
            .plugin: "type numbered",
        ]
        for (source, definition) in definitions {
            // RtAudio looks for devices by their mixers.
            try """
            </usr/share/alsa/alsa.conf>
            pcm_type.numbered { lib "\(plugin)" }
            pcm.bench { \(definition) }
            pcm.!default { \(definition) }
            ctl.!default { \(pulse) }
            """.write(to: configuration(of: source), atomically: true, encoding: .utf8)
        }
        keeper.executableURL = URL(filePath: "/bin/sh")
        keeper.arguments = [
            "-c",
            """
            "$1" -n --daemonize=no --system=false --exit-idle-time=-1 --use-pid-file=no --realtime=no \
                --high-priority=no --log-target=file:"$2/log" -L "module-null-sink sink_name=test norewinds=1 $3" \
                -L "module-sine sink=test rate=440" \
                -L "module-native-protocol-unix socket=$2/socket auth-anonymous=1" </dev/null >/dev/null 2>&1 &
            cat >/dev/null
            kill -KILL $!
            wait
            rm -rf "$2"
            """, "keeper", server, directory.path,
            "rate=\(format.rate) channels=\(format.channels) format=s16le",
        ]
        keeper.environment = environment(for: .monitor)
        keeper.standardInput = lifeline.fileHandleForReading
        keeper.standardOutput = FileHandle.nullDevice
        keeper.standardError = FileHandle.nullDevice
        try keeper.run()
        // The protocol's module is loaded last: who can connect finds the rest.
        for _ in 0..<500 where !acceptsConnections { usleep(20_000) }
    }

    /// Not whether the socket is there: that comes before the server listens.
    private var acceptsConnections: Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.copyBytes(from: (directory.path + "/socket").utf8.prefix(room.count - 1))
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
        keeper.waitUntilExit()
    }

    /// For programs that are to capture from there.
    public func environment(for source: Source) -> [String: String] {
        let own = [
            "ALSA_CONFIG_PATH": configuration(of: source).path, "PULSE_SERVER": "unix:\(directory.path)/socket",
            "PULSE_RUNTIME_PATH": directory.path, "PULSE_COOKIE": directory.path + "/cookie",
            "XDG_RUNTIME_DIR": directory.path, "XDG_CONFIG_HOME": directory.path, "HOME": directory.path,
        ]
        return ProcessInfo.processInfo.environment.merging(own) { $1 }
    }

    private func configuration(of source: Source) -> URL { directory.appending(path: "\(source).conf") }
}

/// Where a program of this name is.
func program(_ name: String) -> String? {
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }
        .first(where: FileManager.default.isExecutableFile)
}
