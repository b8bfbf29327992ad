import Foundation
import TestSupport
import VoiceAudioCore
import VoiceAudioIO

extension CaptureStream {
    /// One read into fresh memory; the samples it brought.
    func readSamples(frameCount: Int = 160) throws(AudioError) -> (result: CaptureRead, samples: [Int16]) {
        var samples = [Int16](repeating: 0, count: frameCount)
        var span = samples.mutableSpan
        // SAFETY: any bytes are valid samples.
        var bytes = unsafe span.mutableBytes
        let result = try read(into: &bytes)
        guard case .frames(let count, _) = result else { return (result, []) }
        return (result, Array(samples.prefix(count)))
    }
}

/// Runs `body` with an ALSA configuration of the test's own on top of the system's, in this process.
func withALSAConfiguration<Result>(
    _ text: String, in directory: String, _ body: () throws -> Result
) throws -> Result {
    let path = directory + "/asound.conf"
    try ("</usr/share/alsa/alsa.conf>\n" + text).write(toFile: path, atomically: true, encoding: .utf8)
    let before = changeProcessEnvironment(["ALSA_CONFIG_PATH": path])
    defer { changeProcessEnvironment(before) }
    return try body()
}
