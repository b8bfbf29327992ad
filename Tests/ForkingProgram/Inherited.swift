import Foundation
import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore

/// All that the library gives and that a fork inherits.
struct Inherited {
    let processor: AudioProcessor
    let microphone: AudioProcessor
    let subscription: AudioSubscription
    let ring: BoundedAudioBuffer
    let writer: RecordingWriter
    let watch: DeviceWatch
    let recording: Recording
    let notifier: DescriptorNotifier
    let parent = getpid()

    /// Everything at once, in a fork.
    func useInChild() throws {
        let maps = try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n")
        // The recording's, which is mapped twice.
        expect(maps.count { $0.contains("voice-audio-ring") } == 2, "a fork has rings of its parent's")
        let clock = SystemClock()
        let began = clock.now
        for processor in [processor, microphone] { expectProcessorRefuses(processor) }

        expectRefusal("next()", by: parent) { _ = try subscription.next(timeout: .seconds(5)) }
        subscription.cancel()
        expectRefusal("popFirst()", by: parent) { _ = try ring.popFirst() }
        expectRefusal("waitForChunks()", by: parent) { _ = try ring.waitForChunks(timeout: .seconds(5)) }
        expectRefusal("takeProducer()", by: parent) { _ = try ring.takeProducer() }
        expectRefusal("takeConsumer()", by: parent) { _ = try ring.takeConsumer() }
        expect(ring.append([Int16](repeating: 7, count: 100)) == .refused(.closed), "append() in a fork")
        expect(ring.forceCleanup() == 0, "forceCleanup() in a fork")
        expectRefusal("append to a recording", by: parent) {
            try recording.withBytes { (bytes) throws(AudioError) in try writer.append(bytes) }
        }
        expectRefusal("updateHeader()", by: parent) { try writer.updateHeader() }
        expectRefusal("finish()", by: parent) { try writer.finish() }
        expectRefusal("next() of a watch", by: parent) { _ = try watch.next(timeout: .seconds(5)) }
        _ = (watch.cards, watch.defaultDevice, watch.descriptor)
        watch.end()
        expect(recording.numbers == Array(0..<1000), "the recording's frames in a fork: \(recording.numbers.count)")
        try recording.withTemporaryWAV(named: true) { wav in expect(exists(wav.path), "no \(wav.path)") }
        // Seconds would mean that a deadline ended it.
        let taken = began.duration(to: clock.now)
        expect(taken < .seconds(2), "a fork needed \(taken) for calls that are to return at once")
    }

    private func expectProcessorRefuses(_ processor: AudioProcessor) {
        if case .failed(let error) = processor.state {
            expect(error.message.contains("process \(parent)"), "state: \(error)")
        } else {
            complain("in a fork the state is \(processor.state)")
        }
        expectRefusal("arm()", by: parent) { try processor.arm() }
        expectRefusal("start()", by: parent) { try processor.start() }
        expectRefusal("stop()", by: parent) { _ = try processor.stop() }
        _ = (processor.memoryUsage, processor.statistics, processor.level, processor.captureReport)
        _ = processor.forceCleanupBuffers()
        processor.cleanup()
        expect(processor.state == .idle, "after cleanup() in a fork the state is \(processor.state)")
    }
}
