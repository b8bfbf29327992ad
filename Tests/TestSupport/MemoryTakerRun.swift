import Foundation

/// What `MemoryTaker` tells when it takes all the memory of a limited group.
package struct MemoryTakerRun {
    package struct Line: Equatable {
        package let level: String
        package let usedPercent: Double
        package let origin: String
        package let limitBytes: Int
        package let groupPath: String
    }

    package let lines: [Line]
    package let output: String
    package let hasSucceeded: Bool

    /// - Throws: ``MemoryLimitedGroup/Unavailable``, or what running a program throws.
    package init(limitBytes: Int) throws {
        let (process, output) = try MemoryLimitedGroup(limitBytes: limitBytes).run(
            programBesideTests("MemoryTaker"), [])
        hasSucceeded = process.terminationReason == .exit && process.terminationStatus == 0
        self.output = output
        lines = output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ").map(String.init)
            guard fields.count == 5, let percent = Double(fields[1]), let limit = Int(fields[3]) else { return nil }
            return Line(
                level: fields[0], usedPercent: percent, origin: fields[2], limitBytes: limit, groupPath: fields[4])
        }
    }

    /// Whether each level came where it is to come, by that group's limit, and went again.
    package func hasPassedEachLevel(of origin: String, limitBytes: Int) -> Bool {
        // As long as the group uses little, the machine's memory may be nearer to its end.
        guard hasSucceeded, lines.map(\.level) == ["low", "moderate", "high", "critical", "low"] else { return false }
        return zip(lines[1...3], [70.0, 80, 90]).allSatisfy { line, threshold in
            // To the mebibyte that it takes at a time, and what the kernel charges in advance.
            (threshold..<threshold + 5).contains(line.usedPercent) && line.origin == origin
                && line.limitBytes == limitBytes && line.groupPath.hasPrefix("/va-test-")
        }
    }
}
