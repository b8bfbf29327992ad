// Makes temporary WAV files in the directory named by its first argument, with names and without, until it is killed.
//
// Each time that one is held it prints its path and a line feed. With a second argument it holds the first, which has a
// name, for ever.
import Glibc
import VoiceAudioCore
import VoiceAudioIO

guard CommandLine.arguments.count >= 2 else { fatalError("usage: TemporaryWAVHolder DIRECTORY [hold]") }

var isNamed = true
while true {
    let samples = [Int16](repeating: 42, count: .random(in: 1...50_000))
    try withTemporaryWAV(
        samples: samples, format: .speech, named: isNamed, directory: CommandLine.arguments[1], minimumFreeBytes: 0
    ) { wav in
        let line = wav.path + "\n"
        // SAFETY: the string lives through the call.
        guard unsafe write(STDOUT_FILENO, line, line.utf8.count) > 0 else { exit(1) }
        if CommandLine.arguments.count > 2 { pause() }
    }
    isNamed.toggle()
}
