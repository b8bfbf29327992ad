import Foundation
import TestSupport
import Testing
import VoiceAudio

/// A full disk ends a recording, and nothing else.
@Suite(.timeLimit(.minutes(5))) struct RecordingFullDiskTests {
    @Test(arguments: ["wav", "flac", "opus"])
    func theCaptureGoesOnAndTheOthersGetEveryChunk(suffix: String) throws {
        guard let disk = SmallDisk(kilobytes: 64) else { return }
        let clock = ManualClock()
        let processor = AudioProcessor(source: SimulatedSource(toneHz: 440), clock: clock)
        defer { processor.cleanup() }
        let recorded = try processor.subscribe(chunks: 10)
        let other = try processor.subscribe(chunks: 10)
        try processor.arm()
        let path = disk.path + "/a." + suffix
        let writer = try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0, clock: clock)
        var failure: AudioError?
        var positions: [Int] = []
        // Opus at 32 kbit/s takes 16 s for the disk.
        for step in 0..<400 {
            if step == 200 { disk.fill() }
            #expect(clock.waitUntilWaiting())
            clock.advance(by: .milliseconds(100))
            let chunk = try #require(try recorded.next(timeout: .seconds(60)))
            do throws(AudioError) {
                if failure == nil { try writer.append(chunk) }
            } catch {
                failure = error
            }
            positions.append(try #require(try other.next(timeout: .seconds(60))).framePosition)
        }
        #expect(failure?.code == .diskFull)
        #expect(failure?.message.contains(path) == true)
        #expect(positions == (0..<400).map { $0 * 1600 })
        #expect(processor.state == .ready)
        #expect(processor.statistics.framesDelivered >= 640_000)
        #expect(throws: AudioError.self) { try writer.finish() }
        #expect(writer.frameCount > 16_000)
        #expect(try SoundFileReader(path: path).frameCount == writer.frameCount)
    }
}
