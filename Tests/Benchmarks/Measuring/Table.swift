/// A table in Markdown, as `Docs/Performance.md` has it.
public struct Table {
    private let title: String
    private let columns: [String]
    private var rows: [[String]] = []

    public init(_ title: String, columns: [String]) {
        self.title = title
        self.columns = columns
    }

    public mutating func add(_ cells: String...) { add(cells) }

    public mutating func add(_ cells: [String]) { rows.append(cells) }

    /// A row for a peer that is not here, with why.
    public mutating func add(missing peer: String, because reason: String) {
        rows.append([peer, "could not run: \(reason)"])
    }

    /// Prints the table, its columns as wide as their widest cell; `note` below it.
    public func print(note: String? = nil) {
        let all = ([columns] + rows).map { $0 + Array(repeating: "", count: max(0, columns.count - $0.count)) }
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        Swift.print("\n### \(title)\n")
        for (index, cells) in all.enumerated() {
            let padded = zip(cells, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
            Swift.print("| " + padded.joined(separator: " | ") + " |")
            if index == 0 {
                Swift.print("|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|")
            }
        }
        if let note { Swift.print("\n" + note) }
    }
}

/// A number with three significant digits or so: `1234`, `12.3`, `0.123`.
public func short(_ number: Double) -> String {
    guard number.isFinite else { return "-" }
    let size = abs(number)
    let digits = size >= 100 || size == 0 ? 0.0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
    let scale = digits == 0 ? 1.0 : digits == 1 ? 10 : digits == 2 ? 100 : 1000
    let rounded = (number * scale).rounded() / scale
    return digits == 0 ? String(Int(rounded)) : String(rounded)
}

/// A ratio's median with the quarter of all above and below it: `1.31 (1.24 to 1.40)`.
public func spread(_ ratios: Series) -> String {
    "\(short(ratios.median)) (\(short(ratios.quantile(0.25))) to \(short(ratios.quantile(0.75))))"
}
