// Records two seconds and hands them, as a WAV that no crash can leave behind, to a program that reads such files.
//
//     swift run RecordAndTranscribe [PROGRAM ARGUMENT…]
//
// The file's path becomes the last argument of the program, for instance a speech recogniser; without one, `wc -c` counts
// the file's bytes. VOICE_AUDIO_DEVICE=sim: stands in for a microphone.
import Glibc
import VoiceAudio

do {
    let processor = try AudioProcessor(configuration: .init(environment: .process))
    try processor.arm()
    sleep(1)  // The history rolls: wait for the wake word here.
    try processor.start(preRoll: .milliseconds(500))
    sleep(2)  // The user speaks.
    let recording = try processor.stop()
    print("recorded \(recording.duration)")

    let text = try recording.withTemporaryWAV { wav in try transcribe(path: wav.path) }
    print(text, terminator: "")
    if recording.losses.totalFrames > 0 { print(recording.losses) }
} catch {
    print("failed: \(error)")
    exit(1)
}

/// Runs the program on the file and answers what it prints.
func transcribe(path: String) throws -> String {
    let program = CommandLine.arguments.count > 1 ? CommandLine.arguments.dropFirst().joined(separator: " ") : "wc -c"
    guard let output = popen("\(program) '\(path)'", "re") else { throw ProgramFailed(program: program, status: errno) }
    var bytes: [UInt8] = []
    while case let byte = getc(output), byte != EOF { bytes.append(UInt8(byte)) }
    let status = pclose(output)
    guard status == 0 else { throw ProgramFailed(program: program, status: status) }
    return String(decoding: bytes, as: UTF8.self)
}

struct ProgramFailed: Error {
    var program: String
    var status: Int32
}
