import Glibc
import Measuring
import VoiceAudio

/// The comparisons.
struct Files {
    let samples: [[Int16]]
    let options: Options
    let directory: String
    let peer: SoundPeer?
    let reason: String

    init(sizes: [Int], options: Options, directory: String) {
        samples = sizes.map(Sound.samples)
        self.options = options
        self.directory = directory
        do throws(Missing) {
            (peer, reason) = (try SoundPeer(in: options.peers), "")
        } catch {
            (peer, reason) = (nil, error.reason)
        }
    }

    /// A directory whose disk is memory and has room; `nil` where there is none.
    var memoryDirectory: String? {
        let path = "/dev/shm/voice-audio-files-\(getpid())"
        var information = statvfs()
        guard statvfs("/dev/shm", &information) == 0,
            information.f_bavail * information.f_frsize > TemporaryWAV.defaultMinimumFreeBytes + (512 << 20)
        else { return nil }
        return mkdir(path, 0o700) == 0 ? path : nil
    }

    /// How many turns files of a size have: disks are slow, and not always the same.
    func rounds(_ byteCount: Int, isOfTheDisk: Bool) -> Int {
        if let rounds = options.rounds { return rounds }
        if options.isQuick { return byteCount > 1 << 20 ? 2 : 4 }
        return byteCount > 1 << 20 ? (isOfTheDisk ? 5 : 9) : 25
    }

    /// Recordings to keep, a block at a time.
    func compareRecordings(_ name: String, isFLAC: Bool, in directory: String) throws {
        var comparison = Comparison("\(name): recordings to keep")
        let suffix = isFLAC ? "flac" : "wav"
        let path = "\(directory)/sound.\(suffix)"
        for samples in samples {
            let byteCount = samples.count * 2
            // A turn takes milliseconds at least.
            let count = byteCount >= 1 << 20 ? 1 : 20
            func turn(_ write: @escaping () throws -> Void) -> () throws -> Double {
                {
                    var sum = 0.0
                    for _ in 0..<count {
                        sum += try seconds(of: write)
                        unlink(path)
                    }
                    return 1000 * sum / Double(count)
                }
            }
            try record(samples, to: path)
            peer?.check(path, samples)
            unlink(path)
            var writers = [Writer(name: "RecordingWriter", turn: turn { try record(samples, to: path) })]
            var missing: [(peer: String, reason: String)] = []
            if let peer {
                for (withCare, care) in [(true, isFLAC ? "synced" : "header kept right, synced"), (false, "bare")] {
                    writers.append(
                        Writer(
                            name: "libsndfile in C, \(care)", goal: withCare ? 0.95 : nil,
                            turn: turn {
                                peer.write(path, isFLAC: isFLAC, samples, withCare: withCare)
                            }))
                }
            } else {
                missing.append(("libsndfile in C", reason))
            }
            let raw = "\(directory)/sound.raw"
            if isInPath("sox") {
                writeRaw(samples, to: raw)
                let arguments = ["-t", "raw", "-r", "16000", "-e", "signed", "-b", "16", "-c", "1", raw, path]
                writers.append(Writer(name: "sox, a process", turn: turn { _ = run("sox", arguments) }))
            } else {
                missing.append(("sox", "not in PATH"))
            }
            try comparison.add(
                byteCount: byteCount, rounds: rounds(byteCount, isOfTheDisk: true), writers, missing: missing)
            unlink(raw)
        }
        comparison.print(
            note: """
                16 kHz mono, 16 bits, in blocks of 100 ms; medians. RecordingWriter keeps the file \
                readable at every moment, and waits for the disk at its end; "bare" does neither. sox is a process that \
                reads the samples from a file. Where files are kept in memory, waiting costs nothing, and 1 KiB shows what it \
                takes to begin: RecordingWriter looks at the free space, and gives the file its name only once it can be \
                read. Faster is better.
                """)
    }
}

extension Files {
    /// Writes a recording as it goes on.
    private func record(_ samples: [Int16], to path: String) throws {
        let writer = try RecordingWriter(path: path, format: Sound.format)
        for first in stride(from: 0, to: samples.count, by: Sound.blockFrameCount) {
            let block = first..<min(first + Sound.blockFrameCount, samples.count)
            try writer.append(samples.span.extracting(block).bytes)
        }
        try writer.finish()
    }

    private func writeRaw(_ samples: [Int16], to path: String) {
        guard let file = fopen(path, "w"), fwrite(samples, 2, samples.count, file) == samples.count, fclose(file) == 0
        else { fatalError("\(path) cannot be written") }
    }
}
