import Glibc
import TestSupport

/// What the process holds, second by second; and whether that stays level.
struct Levels {
    private struct Sample {
        var residentKiB: Int
        var descriptors: Int
        var threads: Int
    }

    private var samples: [Sample] = []

    mutating func sample() {
        samples.append(
            Sample(
                residentKiB: ProcessCounts.residentBytes >> 10, descriptors: ProcessCounts.descriptors,
                threads: ProcessCounts.threadNames.count))
    }

    /// The medians of the second quarter and of the last, and whether the last is within its limit.
    ///
    /// The limits are for what is under way in the moment of a sample, and for pages that malloc keeps.
    func table() -> (text: String, isLevel: Bool) {
        let rows: [(name: String, path: KeyPath<Sample, Int>, limit: Int)] = [
            ("resident KiB", \.residentKiB, 4096), ("descriptors", \.descriptors, 3), ("threads", \.threads, 2),
        ]
        var text = "                second quarter   last quarter   most   limit\n"
        var isLevel = true
        let quarter = max(1, samples.count / 4)
        for row in rows {
            let values = samples.map { $0[keyPath: row.path] }
            let before = Self.median(values.dropFirst(quarter).prefix(quarter))
            let after = Self.median(values.suffix(quarter))
            let isGood = after - before <= row.limit
            isLevel = isLevel && isGood
            text += Self.left(row.name, 16) + Self.right(before, 14) + Self.right(after, 15)
            text +=
                Self.right(values.max() ?? 0, 7) + Self.right(before + row.limit, 8) + (isGood ? "" : "   GREW") + "\n"
        }
        return (text, isLevel)
    }

    private static func median(_ values: some Collection<Int>) -> Int {
        values.isEmpty ? 0 : values.sorted()[values.count / 2]
    }

    private static func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func right(_ number: Int, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - "\(number)".count)) + "\(number)"
    }
}
