// The most memory that each contestant has resident while it captures: all of them at the same time, from the same source,
// until the library's history is full.
import Capturing
import Foundation
import Measuring

let options = Options()
let formats = [
    CaptureFormat(rate: 16_000, channels: 1, periodMilliseconds: 10),
    CaptureFormat(rate: 48_000, channels: 2, periodMilliseconds: 100),
].prefix(options.isQuick ? 1 : 2)

var results: [MemoryResults] = []
for source in SoundServer.Source.allCases {
    for format in formats {
        let server = try SoundServer(format, plugin: pacedPlugin(peers: options.peers))
        results.append(MemoryResults(from: source, of: server, format, options))
    }
}
printTable(results)
