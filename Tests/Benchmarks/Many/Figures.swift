import Foundation
import Measuring
import VoiceAudio

/// What one process measured. As a line it is what this program and the peer's print.
struct Figures {
    /// Of one core.
    var processorPercent = 0.0
    var threads = 0.0
    /// Resident, without the benchmark's own numbers.
    var residentKiB = 0.0
    /// Of that, samples in the histories.
    var ringKiB = 0.0
    var lostFrames = 0.0
    /// How long a chunk was under way: the half, 99 of 100, and all of them within.
    var delays: [Double] = [0, 0, 0]

    init() {}

    init?(line: some StringProtocol) {
        let numbers = line.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
        guard numbers.count == 8 else { return nil }
        (processorPercent, threads, residentKiB, ringKiB) = (numbers[0], numbers[1], numbers[2], numbers[3])
        (lostFrames, delays) = (numbers[4], Array(numbers[5...]))
    }

    var line: String {
        ([processorPercent, threads, residentKiB, ringKiB, lostFrames] + delays).map(\.description).joined(
            separator: " ")
    }

    mutating func take(_ heard: Heard) {
        let series = Series(heard.delays)
        delays = [0.5, 0.99, 1].map { series.quantile($0) }
    }
}

/// Looks at what this process takes, from when it is made.
struct Window {
    private let processorSecondsBefore = processorSeconds()
    private let start = ContinuousClock.now

    func figures(_ processors: [AudioProcessor]) -> Figures {
        var figures = Figures()
        let elapsed = (ContinuousClock.now - start) / .seconds(1)
        figures.processorPercent = 100 * (processorSeconds() - processorSecondsBefore) / elapsed
        figures.threads = Double(status("Threads"))
        figures.residentKiB = Double(status("VmRSS"))
        figures.ringKiB = processors.map { Double($0.memoryUsage.memoryUsageBytes) / 1024 }.reduce(0, +)
        return figures
    }
}

/// A number of `/proc/self/status`.
private func status(_ key: String) -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") } ?? ""
    return Int(line.split(whereSeparator: \.isWhitespace).dropFirst().first ?? "") ?? 0
}
