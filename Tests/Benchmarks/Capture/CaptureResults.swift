import Capturing
import Foundation
import Measuring

/// What contestants took of a processor while they captured in one format, slice by slice.
struct CaptureResults {
    let format: CaptureFormat
    /// In thousandths of a processor.
    private(set) var contestants: [(name: String, slices: Result<[Double], Missing>)] = []

    init(from source: SoundServer.Source, of server: SoundServer, _ format: CaptureFormat, _ options: Options) {
        self.format = format
        let sliceCount = options.isQuick ? 4 : 12
        let sliceSeconds = options.isQuick ? 1 : 59 / Double(sliceCount)
        var contest = Contest(format, from: source, of: server, peers: options.peers)
        Thread.sleep(forTimeInterval: options.isQuick ? 2 : 3)
        var looks: [ObjectIdentifier: [(time: ContinuousClock.Instant, cpuSeconds: Double)]] = [:]
        for slice in 0...sliceCount {
            if slice > 0 { Thread.sleep(forTimeInterval: sliceSeconds) }
            contest.ask { looks[$0.id, default: []].append((.now, try $0.cpuSeconds())) }
        }
        contest.end()
        contestants = contest.contestants.map { name, program in
            (
                name,
                program.map { program in
                    zip(looks[program.id, default: []], looks[program.id, default: []].dropFirst()).map { from, to in
                        1000 * (to.cpuSeconds - from.cpuSeconds) / (from.time.duration(to: to.time) / .seconds(1))
                    }
                }
            )
        }
    }

    func slices(of name: String) -> [Double]? { contestants.first { $0.name == name }.flatMap { try? $0.slices.get() } }

    /// One contestant's slices to another's; `nil` where one of them is not here.
    func ratios(of name: String, to other: String) -> Series? {
        guard let some = slices(of: name), let others = slices(of: other) else { return nil }
        return pairedRatios(some, to: others)
    }
}
