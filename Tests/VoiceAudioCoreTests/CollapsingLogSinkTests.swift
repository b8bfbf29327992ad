import TestSupport
import Testing
import VoiceAudioCore

/// Bursts of one message are told once, with a count.
@Suite(.timeLimit(.minutes(5))) struct CollapsingLogSinkTests {
    private let clock = ManualClock()
    private let log = LogLines()

    private func sink(capacity: Int = 256) -> CollapsingLogSink {
        CollapsingLogSink(log, window: .seconds(10), capacity: capacity, clock: clock)
    }

    private func say(
        _ message: String, to sink: CollapsingLogSink, level: AudioLogLevel = .warning, number: Int = 0,
        source: String = "VoiceAudio"
    ) {
        sink.log(level: level, message: message, metadata: ["number": "\(number)"], source: source)
    }

    @Test func aBurstIsToldOnceAndThenCounted() {
        let sink = sink()
        for number in 1...100 {
            say("refused", to: sink, number: number)
            clock.advance(by: .milliseconds(95))
        }
        #expect(log.messages == ["refused"])
        clock.advance(by: .milliseconds(500))  // ten seconds since the first
        say("another", to: sink)
        #expect(log.messages == ["refused", "refused (99 times more in 9.4 s)", "another"])
        #expect(log.lines.map(\.level) == [.warning, .warning, .warning])
        #expect(log.lines.map(\.metadata) == [["number": "1"], ["number": "100"], ["number": "0"]])
    }

    @Test func aBurstThatGoesOnIsToldOnceAWindow() {
        let sink = sink()
        for _ in 0..<60 {
            say("refused", to: sink)
            clock.advance(by: .seconds(1))
        }
        #expect(
            log.messages
                == Array(repeating: ["refused", "refused (9 times more in 9.0 s)"], count: 6).joined().dropLast())
        sink.flush()
        #expect(log.messages.count == 12)
    }

    @Test func whatCameOnceIsNotToldAgain() {
        let sink = sink()
        say("one", to: sink)
        clock.advance(by: .seconds(11))
        say("two", to: sink)
        sink.flush()
        sink.flush()
        #expect(log.messages == ["one", "two"])
        say("two", to: sink)
        say("two", to: sink)
        clock.advance(by: .milliseconds(1))
        sink.flush()
        #expect(log.messages == ["one", "two", "two", "two (once more in 0.0 s)"])
    }

    @Test func linesOfOtherLevelsOrSourcesAreOthers() {
        let sink = sink()
        say("busy", to: sink)
        say("busy", to: sink, level: .error)
        say("busy", to: sink, source: "alsa-lib")
        #expect(log.lines.map(\.level) == [.warning, .error, .warning])
        say("busy", to: sink, level: .error)
        sink.flush()
        #expect(log.lines.count == 4 && log.lines.last?.level == .error)
    }

    @Test func whatWasCountedIsToldWhenTheSinkGoes() {
        do {
            let sink = sink()
            for _ in 0..<3 { say("refused", to: sink) }
        }
        #expect(log.messages == ["refused", "refused (2 times more in 0.0 s)"])
    }

    @Test func aLineThatFindsNoPlaceEndsTheOldestWindow() {
        let sink = sink(capacity: 2)
        for message in ["a", "a", "b", "c", "a", "a", "c"] { say(message, to: sink) }
        #expect(log.messages == ["a", "b", "a (once more in 0.0 s)", "c", "a"])
        sink.flush()
        #expect(log.messages.suffix(2) == ["c (once more in 0.0 s)", "a (once more in 0.0 s)"])
    }

    @Test func aVeryLongLinePassesAsItIs() {
        let sink = sink()
        let long = String(repeating: "x", count: 5000)
        for _ in 0..<3 { say(long, to: sink) }
        #expect(log.messages == [long, long, long])
    }

    /// Counts what comes out of it, and keeps nothing.
    private final class Tally: AudioLogSink {
        private let counts = Lock((passed: 0, counted: 0))

        var total: Int { counts.withLock { $0.passed + $0.counted } }
        var passed: Int { counts.withLock { $0.passed } }

        func log(
            level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
            source: @autoclosure () -> String
        ) {
            let words = message().split(separator: " ")
            let more = words.firstIndex(of: "more").map { index in
                words[index - 1] == "(once" ? 1 : Int(words[index - 2].dropFirst()) ?? 0
            }
            counts.withLock { counts in
                if let more { counts.counted += more } else { counts.passed += 1 }
            }
        }
    }

    @Test func eightThreadsAtOnceLoseNoLine() throws {
        let (tally, clock) = (Tally(), clock)
        let sink = CollapsingLogSink(tally, window: .seconds(1), capacity: 3, clock: clock)
        let threads = try (0..<8).map { thread in
            try ThreadResult {
                for number in 0..<5000 {
                    sink.log(
                        level: .error, message: "message \((number / 50 + thread) % 4)", metadata: [:],
                        source: "VoiceAudio")
                    if number % 100 == 0 { clock.advance(by: .milliseconds(40)) }
                }
            }
        }
        for thread in threads { try thread.value() }
        sink.flush()
        #expect(tally.total == 40_000)
        // How many depends on how the threads take turns: with four messages and three places, it may be most.
        #expect(tally.passed < 40_000)
    }

    @Test func oneBurstOfEightThreadsPassesOnce() throws {
        let sink = sink()
        let threads = try (0..<8).map { _ in
            try ThreadResult {
                for _ in 0..<1000 { sink.log(level: .error, message: "lost", metadata: [:], source: "VoiceAudio") }
            }
        }
        for thread in threads { try thread.value() }
        sink.flush()
        #expect(log.messages == ["lost", "lost (7999 times more in 0.0 s)"])
    }
}
