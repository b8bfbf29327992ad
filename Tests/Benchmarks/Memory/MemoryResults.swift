import Capturing
import Foundation
import Measuring

/// What all contestants have resident in one capture.
struct MemoryResults {
    /// In MB.
    struct Memory {
        let peak: Double
        let own: Double
    }

    let title: String
    private(set) var contestants: [(name: String, memory: Result<Memory, Missing>)] = []

    init(from source: SoundServer.Source, of server: SoundServer, _ format: CaptureFormat, _ options: Options) {
        title = "\(source.rawValue), \(format)"
        var contest = Contest(format, from: source, of: server, peers: options.peers)
        // The history is one of 300 chunks: 30 s at most.
        Thread.sleep(forTimeInterval: options.isQuick ? 5 : 35)
        var memory: [ObjectIdentifier: Memory] = [:]
        contest.ask {
            memory[$0.id] = Memory(
                peak: Double(try $0.peakResidentBytes()) / 1e6, own: Double(try $0.ownResidentBytes()) / 1e6)
        }
        contest.end()
        contestants = contest.contestants.map { name, program in
            (name, program.map { memory[$0.id] ?? Memory(peak: .nan, own: .nan) })
        }
    }

    func peak(of name: String) -> Double? {
        contestants.first { $0.name == name }.flatMap { try? $0.memory.get().peak }
    }
}

/// Prints the peaks: a row a contestant, a column a capture.
func printTable(_ results: [MemoryResults]) {
    var table = Table("Resident memory", columns: ["contestant"] + results.map(\.title) + ["goal"])
    for (index, (name, _)) in results[0].contestants.enumerated() {
        let cells = results.map { results in
            switch results.contestants[index].memory {
            case .failure(let missing): return "could not run: \(missing.reason)"
            case .success(let memory):
                let ratio = results.peak(of: Contest.yardstick).map { "; \(short(memory.peak / $0))" }
                return "\(short(memory.peak))\(ratio ?? ""); \(short(memory.own))"
            }
        }
        table.add([name] + cells + [goal(of: name, results)])
    }
    table.print(
        note: """
            The highest resident memory (VmHWM) in MB, its ratio to arecord's, and what of it at the end was the process's \
            own, of no file (RssAnon and RssShmem): less is better. Code and data of shared libraries count where they \
            were touched. The library's history is full: 300 chunks, which are 0.1 MB in the first format and 5.8 MB in the second; no other keeps any. What the library takes above arecord is \
            pages of its own program, the Swift runtime and standard library in it: file pages, which the system \
            shares between processes and drops when memory gets short. It maps 16 at each first touch.
            """)
}

private func goal(of name: String, _ results: [MemoryResults]) -> String {
    let peaks = results.compactMap { $0.peak(of: name) }
    guard let most = peaks.max() else { return "" }
    switch name {
    case _ where Contest.embedded.contains(name):
        let ratios = results.compactMap { results in
            results.peak(of: Contest.yardstick).flatMap { other in results.peak(of: name).map { $0 / other } }
        }
        guard let worst = ratios.max() else { return "" }
        return "at most 1.5 × arecord: \(worst <= 1.5 ? "met" : "missed"), \(short(worst))"
    case Contest.command: return "at most 20 MB: \(most <= 20 ? "met" : "missed"), \(short(most))"
    default: return ""
    }
}
