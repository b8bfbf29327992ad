// What it costs to look: at a capture's counts and memory, and at a program with 256 sessions.
import FoundationEssentials
import Glibc
import Measuring
import VoiceAudio
import VoiceAudioMonitor

let options = Options()
let rounds = options.rounds ?? (options.isQuick ? 20 : 200)
var table = Table("Reports", columns: ["what", "µs", "quarters, µs", "processor, µs", "goal"])

/// Adds what a look takes, in microseconds: the median of `rounds`, each the mean of `count` looks.
@MainActor func add(_ name: String, goal: (microseconds: Double, name: String)?, count: Int = 1, look: () -> Double) {
    _ = look()
    var processor: [Double] = []
    let times = Series(
        (0..<rounds).map { _ in
            let before = processorSeconds()
            let time = look() / Double(count)
            processor.append(1e6 * (processorSeconds() - before) / Double(count))
            return time
        })
    table.add(
        name, short(times.median), "\(short(times.quantile(0.25))) to \(short(times.quantile(0.75)))",
        short(Series(processor).median),
        goal.map { "\($0.name): \(times.median <= $0.microseconds ? "met" : "missed")" } ?? "")
}

/// Microseconds of `count` times `body`.
func time(_ count: Int = 1, _ body: () -> Void) -> Double {
    1e6 * seconds { for _ in 0..<count { body() } }
}

/// Frames that arrive: 100 ms, `count` times.
func fill(_ source: PushSource, count: Int) {
    for _ in 0..<count {
        guard source.push([Int16](repeating: 1000, count: 1600)) == .taken else { fatalError("refused") }
    }
}

// One capture whose history is full, as it is for most of a program's life: 30 s by default.
let format = StreamFormat(sampleRateHz: 16_000, channelCount: 1, encoding: .pcm(.s16))
let source = PushSource(format: format)
let processor = AudioProcessor(source: source)
try processor.arm()
fill(source, count: 310)
var frames = 0
add("`statistics` of a capture", goal: (0.1, "100 ns"), count: 10_000) {
    time(10_000) { frames += processor.statistics.framesDelivered }
}
add("`memoryUsage` of it, a history of 30 s", goal: (10, "10 µs"), count: 100) {
    time(100) { frames += processor.memoryUsage.bufferSize }
}
guard frames > 0 else { fatalError("nothing was captured") }
processor.cleanup()

// A program with 256 sessions.
let sessionCount = 256
let calls = SessionRegistry(
    limits: .init(sessions: sessionCount, memory: .mebibytes(64)), expectedDuration: .seconds(3600))
for number in 0..<sessionCount {
    fill(try calls.begin("call-\(number)", source: PushSource(format: format)).source, count: 80)
}
let monitor = MemoryPressureMonitor()
let reporter = SystemReporter(monitor: monitor)
reporter.add(calls)
var sessions = 0
add("`report()`, \(sessionCount) sessions", goal: nil) {
    time { sessions += reporter.report().registries[0].sessions.count }
}
add("`liveReport()`", goal: nil) { time { sessions += reporter.liveReport().processors.count } }
let report = reporter.report()
add("`report()` as JSON, without making it", goal: nil) {
    time { sessions += (try? JSONEncoder().encode(report).count) ?? 0 }
}
guard sessions > 0 else { fatalError("there are no sessions") }

let server = MonitorServer(reporter)
try server.start()
let client = Client(server.url ?? "")
add("GET /healthz: the way there and back alone", goal: nil) { time { _ = client.get("/healthz") } }
let page = client.get("/metrics")
guard String(decoding: page, as: UTF8.self).contains("session=\"call-\(sessionCount - 1)\"") else {
    fatalError("no page")
}
add("GET /metrics, \(page.count / 1000) kB, the report not older than 100 ms", goal: nil) {
    time { _ = client.get("/metrics") }
}
add("GET /metrics, with a report made for it", goal: (5000, "5 ms")) {
    // A report serves for 100 ms.
    usleep(110_000)
    return time { _ = client.get("/metrics") }
}
_ = server.stop()
_ = calls.endAll()
table.print(
    note: """
        \(rounds) looks each, of the first two the means of many; medians of the time and of a processor's. Less is better. /metrics is the whole page over HTTP on the \
        loopback, a connection each time; without HTTP it is what remains when that of /healthz is taken off.
        """)
