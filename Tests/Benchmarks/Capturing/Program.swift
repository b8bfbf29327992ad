import Foundation
import Measuring

/// A program that captures: one of the library's, or a peer.
public struct Program: Sendable {
    /// What it tells about the frames that it got.
    enum Proof: Sendable {
        /// It writes them to a file, which the kernel counts.
        case file
        /// Its last words are their number.
        case counts
    }

    let executable: String
    let arguments: [String]
    var environment: [String: String] = [:]
    let proof: Proof

    /// The library in a program.
    ///
    /// - Parameter atOnce: How many chunks it waits for.
    public static func embedding(_ format: CaptureFormat, atOnce: Int) throws -> Program {
        Program(
            executable: try beside("embedded-capture"),
            arguments: arguments(of: format) + ["chunks", "\(atOnce)"], proof: .counts)
    }

    /// It, beginning and ending so often, telling what that took.
    public static func embedding(_ format: CaptureFormat, cycles: Int) throws -> Program {
        Program(
            executable: try beside("embedded-capture"),
            arguments: arguments(of: format) + ["cycles", "\(cycles)"], proof: .counts)
    }

    public static func command(_ format: CaptureFormat) throws -> Program {
        Program(
            executable: try beside("voice-audio"),
            arguments: ["record", "--device", "bench", "--rate", "\(format.rate)", "--channels", "\(format.channels)"]
                + ["--output", "voice-audio.wav"],
            environment: ["VOICE_AUDIO_CHUNK_FRAMES": "\(format.periodFrames)"], proof: .file)
    }

    public static func arecord(_ format: CaptureFormat) throws -> Program {
        Program(
            executable: try installed("arecord"),
            arguments: ["-q", "-D", "bench", "-f", "S16_LE", "-r", "\(format.rate)"]
                + ["-c", "\(format.channels)", "--period-size=\(format.periodFrames)"]
                + ["--buffer-size=\(format.bufferFrames)", "arecord.wav"],
            proof: .file)
    }

    public static func portAudio(_ format: CaptureFormat, peers: String?, cycles: Int? = nil) throws -> Program {
        Program(
            executable: try peerFile("portaudio-capture", in: peers),
            arguments: arguments(of: format) + (cycles.map { ["\($0)"] } ?? []), proof: .counts)
    }

    public static func rtAudio(_ format: CaptureFormat, peers: String?) throws -> Program {
        Program(
            executable: try peerFile("rtaudio-capture", in: peers),
            arguments: arguments(of: format), proof: .counts)
    }

    public static func sounddevice(_ format: CaptureFormat, peers: String?, cycles: Int? = nil) throws -> Program {
        Program(
            executable: try peerFile("sounddevice-capture", in: peers),
            arguments: arguments(of: format) + (cycles.map { ["\($0)"] } ?? []), proof: .counts)
    }

    public static func gStreamer(_ format: CaptureFormat) throws -> Program {
        Program(
            executable: try installed("gst-launch-1.0"),
            arguments: [
                "-q", "alsasrc", "device=bench", "buffer-time=\(1_000_000 * format.bufferFrames / format.rate)",
                "latency-time=\(1000 * format.periodMilliseconds)", "!",
                "audio/x-raw,format=S16LE,rate=\(format.rate),channels=\(format.channels)", "!", "filesink",
                "location=gstreamer.raw",
            ], proof: .file)
    }

    private static func arguments(of format: CaptureFormat) -> [String] {
        ["\(format.rate)", "\(format.channels)", "\(format.periodFrames)", "\(format.bufferFrames)"]
    }

    private static func beside(_ name: String) throws -> String {
        let directory = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let path = directory.appending(path: name).path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw Missing(reason: "\(name) is not built: use Scripts/bench")
        }
        return path
    }

    private static func installed(_ name: String) throws -> String {
        guard let path = program(name) else { throw Missing(reason: "\(name) is not installed") }
        return path
    }
}

/// Where the plugin is that Scripts/bench has built.
public func pacedPlugin(peers: String?) -> String { "\(peers ?? ".")/libasound_module_pcm_numbered.so" }
