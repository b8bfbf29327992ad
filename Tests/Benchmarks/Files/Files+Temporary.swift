import Glibc
import Measuring
import VoiceAudio

extension Files {
    /// Temporary WAVs: written, there for a moment, and gone.
    func compareTemporary() throws {
        var comparison = Comparison("Temporary WAVs")
        for samples in samples {
            for isNamed in [false, true] {
                try check(samples, isNamed: isNamed)
                try compare(samples, isNamed: isNamed, in: &comparison)
            }
        }
        // What the library keeps for later named ones.
        rmdir("\(directory)/voice-audio-\(geteuid())")
        comparison.print(
            note: """
                The same bytes in the same directory, removed at the end; medians. The goal, 1.1 times the \
                time of plain write(2), is 0.91 times its speed; it is for the usual file, which has no name. \
                withTemporaryWAV looks at the free space, too, and its named files lie locked in a directory of the user's \
                own, so that what a crash leaves is found and removed. Faster is better.
                """)
    }

    private func compare(_ samples: [Int16], isNamed: Bool, in comparison: inout Comparison) throws {
        let byteCount = samples.count * 2
        let count = byteCount >= 10 << 20 ? 1 : byteCount >= 1 << 20 ? 20 : 1000
        func turn(_ write: @escaping () throws -> Void) -> () throws -> Double {
            { 1000 * (try seconds { for _ in 0..<count { try write() } }) / Double(count) }
        }
        let kind = isNamed ? "named" : "nameless"
        var missing: [(peer: String, reason: String)] = []
        var writers = [
            Writer(
                name: "withTemporaryWAV, \(kind)",
                turn: turn {
                    try withTemporaryWAV(
                        samples: samples, format: Sound.format, named: isNamed, directory: directory
                    ) { _ in }
                })
        ]
        if let peer {
            let header = Sound.header(byteCount: byteCount)
            writers.append(
                Writer(
                    name: "plain write(2), \(kind)", goal: isNamed ? nil : 0.91,
                    turn: turn { peer.writeTemporary(in: directory, isNamed: isNamed, header: header, samples) }))
        } else {
            missing.append(("plain write(2), \(kind)", reason))
        }
        if isNamed {
            let script = options.peers.map { "\($0)/temporary-wav.py" } ?? ""
            let python = "Python, tempfile and wave, named"
            if isInPath("python3"), access(script, R_OK) == 0 {
                writers.append(
                    Writer(name: python) {
                        1000 * (Double(run("python3", [script, directory, "\(samples.count)", "\(count)"])) ?? .nan)
                    })
            } else {
                missing.append((python, "no python3 in PATH"))
            }
        }
        try comparison.add(
            byteCount: byteCount, rounds: rounds(byteCount, isOfTheDisk: false), writers, missing: missing)
    }

    /// Ends the program where a temporary WAV is not the header and the samples.
    private func check(_ samples: [Int16], isNamed: Bool) throws {
        let header = Sound.header(byteCount: samples.count * 2)
        try withTemporaryWAV(samples: samples, format: Sound.format, named: isNamed, directory: directory) { wav in
            var bytes = [UInt8](repeating: 0, count: header.count)
            var written = [Int16](repeating: 0, count: samples.count)
            guard pread(wav.descriptor, &bytes, bytes.count, 0) == bytes.count, bytes == header,
                pread(wav.descriptor, &written, 2 * written.count, bytes.count) == 2 * written.count, written == samples
            else { fatalError("a temporary WAV is not what was written") }
        }
    }
}
