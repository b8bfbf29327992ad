// Captures with 32 processors into files in the directory named by its first argument, holds named temporary WAV files, and
// has a shutdown hook. Prints "ready", and then waits for a signal, or for the end of its input, at which it exits with 0.
//
// Once captures have stopped it writes to `expected`, a line for each file, how many frames were captured. Further arguments:
//   hang      one capture does not return from its read
//   lazy      the readers take all chunks, and leave their files open
//   stuck     an action never returns; the deadline is as late as can be
//   leaver    an action calls exit()
//   mute      the log's sink never returns
//   exits     as handler, but by exit() with status 8
//   handler   there was a handler for SIGTERM before, which ends the process with status 7
//   fork      a fork is sent SIGTERM, and must end by it alone; its parent prints "forked" then
import Glibc
import Synchronization
import TestSupport
import VoiceAudio
import VoiceAudioCore

guard CommandLine.arguments.count >= 2 else { fatalError("usage: ShutdownProgram DIRECTORY [hang|lazy|…]") }
let directory = CommandLine.arguments[1]
let modes = Set(CommandLine.arguments.dropFirst(2))

// A fault must not be waited for for ever.
alarm(240)
let progress = Progress()
endAtSIGTERM(modes.contains("handler") ? { _ in _exit(7) } : modes.contains("exits") ? { _ in exit(8) } : SIG_DFL)
let hangs = !modes.isDisjoint(with: ["hang", "leaver", "mute"])
try ShutdownHook.install(
    deadline: modes.contains("stuck") ? .seconds(Int64.max) : hangs ? .seconds(20) : .seconds(60),
    logSink: modes.contains("mute") ? HangingSink() : StandardErrorSink())

let recorders = try (0..<32).map {
    try Recorder(
        number: $0, in: directory, isLazy: modes.contains("lazy") && $0 % 4 < 2, progress: progress)
}
let silent = ScriptedSource()
let hanging = AudioProcessor(source: silent, configuration: .scripted())
if modes.contains("hang") {
    try hanging.arm()
    silent.push(.hang)
    guard silent.waitUntilHanging() else { fatalError("the source does not hang") }
}
for _ in 0..<4 {
    _ = try WorkerThread(name: "holder") { [progress, directory] in
        let samples = [Int16](repeating: 1, count: 1000)
        try? withTemporaryWAV(
            samples: samples, format: .speech, named: true, directory: directory, minimumFreeBytes: 0
        ) { _ in
            progress.files.wrappingAdd(1, ordering: .relaxed)
            while true { pause() }
        }
    }
}
ShutdownHook.addAction(named: "expected") { [recorders, directory] _ in note(recorders, in: directory) }
if modes.contains("stuck") {
    ShutdownHook.addAction(named: "stuck") { _ in
        say("stuck")
        while true { pause() }
    }
}
if modes.contains("leaver") { ShutdownHook.addAction(named: "leaver") { _ in exit(3) } }
let isReady = eventually {
    progress.readers.load(ordering: .relaxed) == 32 && progress.files.load(ordering: .relaxed) == 4
}
guard isReady else { fatalError("not ready within a minute") }

if modes.contains("fork") {
    // SAFETY: fork, which Swift hides, takes nothing and returns a number.
    let child = unsafe unsafeBitCast(dlsym(nil, "fork"), to: (@convention(c) () -> pid_t).self)()
    if child == 0 {
        alarm(120)
        while true { pause() }
    }
    kill(child, SIGTERM)
    var status: Int32 = 0
    // SAFETY: the kernel fills a local.
    while unsafe waitpid(child, &status, 0) < 0 && errno == EINTR {}
    say("forked \(status & 0x7F) \(recorders.allSatisfy { $0.processor.state == .ready })")
}
say("ready")
var byte: UInt8 = 0
// SAFETY: the kernel fills a local.
while unsafe read(STDIN_FILENO, &byte, 1) != 0 {}
exit(0)
