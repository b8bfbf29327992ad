import VoiceAudio
import VoiceAudioCore

/// A report that is made anew 10 times a second at most, however many ask: a flood of requests does not become a flood of
/// system calls, and processor time is told of spans that mean something.
final class RecentReport: Sendable {
    private struct Made {
        let time: MonotonicInstant
        let report: SystemReport
    }

    private static let lifetime = Duration.milliseconds(100)
    private let reporter: SystemReporter
    private let clock: any AudioClock
    private let made = Lock<Made?>(nil)

    init(_ reporter: SystemReporter, clock: any AudioClock) {
        self.reporter = reporter
        self.clock = clock
    }

    var report: SystemReport {
        made.withLock { made in
            let now = clock.now
            if let made, made.time.duration(to: now) < Self.lifetime { return made.report }
            let report = reporter.report()
            made = Made(time: now, report: report)
            return report
        }
    }
}
