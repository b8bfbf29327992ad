// What a ResultCollector, SQLite and a file a result take to write and to read back the same results, in turn in one run.
import FoundationEssentials
import Glibc
import Measuring
import VoiceAudioMemory

let options = Options()
let directory = (getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp") + "/voice-audio-results-\(getpid())"
guard mkdir(directory, 0o700) == 0 else { fatalError("\(directory) cannot be made") }
defer { rmdir(directory) }
let count = options.isQuick ? 20_000 : 1_000_000
let rounds = options.rounds ?? (options.isQuick ? 2 : 4)
let work = Work(count: count, directory: directory)
/// Creating a million files takes minutes.
let fewer = Work(count: options.isQuick ? 500 : 20_000, directory: directory)

/// Writes all of it to the disk but for what memory may hold, and reads it.
func collect<Value>(
    _ work: Work, make: ([UInt8]) -> Value, look: (Value) -> [UInt8]
) throws -> Cost where Value: Codable & Sendable {
    let results = ResultCollector<Value>(
        budget: .bytes(work.memoryBytes), spill: ResultSpill(directory: work.directory, maximumBytes: 1 << 40))
    let write = try seconds {
        for number in 0..<work.count { try results.append(make(work.value(number))) }
        // The rest, too: SQLite writes all.
        _ = try results.freeMemory(.shrink)
    }
    var check = Check(work)
    let read = try seconds { for result in results { check.look(look(try result.get())) } }
    check.finish()
    return Cost(write: write, read: read, of: work)
}

/// One of those that are compared.
struct Contestant {
    let name: String
    var goal: Double?
    let run: () throws -> Cost
}

/// Gives each its turn, and prints what they took. The first is ours.
func compare(_ title: String, _ contestants: [Contestant], missing: Missing? = nil, note: String) throws {
    var costs = contestants.map { _ in [Cost]() }
    // Forth and back, so that none is always after the same other; the first round does not count.
    for round in 0...rounds {
        for index in round.isMultiple(of: 2) ? Array(contestants.indices) : contestants.indices.reversed() {
            let cost = try contestants[index].run()
            if round > 0 { costs[index].append(cost) }
        }
    }
    var table = Table(
        title,
        columns: ["contestant", "write, µs", "read, µs", "× ours: write", "× ours: read", "× ours: both", "goal"])
    func median(_ costs: [Cost], _ part: (Cost) -> Double) -> String { short(Series(costs.map(part)).median) }
    func ratio(_ costs: [Cost], to ours: [Cost], _ part: (Cost) -> Double) -> Series {
        pairedRatios(costs.map(part), to: ours.map(part))
    }
    for (contestant, cost) in zip(contestants, costs) {
        let (write, read) = (median(cost) { $0.write }, median(cost) { $0.read })
        guard contestant.name != contestants[0].name else {
            table.add(contestant.name, write, read, "1", "1", "1")
            continue
        }
        let both = ratio(cost, to: costs[0]) { $0.both }
        table.add(
            contestant.name, write, read, short(ratio(cost, to: costs[0]) { $0.write }.median),
            short(ratio(cost, to: costs[0]) { $0.read }.median), spread(both),
            contestant.goal.map { "\(short($0)): \(both.median >= $0 ? "met" : "missed")" } ?? "")
    }
    if let missing { table.add(missing: "SQLite", because: missing.reason) }
    table.print(note: note)
}

var peers: [Contestant] = []
var missing: Missing?
do throws(Missing) {
    let sqlite = try SQLitePeer(in: options.peers)
    peers = [(nil, 4), ("OFF", 4), ("OFF", 16), ("OFF", 64), ("WAL", 4), ("WAL", 16)].map { journal, kibibytes in
        let settings = SQLitePeer.Settings(journal: journal, pageBytes: kibibytes << 10)
        return Contestant(name: settings.name, goal: 2) { sqlite.run(settings, work) }
    }
} catch {
    missing = error
}
let ours = Contestant(name: "ResultCollector, 20 MiB") {
    try collect(work, make: { $0 }, look: { $0 })
}
let files = FilePeer()
let fileEach = Contestant(name: "a file a result", goal: 20) {
    try files.run(fewer, encode: { $0 }, decode: { $0 })
}
try compare(
    "Results of 1 KiB, as bytes", [ours] + peers + [fileEach], missing: missing,
    note: """
        \(count) results written and read back, of a file a result \(fewer.count); \(rounds) turns each, medians a result. \
        More times ours is better for us. SQLite has 20 MiB for its cache, too, and a thousand results a transaction.
        """)

let encoder = JSONEncoder()
let decoder = JSONDecoder()
try compare(
    "Results that are made JSON",
    [
        Contestant(name: "ResultCollector, 20 MiB") {
            try collect(fewer, make: SpokenText.init, look: { Array($0.text.utf8) })
        },
        Contestant(name: "a JSON file a result", goal: 20) {
            try files.run(
                fewer, encode: { Array(try encoder.encode(SpokenText($0))) },
                decode: { Array(try decoder.decode(SpokenText.self, from: Data($0)).text.utf8) })
        },
    ],
    note: """
        \(fewer.count) results, made JSON and read from it by the same encoder on both sides. That is most of what the \
        collector takes, which no way of keeping the bytes could change: so 20 is out of reach here.
        """)
files.removeAll()
