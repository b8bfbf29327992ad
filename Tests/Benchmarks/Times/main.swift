// What a program waits for: from the call to the first chunk, and from the call that stops to its return.
import Capturing
import Measuring

let options = Options()
for source in SoundServer.Source.allCases {
    // Of the shorter period more times: there are more of them in a second.
    for (period, rounds, cycles) in options.isQuick ? [(10, 2, 6)] : [(10, 8, 16), (100, 5, 5)] {
        let format = CaptureFormat(rate: 16_000, channels: 1, periodMilliseconds: period)
        let server = try SoundServer(format, plugin: pacedPlugin(peers: options.peers))
        var results = TimesResults(format, from: source, of: server)
        for _ in 0..<rounds { results.giveTurns(cycles: cycles, peers: options.peers) }
        results.printTable()
    }
}
