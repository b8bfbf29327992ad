// What a memory pressure monitor costs a capture.
import Glibc
import Measuring
import VoiceAudio

/// Captures for `seconds`, and answers how much of a core that took, in percent.
func capture(chunkMilliseconds: Int, seconds: UInt32, isMonitored: Bool) throws -> Double {
    var configuration = AudioConfiguration()
    configuration.device = "sim:"
    configuration.chunkFrameCount = configuration.sampleRateHz * chunkMilliseconds / 1000
    let monitor = isMonitored ? MemoryPressureMonitor() : nil
    let processor = try AudioProcessor(configuration: configuration, monitor: monitor)
    defer { processor.cleanup() }
    try processor.arm()
    // The start, and what it leaves to do, do not count.
    sleep(1)
    let (before, began) = (processorSeconds(), ContinuousClock.now)
    sleep(seconds)
    let percent = 100 * (processorSeconds() - before) / ((ContinuousClock.now - began) / .seconds(1))
    return withExtendedLifetime(monitor) { percent }
}

let options = Options()
let seconds: UInt32 = options.isQuick ? 2 : 10
let rounds = options.rounds ?? (options.isQuick ? 1 : 5)
var table = Table(
    "What a pressure monitor costs a capture", columns: ["contestant", "of a core", "of that without a monitor"])
for milliseconds in [10, 100] {
    var without: [Double] = []
    var with: [Double] = []
    for _ in 0..<rounds {
        without.append(try capture(chunkMilliseconds: milliseconds, seconds: seconds, isMonitored: false))
        with.append(try capture(chunkMilliseconds: milliseconds, seconds: seconds, isMonitored: true))
    }
    let name = "capture, chunks of \(milliseconds) ms"
    table.add(name, "\(short(Series(without).median)) %", "1")
    table.add("\(name), with a monitor", "\(short(Series(with).median)) %", spread(pairedRatios(with, to: without)))
}
table.print(
    note: """
        Capture from `sim:`, 16 kHz mono, \(seconds) s a turn, \(rounds) turns each, medians. Less is better; there is no \
        goal. The monitor takes the same whatever is captured.
        """)
