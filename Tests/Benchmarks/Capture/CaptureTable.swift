import Capturing
import Measuring

/// Prints what contestants took in some formats: a row a contestant, a column a format.
func printTable(_ title: String, _ results: [CaptureResults]) {
    var table = Table(title, columns: ["contestant"] + results.map(\.format.description) + ["goal"])
    for (index, (name, _)) in results[0].contestants.enumerated() {
        let cells = results.map { results in
            switch results.contestants[index].slices {
            case .failure(let missing): "could not run: \(missing.reason)"
            case .success(let slices):
                short(Series(slices).mean)
                    + (results.ratios(of: name, to: Contest.yardstick).map { "; " + spread($0) } ?? "")
            }
        }
        table.add(
            [name] + cells + [(Contest.embedded + [Contest.command]).contains(name) ? goal(of: name, results) : ""])
    }
    table.print(
        note: """
            Thousandths of a processor, threads that ended included, and the ratio to arecord's in the same slices of \
            time: less is better. All capture at the same time in the same periods. The three commands write a file \
            (voice-audio every 100 or 200 ms, arecord and GStreamer each period); the others look at each chunk in place, \
            VoiceAudio while it keeps its history and meters the level. What it costs above arecord is its second \
            thread, which is woken for the chunks and makes three system calls then, and in the capture thread its own \
            code, which no cache holds any more after 10 ms of sleep: a fifth of all, by samples. In periods of 100 ms \
            the first two rows are one and the same program: what they differ by is chance. From the paced plugin \
            arecord wakes only for every other period, VoiceAudio for each. A tenth of PortAudio's is less than \
            libpulse's own thread takes in every program (3 of these thousandths at 10 ms): PortAudio took 6 to 21, \
            depending on who else captured from the server.
            """)
}

/// The worst of the formats beside arecord's and PortAudio's.
private func goal(of name: String, _ results: [CaptureResults]) -> String {
    let goals = [(Contest.yardstick, "arecord", 1.15), (Contest.portAudio, "PortAudio", 0.1)]
    return goals.compactMap { other, called, limit in
        results.compactMap { $0.ratios(of: name, to: other)?.median }.max().map {
            "at most \(short(limit)) × \(called): \($0 <= limit ? "met" : "missed"), \(short($0))"
        }
    }.joined(separator: "; ")
}
