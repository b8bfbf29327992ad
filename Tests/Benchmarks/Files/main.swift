// What files of sound take to be written: WAV and FLAC as a recording goes on, and temporary WAVs.
import Glibc
import Measuring
import VoiceAudio

let options = Options()
let directory = (getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/voice-audio-files-\(getpid())"
guard mkdir(directory, 0o700) == 0 else { fatalError("\(directory) cannot be made") }
defer { rmdir(directory) }

do {
    let files = Files(
        sizes: [1 << 10, 1 << 20, options.isQuick ? 10 << 20 : 100 << 20], options: options, directory: directory)
    try files.compareRecordings("WAV", isFLAC: false, in: directory)
    if let memory = files.memoryDirectory {
        defer { rmdir(memory) }
        try files.compareRecordings("WAV, kept in memory by the system", isFLAC: false, in: memory)
    }
    try files.compareRecordings("FLAC", isFLAC: true, in: directory)
    try files.compareTemporary()
}
