import Foundation
import Glibc
import Synchronization
import TestSupport
import VoiceAudio
import VoiceAudioCore

/// Runs it all, prints the table, and answers whether all is well.
func runSoak(_ options: SoakOptions) throws -> Bool {
    let directory = NSTemporaryDirectory() + "/voiceaudio-soak-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try useNumberedDevice(fields: options.fields, directory: directory)

    let device = options.device ?? "soak"
    print("soak: \(options.minutes) minutes of \(device) \(options.fields)")
    let workload = try Workload(device: device, directory: directory)
    let threads = try workload.start()
    let clock = SystemClock()
    let end = clock.now.advanced(by: .seconds(1) * (options.minutes * 60))
    var levels = Levels()
    // A hundred looks at least: of few, all may fall between two captures.
    let pause = UInt32(1_000_000 * min(1, options.minutes / 2))
    while clock.now < end {
        usleep(pause)
        levels.sample()
    }
    workload.isOver.store(true, ordering: .relaxed)
    for thread in threads where !thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock) {
        workload.note("a thread did not end within a minute")
    }
    return report(workload, levels)
}

/// The device `soak`, a numbered one, in this process.
private func useNumberedDevice(fields: String, directory: String) throws {
    let programs = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    let configuration = """
        </usr/share/alsa/alsa.conf>
        pcm_type.numbered { lib "\(programs)/libasound_module_pcm_numbered.so" }
        pcm.soak { type numbered rates 16000 channels 1 \(fields) }

        """
    try configuration.write(toFile: directory + "/asound.conf", atomically: true, encoding: .utf8)
    changeProcessEnvironment(["ALSA_CONFIG_PATH": directory + "/asound.conf"])
}

private func report(_ workload: Workload, _ levels: Levels) -> Bool {
    let (table, isLevel) = levels.table()
    let account = workload.account.withLock { $0 }
    let losses = account.lostByCause.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", ")
    let problems = account.problems.prefix(20) + workload.problems.withLock { $0 }
    print(table)
    print("frames: \(account.delivered) delivered, \(account.lost) lost in \(account.gaps) gaps (\(losses))")
    print("        together \(account.delivered + account.lost) of \(account.due) due, within \(account.tolerance)")
    print(
        """
        \(workload.recordings.load(ordering: .relaxed)) recordings, \(workload.files.load(ordering: .relaxed)) files, \
        \(workload.otherCaptures.load(ordering: .relaxed)) other captures, \
        \(workload.cleanups.load(ordering: .relaxed)) clean-ups, \
        begun anew \(workload.restarts.load(ordering: .relaxed)) times
        """)
    for problem in problems { print("problem: \(problem)") }
    let isGood = isLevel && account.isComplete && problems.isEmpty
    print(isGood ? "soak: level and complete" : "soak: FAILED")
    return isGood
}
