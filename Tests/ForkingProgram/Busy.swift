import Synchronization
import TestSupport
import VoiceAudio
import VoiceAudioCore

/// Threads that take the locks of everything as often as they can, so that a fork finds some of them taken.
final class Busy {
    private let threads: [WorkerThread]
    private let isOver: Flag

    private final class Flag: Sendable {
        let value = Atomic<Bool>(false)
        let begun = Atomic<Int>(0)
    }

    init(with inherited: Inherited) throws {
        let flag = Flag()
        let (processor, ring, watch) = (inherited.processor, inherited.ring, inherited.watch)
        let memory = inherited.memory
        let monitor = inherited.monitor
        let samples = [Int16](repeating: 1, count: 1000)
        let work: [@Sendable () -> Void] = [
            { _ = processor.memoryUsage },
            { ring.append(samples) },
            { _ = try? ring.popFirst() },
            { _ = watch.cards },
            { memory.keepBusy() },
            { _ = monitor.status },
            { _ = try? DescriptorNotifier.running() },
        ]
        threads = try work.map { work in
            try WorkerThread(name: "busy") {
                for _ in 0..<Self.roundsBefore { work() }
                flag.begun.wrappingAdd(1, ordering: .relaxed)
                while !flag.value.load(ordering: .relaxed) { work() }
            }
        }
        isOver = flag
        // What Swift does at the first use of a type is under locks of its own, and a fork that finds one of them taken hangs
        // where it first uses something itself. So all has been used often: a ring that is empty and full, a sample of memory
        // that is the first, and one that follows others.
        let began = SystemClock().now
        let isFamiliar = eventually {
            flag.begun.load(ordering: .relaxed) == threads.count
                && began.duration(to: monitor.status.sampledAt ?? began) > Self.sampledBefore
        }
        guard isFamiliar else {
            throw GivenUp("of \(threads.count) threads only \(flag.begun.load(ordering: .relaxed)) got through")
        }
    }

    private static let roundsBefore = 200
    private static let sampledBefore = Duration.seconds(1)

    func end() {
        isOver.value.store(true, ordering: .relaxed)
        let clock = SystemClock()
        for thread in threads { _ = thread.join(by: clock.now.advanced(by: Limits.wait), clock: clock) }
    }
}
