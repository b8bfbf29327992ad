import Synchronization
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

/// How many there were.
private let microphoneCount = Atomic(0)

/// Runs `body` with the name of a numbered PCM with these fields, which no other has: a script of faults begins anew.
func withNumberedMicrophone<Result>(_ fields: String, _ body: (String) throws -> Result) throws -> Result {
    let name = "voiceaudio_numbered_\(microphoneCount.add(1, ordering: .relaxed).newValue)"
    return try withTemporaryDirectory { directory in
        try withALSAConfiguration(numberedConfiguration(fields, name: name), in: directory) { try body(name) }
    }
}

/// The first chunks that a capture of the device brings, whole way: capture thread, rechunking, history.
///
/// - Returns: The chunks, and what the capture said that it opened.
func captureChunks(
    _ count: Int, from device: String, format: AudioFormat, chunkFrameCount: Int
) throws -> (chunks: [AudioChunk], report: CaptureReport) {
    let clock = SystemClock()
    let chunkBytes = chunkFrameCount * format.bytesPerFrame
    // What comes after the first chunks is refused.
    let history = try BoundedAudioBuffer(
        maxChunks: count, maxBytes: count * chunkBytes, overflow: .uniform(.dropNewest), format: format,
        maxChunkBytes: chunkBytes)
    let deadline = clock.now.advanced(by: .seconds(60))
    let plan = CapturePlan(
        source: ALSASource(device: device), request: CaptureRequest(format: format, chunkFrameCount: chunkFrameCount))
    let capture = try Capture(plan, history: history, by: deadline, abort: try WakeUp(), abandon: { _ in })
    let result = try history.waitForChunks(count, timeout: .seconds(60))
    guard capture.stop(by: deadline) else { throw Unexpected("the capture thread does not end") }
    guard result == .ready else { throw Unexpected("\(history.count) chunks: \(result), \(capture.outcome)") }
    return (try history.drain(), capture.report)
}
