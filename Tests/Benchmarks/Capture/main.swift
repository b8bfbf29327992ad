// What it takes to capture: all contestants capture from the same source at the same time.
import Capturing
import Foundation
import Measuring

let options = Options()
let formats =
    options.isQuick
    ? [CaptureFormat(rate: 16_000, channels: 1, periodMilliseconds: 10)]
    : [(16_000, 1), (48_000, 2)].flatMap { rate, channels in
        [10, 100].map { CaptureFormat(rate: rate, channels: channels, periodMilliseconds: $0) }
    }

for source in SoundServer.Source.allCases {
    var results: [CaptureResults] = []
    for format in formats {
        let server = try SoundServer(format, plugin: pacedPlugin(peers: options.peers))
        results.append(CaptureResults(from: source, of: server, format, options))
    }
    printTable("Capture from \(source.rawValue)", results)
}
