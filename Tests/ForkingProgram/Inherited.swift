import Foundation
import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore

/// Gives nothing back; no fork calls it.
final class Handler: MemoryCleanupHandler {
    let cleanupName = "handler"
    let cleanupPriority = 0
    func freeMemory(_ stage: MemoryCleanupStage) -> Int { 0 }
}

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
    let memory: InheritedMemory
    let monitor: MemoryPressureMonitor
    let handler: Handler
    let parent = getpid()

    /// Everything at once, in a fork.
    func useInChild() throws {
        // Foundation reads a page of such a file, and takes it for the whole.
        let maps = (KernelFiles.text(ofFile: "/proc/self/maps", limit: .max) ?? "").split(separator: "\n")
        // The recording's, which is mapped twice.
        expect(maps.count { $0.contains("voice-audio-ring") } == 2, "a fork has rings of its parent's")
        // All that waits would do so for longer than the alarm lets it.
        for processor in [processor, microphone] { expectProcessorRefuses(processor) }

        expectRefusal("next()", by: parent) { _ = try subscription.next(timeout: Limits.wait) }
        subscription.cancel()
        expectRefusal("popFirst()", by: parent) { _ = try ring.popFirst() }
        expectRefusal("waitForChunks()", by: parent) { _ = try ring.waitForChunks(timeout: Limits.wait) }
        expectRefusal("takeProducer()", by: parent) { _ = try ring.takeProducer() }
        expectRefusal("takeConsumer()", by: parent) { _ = try ring.takeConsumer() }
        expect(ring.append([Int16](repeating: 7, count: 100)) == .refused(.closed), "append() in a fork")
        expect(ring.forceCleanup() == 0, "forceCleanup() in a fork")
        expectRefusal("append to a recording", by: parent) {
            try recording.withBytes { (bytes) throws(AudioError) in try writer.append(bytes) }
        }
        expectRefusal("updateHeader()", by: parent) { try writer.updateHeader() }
        expectRefusal("finish()", by: parent) { try writer.finish() }
        expectRefusal("next() of a watch", by: parent) { _ = try watch.next(timeout: Limits.wait) }
        _ = (watch.cards, watch.defaultDevice, watch.descriptor)
        watch.end()
        expect(recording.numbers == Array(0..<1000), "the recording's frames in a fork: \(recording.numbers.count)")
        try recording.withTemporaryWAV(named: true) { wav in expect(exists(wav.path), "no \(wav.path)") }
        memory.useInChild(of: parent)
        expect(ThreadSupervisor.threads.isEmpty, "a fork has threads of its parent's")
        expect(ThreadSupervisor.stopAll(deadline: .seconds(5)).isEmpty, "a fork waits for threads of its parent's")
        try expectMonitorBeginsAnew()
    }

    /// It samples by itself here, and has a thread only where it is started here.
    private func expectMonitorBeginsAnew() throws {
        expect(monitor.status.limitBytes > 0, "a monitor in a fork knows of no memory")
        expect(ProcessCounts.threads(named: "va-pressure") == 0, "a monitor has a thread in a fork")
        try monitor.start()
        let hasBegun = eventually { ProcessCounts.threads(named: "va-pressure") == 1 }
        expect(hasBegun, "threads in a fork: \(ProcessCounts.threadNames)")
        expect(monitor.stop(deadline: Limits.wait), "a monitor that was started in a fork does not stop")
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
