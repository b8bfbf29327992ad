import Measuring

/// All contestants of a capture, which work at the same time: so each has the machine in the same mood.
public struct Contest {
    /// The library's: embedded, and the command.
    public static let embedded = ["VoiceAudio, each chunk as it comes", "VoiceAudio, chunks of 100 ms at once"]
    public static let command = "voice-audio record"
    public static let yardstick = "arecord"
    public static let portAudio = "PortAudio, callback"

    /// In the order of the table; those that cannot run with why.
    public private(set) var contestants: [(name: String, program: Result<RunningProgram, Missing>)] = []
    private let format: CaptureFormat

    public init(_ format: CaptureFormat, from source: SoundServer.Source, of server: SoundServer, peers: String?) {
        self.format = format
        let programs: [(String, () throws -> Program)] = [
            (Self.embedded[0], { try .embedding(format, atOnce: 1) }),
            (Self.embedded[1], { try .embedding(format, atOnce: max(1, 100 / format.periodMilliseconds)) }),
            (Self.command, { try .command(format) }),
            (Self.yardstick, { try .arecord(format) }),
            (Self.portAudio, { try .portAudio(format, peers: peers) }),
            ("RtAudio, callback", { try .rtAudio(format, peers: peers) }),
            ("python-sounddevice, callback", { try .sounddevice(format, peers: peers) }),
            ("GStreamer, alsasrc", { try .gStreamer(format) }),
        ]
        for (name, program) in programs {
            contestants.append((name, attempt { try RunningProgram(program(), from: source, of: server) }))
        }
    }

    /// Asks each contestant; one that has no answer is out.
    public mutating func ask(_ question: (RunningProgram) throws -> Void) {
        for index in contestants.indices {
            contestants[index].program = contestants[index].program.flatMap { program in
                attempt {
                    try question(program)
                    return program
                }
            }
        }
    }

    /// Ends all; those that have not got their frames are out.
    public mutating func end() { ask { [format] in try $0.end(format) } }

    private func attempt<Value>(_ work: () throws -> Value) -> Result<Value, Missing> {
        Result(catching: work).mapError { $0 as? Missing ?? Missing(reason: "\($0)") }
    }
}
