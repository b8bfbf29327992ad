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
        let samples = [Int16](repeating: 1, count: 1000)
        let work: [@Sendable () -> Void] = [
            { _ = processor.memoryUsage },
            { ring.append(samples) },
            { _ = try? ring.popFirst() },
            { _ = watch.cards },
            { _ = try? DescriptorNotifier.running() },
        ]
        threads = try work.map { work in
            try WorkerThread(name: "busy") {
                work()
                flag.begun.wrappingAdd(1, ordering: .relaxed)
                while !flag.value.load(ordering: .relaxed) { work() }
            }
        }
        isOver = flag
        // What Swift does at the first use of a type is under locks of its own, which must not be taken at a fork.
        _ = eventually { flag.begun.load(ordering: .relaxed) == threads.count }
    }

    func end() {
        isOver.value.store(true, ordering: .relaxed)
        let clock = SystemClock()
        for thread in threads { _ = thread.join(by: clock.now.advanced(by: .seconds(60)), clock: clock) }
    }
}
