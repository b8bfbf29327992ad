import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

@Suite(.serialized) struct ALSAPulseTests {
    @Test func opens() throws {
        let server = try PulseServer()
        server.useInThisProcess()
        let stream = try ALSASource(device: server.device).open(
            CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
        print(stream.report)
        try stream.start()
        let wakeUp = try CaptureWakeUp()
        var bytes = [UInt8](repeating: 0, count: 320)
        var reads = 0
        while reads < 10 {
            try stream.wait(orFor: wakeUp)
            var span = bytes.mutableSpan
            // SAFETY: any bytes are valid samples.
            var raw = unsafe span.mutableBytes
            let r = try stream.read(into: &raw)
            print(r)
            reads += 1
        }
        stream.close()
        server.stop()
    }
}
