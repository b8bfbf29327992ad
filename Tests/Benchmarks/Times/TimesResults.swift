import Capturing
import Measuring

/// How long contestants take to begin and to end a capture in one format from one source, by turns.
struct TimesResults {
    /// What is measured, as the programs name it, and at most how many ms its 99th percentile is to be.
    private static let measures: [(key: String, name: String, goal: @Sendable (CaptureFormat) -> Double)] = [
        ("first-open", "first open of a process", { Double($0.periodMilliseconds) + 10 }),
        ("open", "open and start, to the first chunk", { Double($0.periodMilliseconds) + 10 }),
        ("start", "start of an open device, to the next chunk", { Double($0.periodMilliseconds) + 10 }),
        ("stop", "stop, device stays open", { _ in 10 }),
        ("stop-and-close", "stop and close", { _ in 10 }),
    ]
    private static let library = "VoiceAudio"

    private let format: CaptureFormat
    private let source: SoundServer.Source
    private let server: SoundServer
    /// By contestant, a dictionary a turn: ms of each measure.
    private var contestants: [(name: String, turns: Result<[[String: [Double]]], Missing>)]

    init(_ format: CaptureFormat, from source: SoundServer.Source, of server: SoundServer) {
        (self.format, self.source, self.server) = (format, source, server)
        contestants = [Self.library, "PortAudio", "python-sounddevice"].map { ($0, .success([])) }
    }

    /// Lets each begin and end so often.
    mutating func giveTurns(cycles: Int, peers: String?) {
        let programs: [() throws -> Program] = [
            { [format] in try .embedding(format, cycles: cycles) },
            { [format] in try .portAudio(format, peers: peers, cycles: cycles) },
            { [format] in try .sounddevice(format, peers: peers, cycles: cycles) },
        ]
        for (index, program) in programs.enumerated() {
            guard case .success(let turns) = contestants[index].turns else { continue }
            contestants[index].turns = Result { try RunningProgram(program(), from: source, of: server).times() }
                .map { turns + [$0.mapValues { $0.map { $0 / 1e6 } }] }
                .mapError { $0 as? Missing ?? Missing(reason: "\($0)") }
        }
    }

    func printTable() {
        var table = Table(
            "Start and stop: \(source.rawValue), \(format)",
            columns: ["from the call to", "contestant", "p50", "p99", "max", "VoiceAudio's medians to it", "goal"])
        for (key, name, goal) in Self.measures {
            for (contestant, turns) in contestants {
                switch turns {
                case .failure(let missing): table.add(name, contestant, "could not run: \(missing.reason)")
                case .success(let turns):
                    let all = Series(turns.flatMap { $0[key, default: []] })
                    let isOurs = contestant == Self.library
                    let most = goal(format)
                    table.add(
                        name, contestant, short(all.median), short(all.quantile(0.99)), short(all.quantile(1)),
                        isOurs ? "" : spread(pairedRatios(medians(of: Self.library, key), to: medians(turns, key))),
                        isOurs ? "p99 under \(short(most)): \(all.quantile(0.99) < most ? "met" : "missed")" : "")
                }
            }
        }
        table.print(
            note: """
                Times in ms, less is better; a ratio below 1 means that the library is faster. A chunk is a period. The \
                library's stop hands the recording back; its open device captures before the start, so that the next \
                chunk is there within a period, and the peers' streams begin anew. The first open of a process loads \
                alsa-lib's configuration and plugins; PortAudio also tries every device there is. While nobody captures, \
                the sound server works in blocks of 50 ms, and who begins waits for the end of one.
                """)
    }

    private func medians(of name: String, _ key: String) -> [Double] {
        guard case .success(let turns)? = contestants.first(where: { $0.name == name })?.turns else { return [] }
        return medians(turns, key)
    }

    private func medians(_ turns: [[String: [Double]]], _ key: String) -> [Double] {
        turns.map { Series($0[key, default: []]).median }
    }
}
