import Glibc
import VoiceAudio

/// The line that a terminal shows while recording: time, level, fill and losses.
///
/// `00:05.0  ▂▃▅▇▅▃▂  −18 dBFS   buffer 2/300   lost 0`
struct LiveLine {
    /// Whether there is a terminal to show it.
    let isShown = isatty(STDERR_FILENO) == 1
    private var bars: [Character] = Array(repeating: " ", count: 7)

    /// Replaces the line.
    mutating func show(_ sink: RecordingSink, _ processor: AudioProcessor) {
        guard isShown else { return }
        let level = processor.level
        bars.removeFirst()
        bars.append(Self.bar(level.rmsDBFS))
        let fill = processor.memoryUsage
        let text = """
            \(Self.time(sink, processor))  \(String(bars))  \(Self.text(level.rmsDBFS)) dBFS   \
            buffer \(fill.bufferSize)/\(fill.maxBufferSize)   lost \(sink.lostFrameCount)
            """
        writeToStandardError("\r\u{1B}[K  " + text)
    }

    /// Leaves the last state standing.
    func end() { if isShown { writeToStandardError("\n") } }

    private static func time(_ sink: RecordingSink, _ processor: AudioProcessor) -> String {
        let tenths = (sink.frameCount + sink.lostFrameCount) * 10 / processor.configuration.sampleRateHz
        let seconds = tenths / 10
        func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(twoDigits(seconds / 60)):\(twoDigits(seconds % 60)).\(tenths % 10)"
    }

    /// From −60 dBFS up, in eight steps.
    private static func bar(_ decibels: Float) -> Character {
        let steps = Array(" ▁▂▃▄▅▆▇█")
        guard decibels.isFinite else { return steps[0] }
        return steps[min(max(Int((decibels + 60) / 60 * 8) + 1, 0), 8)]
    }

    private static func text(_ decibels: Float) -> String {
        guard decibels.isFinite else { return " −∞" }
        let whole = Int(decibels.rounded())
        return whole < 0 ? "−\(-whole)" : "\(whole)"
    }
}
