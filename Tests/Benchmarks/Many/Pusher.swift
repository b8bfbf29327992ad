import Foundation
import Synchronization
import VoiceAudio

/// A thread that pushes a packet of 20 ms into each source in real time: packets of different calls come one after the
/// other, evenly.
final class Pusher: Sendable {
    private let sources: [PushSource]
    private let isOver = Atomic(false)
    private let pushed = Atomic(0)

    init(_ sources: [PushSource]) { self.sources = sources }

    /// Packets that were pushed, into all of them.
    var pushedPackets: Int { pushed.load(ordering: .acquiring) }

    /// Starts the thread. It ends the sources when it is over.
    func start() {
        Thread {
            self.push()
            for source in self.sources { source.finish() }
        }.start()
    }

    func end() { isOver.store(true, ordering: .relaxed) }

    private func push() {
        let clock = SystemClock()
        let packet = [Int16](repeating: 1000, count: Job.chunkFrames)
        let packetTime = Duration.milliseconds(20)
        let start = clock.now
        var number = 0
        while !isOver.load(ordering: .relaxed) {
            let (round, index) = number.quotientAndRemainder(dividingBy: sources.count)
            let due = start.advanced(by: packetTime * round + packetTime * index / sources.count).nanoseconds
            var time = timespec(tv_sec: Int(due / 1_000_000_000), tv_nsec: Int(due % 1_000_000_000))
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
            guard sources[index].push(packet, captureTime: clock.now) == .taken else { fatalError("refused") }
            number += 1
        }
        pushed.store(number, ordering: .releasing)
    }
}
