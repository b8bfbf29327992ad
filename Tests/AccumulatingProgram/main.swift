// Works as a transcription service does: audio comes in segment by segment, and a transcript of each is kept.
//
//   AccumulatingProgram SEGMENTS               keeps everything, as the original did
//   AccumulatingProgram SEGMENTS --governed    the same work under memory governance
//
// Ends with status 0 once all transcripts have been read back and are right.
import Glibc
import VoiceAudioCore
import VoiceAudioMemory

guard CommandLine.arguments.count >= 2, let segmentCount = Int(CommandLine.arguments[1]) else {
    fatalError("usage: AccumulatingProgram SEGMENTS [--governed]")
}

do {
    if CommandLine.arguments.contains("--governed") {
        try transcribeGoverned(segmentCount)
    } else {
        transcribeAccumulating(segmentCount)
    }
} catch {
    print("failed: \(error)")
    exit(1)
}
