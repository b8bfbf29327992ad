import VoiceAudio

/// The line that standard error shows while recording, at most ten times a second.
///
/// `00:05.0  ▂▃▅▇▅▃▂  −18 dBFS  buffer   2/300  lost 0`, and as a meter, with the peak held:
/// `00:05.0  −60 ▕██████████████▌    │     ▏ 0  −18 dBFS  peak  −6  buffer   2/300  lost 0  memory low, 12 %`
///
/// Where a line cannot be redrawn, the meter is a line a second, and there is no other.
struct LiveLine {
    /// Whether it is shown at all.
    let isShown: Bool
    /// Readable when it is to be shown again, though nothing was captured meanwhile.
    var descriptor: Int32 { timer.descriptor }

    private static let historyCount = 7

    private let terminal: Terminal
    /// Whose status the meter tells; `nil` where this is no meter.
    private let monitor: MemoryPressureMonitor?
    private let clock = SystemClock()
    private let timer: TimerDescriptor
    private var pace: LinePace
    private var sound = RecentSound()
    private var history = [Float](repeating: -.infinity, count: historyCount)

    /// - Throws: `outOfResources`.
    init(meterOf monitor: MemoryPressureMonitor?, on terminal: Terminal = .standardError) throws(AudioError) {
        self.terminal = terminal
        self.monitor = monitor
        isShown = terminal.redraws || monitor != nil
        pace = LinePace(interval: terminal.redraws ? .milliseconds(100) : .seconds(1))
        timer = try TimerDescriptor()
    }

    /// Shows how the recording stands, where it is time to.
    mutating func show(_ sink: RecordingSink, _ processor: AudioProcessor) {
        guard isShown else { return }
        let now = clock.now
        sound.take(processor.level, frames: sink.frameCount, at: now)
        guard pace.isDue(at: now) else { return }
        timer.set(to: pace.interval)
        let reading = reading(of: sink, processor, at: now)
        history.removeFirst()
        history.append(reading.levelDBFS)
        let text = LiveText(terminal: terminal)
        let picture = monitor == nil ? LiveText.Picture.history(history) : .bar
        if terminal.redraws {
            // Not into the last column, where some terminals go on to the next line.
            let room = max(0, Terminal.columnCount - Self.margin.count - 1)
            StandardError.redraw(Self.margin + text.line(reading, picture, columnCount: room))
        } else {
            StandardError.offer(Self.margin + text.line(reading, picture, columnCount: 120) + "\n")
        }
    }

    /// Leaves the last state standing.
    func end() { if isShown { StandardError.leaveLine() } }

    private static let margin = "  "

    private mutating func reading(
        of sink: RecordingSink, _ processor: AudioProcessor, at now: MonotonicInstant
    ) -> LiveReading {
        let fill = processor.memoryUsage
        let level = sound.level(at: now)
        let memory = monitor?.status
        return LiveReading(
            tenths: (sink.frameCount + sink.lostFrameCount) * 10 / processor.configuration.sampleRateHz,
            levelDBFS: level.rms, peakDBFS: level.heldPeak, bufferSize: fill.bufferSize,
            maxBufferSize: fill.maxBufferSize, lostFrameCount: sink.lostFrameCount,
            memory: memory.map { ($0.level, $0.usedPercent) })
    }
}
