// Records two seconds and hands them, as a WAV that no crash can leave behind, to a program that makes text of such files.
//
//     swift run RecordAndTranscribe [PROGRAM ARGUMENT…]
//
// {wav} among the arguments stands for the file, as in `whisper-cli -np -nt -m ggml-base.bin -f {wav}`. Without a program,
// `wc -c {wav}` counts the file's bytes. VOICE_AUDIO_DEVICE=sim: stands in for a microphone.
import Glibc
import VoiceAudio

@main
struct RecordAndTranscribe {
    static func main() async {
        do {
            try await run()
        } catch {
            print("failed: \(error)")
            exit(1)
        }
    }

    private static func run() async throws {
        let words = CommandLine.arguments.dropFirst()
        let command = words.isEmpty ? ["wc", "-c", "{wav}"] : Array(words)
        let transcriber = try CommandTranscriber(command[0], arguments: Array(command.dropFirst()))

        let processor = try AudioProcessor(configuration: .init(environment: .process))
        defer { processor.cleanup() }
        try await processor.arm()
        try await Task.sleep(for: .seconds(1))  // The history rolls: wait for the wake word here.
        try await processor.start(preRoll: .milliseconds(500))
        try await Task.sleep(for: .seconds(2))  // The user speaks.
        let recording = try await processor.stop()
        print("recorded \(recording.duration)")

        let transcript = try await recording.withTemporaryWAV { wav in try await transcriber.transcribe(wav) }
        print(TranscriptSanitizer().sanitize(transcript.text))
        if recording.losses.totalFrames > 0 { print(recording.losses) }
    }
}
