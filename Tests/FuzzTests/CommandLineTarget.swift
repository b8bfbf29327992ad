import CLinux
import Glibc
import Synchronization
import VoiceAudioCore

@testable import voice_audio

extension FuzzTarget {
    /// The command line, an argument a line, in process. No argument has a slash: files stay in the directory.
    static let commandLine = FuzzTarget(
        name: "command line", share: 3,
        corpus: [
            "--help", "--version", "config", "config\n--json", "config\n--rate=48000\n--channels\n2", "devices",
            "devices\n--json", "devices\n--watch", "devices\n--help", "record\n--help",
            "record\n--device\nsim:\n--seconds\n0.01\n--output\na.wav", "record\n--device=sim:tone=440\n--json",
            "record\n--device\nnumbered\n--seconds\n0.1\n--output\n-",
            "record\n--rate\n8000\n--format=f32\n--mono-from=2",
            "record\n--device\nsim:\n--seconds=0.05\n--output=-\n--meter",
            "monitor\n--device=sim:\n--port=0\n--seconds=0.05", "monitor\n--help",
            "record\n--device\nsim:a.wav\n--output\nb.wav\n--json",
        ].map { Array($0.utf8) },
        words: [
            "\n", "--", "-", "=", "--json", "--output", "--seconds", "--device", "--rate", "--channels", "--format",
            "--mono-from", "--watch", "--meter", "--port", "--address", "--hosts", "monitor", "--help", "-h", "record",
            "config", "devices", "sim:", "numbered", "nothing",
            "nan",
            "inf", "1e9", "0.001", "16000", "s24", "\u{0}",
        ], limit: 256
    ) { bytes in
        let text = String(decoding: bytes.filter { $0 != UInt8(ascii: "/") }, as: UTF8.self)
        let arguments = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let status = try Interrupter.run { runTool(arguments) }
        guard ExitCode(rawValue: status) != nil else { throw Finding("status \(status)") }
    }
}

/// Lets the tool run with its output thrown away, and presses Ctrl-C until it ends.
private enum Interrupter {
    static func run(_ tool: @Sendable () -> Int32) throws -> Int32 {
        _ = signal(SIGINT, SIG_IGN)
        let isOver = try WakeUp()
        let process = getpid()
        let thread = try WorkerThread(name: "interrupter") {
            var descriptors = DescriptorSet(count: 1)
            descriptors.watch(isOver.descriptor, at: 0)
            while descriptors.poll(nanoseconds: 30_000_000) == 0 { kill(process, SIGINT) }
        }
        let status = try discardingOutput(tool)
        _ = signal(SIGINT, SIG_IGN)
        isOver.signal()
        let clock = SystemClock()
        guard thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock) else { throw Finding("no end") }
        return status
    }

    private static func discardingOutput(_ tool: () -> Int32) throws -> Int32 {
        fflush(nil)
        // SAFETY: a constant path.
        let null = unsafe clinux_open("/dev/null", O_WRONLY | O_CLOEXEC, 0)
        let streams = [STDOUT_FILENO, STDERR_FILENO]
        let copies = streams.map { clinux_fcntl_int($0, F_DUPFD_CLOEXEC, 3) }
        for stream in streams { dup2(null, stream) }
        close(null)
        defer {
            fflush(nil)
            for (stream, copy) in zip(streams, copies) {
                dup2(copy, stream)
                close(copy)
            }
        }
        return tool()
    }
}
