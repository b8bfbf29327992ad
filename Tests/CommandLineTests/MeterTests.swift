import Testing
import VoiceAudio

@testable import voice_audio

/// What the line of a recording is made of, without a terminal and without waiting.
struct MeterTests {
    private let clock = ManualClock()

    private static func terminal(
        _ variables: [String: String] = ["TERM": "xterm", "LANG": "C.UTF-8"], isTerminal: Bool = true
    ) -> Terminal { Terminal(isTerminal: isTerminal) { variables[$0] } }

    private static let plain = terminal(["TERM": "xterm", "LANG": "C.UTF-8", "NO_COLOR": "1"])

    @Test func thePeakStandsAndThenFalls() {
        var hold = PeakHold()
        #expect(hold.dBFS(at: clock.now) == -.infinity)
        hold.take(-6, at: clock.now)
        clock.advance(by: .milliseconds(1500))
        #expect(hold.dBFS(at: clock.now) == -6)
        clock.advance(by: .milliseconds(500))
        #expect(abs(hold.dBFS(at: clock.now) - -16) < 0.001)
        // What is lower changes nothing; what is higher takes its place, and stands anew.
        hold.take(-20, at: clock.now)
        #expect(abs(hold.dBFS(at: clock.now) - -16) < 0.001)
        hold.take(-12, at: clock.now)
        clock.advance(by: .milliseconds(1500))
        #expect(hold.dBFS(at: clock.now) == -12)
        clock.advance(by: .seconds(10))
        #expect(abs(hold.dBFS(at: clock.now) - -212) < 0.001)
        hold.take(-.infinity, at: clock.now)
        #expect(hold.dBFS(at: clock.now) < -200)
    }

    @Test func aLineIsDueTenTimesASecondAtMost() {
        var pace = LinePace(interval: .milliseconds(100))
        var count = 0
        for _ in 0..<1000 {
            if pace.isDue(at: clock.now) { count += 1 }
            clock.advance(by: .milliseconds(1))
        }
        #expect(count == 10)
    }

    @Test func theLoudestSinceTheLastLineIsShown() {
        var sound = RecentSound()
        #expect(sound.level(at: clock.now).rms == -.infinity)
        for (frames, level) in [(100, 0.1), (200, 1), (300, 0.01)] {
            sound.take(AudioLevel(rms: Float(level), peak: Float(level)), frames: frames, at: clock.now)
        }
        #expect(sound.level(at: clock.now) == (0, 0))
        #expect(abs(sound.level(at: clock.now).rms - -40) < 0.001)
        // Nothing has come for a while: it is not as loud as it was, and the peak is still held.
        sound.take(AudioLevel(rms: 1, peak: 1), frames: 300, at: clock.now)
        clock.advance(by: .milliseconds(501))
        #expect(sound.level(at: clock.now) == (-.infinity, 0))
    }

    @Test(arguments: [
        (-Float.infinity, -Float.infinity, "[            ]"), (-60, -60, "[            ]"),
        (-30, -10, "[======    | ]"),
        (-30, -30, "[======|     ]"), (0, 0, "[============]"), (6, 6, "[============]"), (-57, 0, "[=          |]"),
        (.nan, .nan, "[            ]"),
    ])
    func barsInASCII(level: Float, peak: Float, text: String) {
        let bar = LevelBar(cellCount: 12, isUTF8: false, hasColor: false)
        #expect(bar.text(levelDBFS: level, peakDBFS: peak) == text)
    }

    @Test func barsHaveEighthsAndColours() {
        let bar = LevelBar(cellCount: 6, isUTF8: true, hasColor: false)
        #expect(bar.text(levelDBFS: -35, peakDBFS: -5) == "▕██▌  │▏")
        let colored = LevelBar(cellCount: 6, isUTF8: true, hasColor: true)
        #expect(
            colored.text(levelDBFS: -5, peakDBFS: -5)
                == "▕\u{1B}[32m█████\u{1B}[33m▌\u{1B}[0m▏")
        // Nothing to paint: no escape sequence at all.
        #expect(colored.text(levelDBFS: -60, peakDBFS: -60) == "▕      ▏")
    }

    @Test func aLineSaysAllWhereThereIsRoom() {
        var reading = LiveReading(tenths: 50, levelDBFS: -18.4, peakDBFS: -6.2, bufferSize: 2, maxBufferSize: 300)
        reading.memory = (.low, 12.3)
        let line = LiveText(terminal: Self.plain).line(reading, .bar, columnCount: 110)
        #expect(line.count == 110)
        #expect(line.hasPrefix("00:05.0  −60 ▕█"))
        #expect(line.hasSuffix("▏ 0  −18 dBFS  peak  −6  buffer   2/300  lost 0  memory low, 12 %"))
        reading.tenths = 36_050
        reading.lostFrameCount = 1600
        let short = LiveText(terminal: Self.plain).line(reading, .history([-60, -30, 0]), columnCount: 200)
        #expect(short == "1:00:05.0  ▁▅█  −18 dBFS  buffer   2/300  lost 1600  memory low, 12 %")
        reading.memory = nil
        reading.levelDBFS = -.infinity
        let ascii = LiveText(terminal: Self.terminal(["TERM": "xterm"]))
        #expect(ascii.line(reading, .history([-60, -30, 0]), columnCount: 200).utf8.allSatisfy { $0 < 0x80 })
        #expect(ascii.line(reading, .bar, columnCount: 100).contains("---"))
    }

    /// Escape sequences take no room.
    private static func shown(_ line: String) -> String { line.replacing(/\u{1B}\[[0-9]*m/, with: "") }

    @Test func aLineFitsEveryWidth() {
        var reading = LiveReading(tenths: 50, levelDBFS: -18, peakDBFS: -6, bufferSize: 2, maxBufferSize: 300)
        reading.memory = (.moderate, 71)
        let text = LiveText(terminal: Self.terminal())
        for width in 0...250 {
            let bar = Self.shown(text.line(reading, .bar, columnCount: width))
            #expect(bar.count <= width)
            #expect(text.line(reading, .history([-60, 0]), columnCount: width).count <= width)
            // What was lost is said in any terminal of use.
            if width >= 15 { #expect(bar.contains("lost 0"), "\(width)") }
            if width >= 80 { #expect(bar.contains("memory moderate, 71 %") && bar.contains("█"), "\(width)") }
        }
    }

    @Test func whatATerminalShows() {
        #expect(Self.terminal().redraws && Self.terminal().hasColor && Self.terminal().isUTF8)
        #expect(!Self.terminal(isTerminal: false).redraws)
        for type in ["dumb", ""] { #expect(!Self.terminal(["TERM": type]).redraws) }
        #expect(!Self.terminal(["LANG": "C.UTF-8"]).redraws)
        #expect(!Self.plain.hasColor && Self.plain.redraws)
        #expect(Self.terminal(["TERM": "xterm", "NO_COLOR": ""]).hasColor)
        #expect(!Self.terminal(["TERM": "xterm", "LC_ALL": "C", "LANG": "C.UTF-8"]).isUTF8)
    }
}
