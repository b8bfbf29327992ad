// What many sessions and captures at once cost: processor, memory, threads, and how soon each chunk is read.
import Foundation
import Measuring

if let job = Job(CommandLine.arguments.dropFirst()) {
    print(try await job.run().line)
    exit(0)
}

let options = Options()
let device = NumberedDevice(peers: options.peers)
defer { device.removeFiles() }
let counts = options.isQuick ? [1, 16, 256] : [1, 4, 16, 64, 256]

/// Gives each rival its turn with each count, and prints the table.
@MainActor func compare(_ title: String, _ rivals: [Rival], note: String) {
    let contest = Contest(rivals, counts: counts, seconds: options.isQuick ? 1.5 : 5)
    contest.table(title, contest.run(rounds: options.rounds ?? (options.isQuick ? 1 : 4))).print(note: note)
}

compare(
    "many: pushed sessions", [.own(.pushed)],
    note: """
        Packets of 20 ms, 16 kHz mono, pushed by one thread, which counts, into `PushSource`s of a `SessionRegistry`, and
        read by a task each. Late: from the push to the task. In all columns but the first two less is better.
        """)
compare(
    "many: captures through ALSA", [.own(.plugin, device: device), .portAudio(options.peers, device: device)],
    note: """
        Chunks of 20 ms, 16 kHz mono, from a PCM each of the paced plugin, whose own work counts. VoiceAudio's are read by a
        task each; PortAudio's callback copies them on the thread that captures. Both keep the newest 6 s. Late: beyond the
        promptest chunk of the same stream. Lost: by the numbers in the frames. In all columns but the first two less is
        better. PortAudio has a buffer of 60 ms, VoiceAudio of 200 ms: with more than three chunks PortAudio hands out several
        at once; with three it may lose frames when the machine is busy.
        """)
if !options.isQuick {
    compare(
        "many: simulated captures", [.own(.simulated)],
        note: "As above, from `sim:`: without alsa-lib and the plugin.")
}
