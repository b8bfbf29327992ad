/// Keeps bursts of one message from filling a log: a line passes once, and lines like it within a window are counted.
///
/// ```swift
/// let sink = CollapsingLogSink(JournalSink())
/// // session refused
/// // session refused (311 times more in 9.8 s)
/// ```
///
/// Alike are lines of the same level, message and source, whatever their metadata: the count comes with that of the last one.
/// It is told when the next line of any kind comes after the window's end, or by ``flush()``, which a program calls before it
/// ends; there is no thread for it. A line of more than 4 KiB, metadata included, passes as it is. So does every line in a
/// fork of the process (without exec).
///
/// Holds `capacity` messages at most, so 4 KiB × `capacity`; the oldest one's window ends early where there is another.
///
/// > Concurrency: Safe from any thread. The sink beneath is called on the logging thread, with no lock held.
///
/// > Real-time: Not safe: takes a lock, allocates.
public final class CollapsingLogSink: AudioLogSink {
    private static let longestByteCount = 4096

    private let sink: any AudioLogSink
    private let window: Duration
    private let capacity: Int
    private let clock: any AudioClock
    private let bursts = Lock(Bursts())
    private let owner = OwningProcess()

    /// Makes a sink that passes lines on to `sink`.
    ///
    /// - Parameters:
    ///   - window: How long lines like the first one are counted.
    ///   - capacity: The most messages at a time; at least 1.
    ///   - clock: What windows are measured with.
    public init(
        _ sink: any AudioLogSink, window: Duration = .seconds(10), capacity: Int = 256,
        clock: any AudioClock = SystemClock()
    ) {
        self.sink = sink
        self.window = window
        self.capacity = max(1, capacity)
        self.clock = clock
    }

    deinit { flush() }

    public func log(
        level: AudioLogLevel, message: @autoclosure () -> String, metadata: @autoclosure () -> [String: String],
        source: @autoclosure () -> String
    ) {
        let line = Line(level: level, message: message(), source: source())
        let metadata = metadata()
        guard owner.isCurrent else { return pass(line, metadata) }
        let byteCount = metadata.reduce(line.message.utf8.count + line.source.utf8.count) {
            $0 + $1.key.utf8.count + $1.value.utf8.count
        }
        let (ended, isRepeated) = bursts.withLock { bursts in
            // Under the lock: of two who log at once, the later one has the later time.
            let now = clock.now
            var ended = bursts.endAll { $0.start.duration(to: now) >= window }
            guard byteCount <= Self.longestByteCount else { return (ended, false) }
            if bursts.count(line, metadata, at: now) { return (ended, true) }
            if bursts.count == capacity { ended += bursts.endOldest() }
            bursts.begin(line, at: now)
            return (ended, false)
        }
        for burst in ended { tell(burst) }
        if !isRepeated { pass(line, metadata) }
    }

    /// Tells what was counted, and ends all windows.
    public func flush() {
        guard owner.isCurrent else { return }
        for burst in bursts.withLock({ $0.endAll { _ in true } }) { tell(burst) }
    }

    private func tell(_ burst: Burst) {
        guard burst.repeatCount > 0 else { return }
        let tenths = Int(10 * (burst.start.duration(to: burst.newest) / .seconds(1)))
        let times = burst.repeatCount == 1 ? "once" : "\(burst.repeatCount) times"
        var line = burst.line
        line.message += " (\(times) more in \(tenths / 10).\(tenths % 10) s)"
        pass(line, burst.metadata)
    }

    private func pass(_ line: Line, _ metadata: [String: String]) {
        sink.log(level: line.level, message: line.message, metadata: metadata, source: line.source)
    }
}

private struct Line: Hashable {
    let level: AudioLogLevel
    var message: String
    let source: String
}

/// Lines alike within one window.
private struct Burst {
    let line: Line
    let start: MonotonicInstant
    var newest: MonotonicInstant
    var repeatCount = 0
    var metadata: [String: String] = [:]
}

/// The windows that are open, numbered in the order in which they began: that in which they end, too.
private struct Bursts {
    private var bursts: [Int: Burst] = [:]
    private var numbers: [Line: Int] = [:]
    private var oldest = 0

    var count: Int { bursts.count }

    /// Counts a line whose window is open; otherwise it answers `false`.
    mutating func count(_ line: Line, _ metadata: [String: String], at now: MonotonicInstant) -> Bool {
        guard let number = numbers[line], var burst = bursts[number] else { return false }
        burst.repeatCount += 1
        burst.newest = now
        burst.metadata = metadata
        bursts[number] = burst
        return true
    }

    mutating func begin(_ line: Line, at now: MonotonicInstant) {
        let number = oldest + bursts.count
        bursts[number] = Burst(line: line, start: now, newest: now)
        numbers[line] = number
    }

    mutating func endOldest() -> [Burst] {
        guard let burst = bursts.removeValue(forKey: oldest) else { return [] }
        numbers[burst.line] = nil
        oldest += 1
        return [burst]
    }

    /// Ends windows from the oldest on, as long as `condition` holds.
    mutating func endAll(while condition: (Burst) -> Bool) -> [Burst] {
        var ended: [Burst] = []
        while let burst = bursts[oldest], condition(burst) { ended += endOldest() }
        return ended
    }
}
