/// A level as a bar from −60 to 0 dBFS, with a mark where the peak is held.
struct LevelBar {
    static let floorDBFS: Float = -60

    /// Characters between its ends.
    let cellCount: Int
    let isUTF8: Bool
    /// Whether it is green, yellow from −18 dBFS on and red from −6 on, as mixing desks have it.
    let hasColor: Bool

    /// The bar with its ends, `cellCount` + 2 characters wide.
    func text(levelDBFS: Float, peakDBFS: Float) -> String {
        let ends = isUTF8 ? ("▕", "▏") : ("[", "]")
        return ends.0 + cells(levelDBFS, peakDBFS) + ends.1
    }

    private func cells(_ levelDBFS: Float, _ peakDBFS: Float) -> String {
        let length = share(levelDBFS) * Float(cellCount)
        let markedCell = share(peakDBFS) == 0 ? nil : min(Int(share(peakDBFS) * Float(cellCount)), cellCount - 1)
        var text = ""
        var color = ""
        for cell in 0..<cellCount {
            // A mark that lies within the bar would not be seen.
            let isMarked = cell == markedCell && Float(cell) >= length
            let symbol = isMarked ? mark : filling(length - Float(cell))
            if hasColor, symbol != " ", color != self.color(ofCell: cell) {
                color = self.color(ofCell: cell)
                text += color
            }
            text.append(symbol)
        }
        return color.isEmpty ? text : text + "\u{1B}[0m"
    }

    private var mark: Character { isUTF8 ? "│" : "|" }

    /// A cell of which that much is filled, 0…1; in ASCII all or nothing.
    private func filling(_ part: Float) -> Character {
        guard isUTF8 else { return part >= 0.5 ? "=" : " " }
        let eighths = Array(" ▏▎▍▌▋▊▉█")
        return eighths[Int((min(max(part, 0), 1) * 8).rounded())]
    }

    /// Where a level lies on the scale, 0…1.
    private func share(_ decibels: Float) -> Float {
        decibels.isNaN ? 0 : min(max((decibels - Self.floorDBFS) / -Self.floorDBFS, 0), 1)
    }

    private func color(ofCell cell: Int) -> String {
        let decibels = Self.floorDBFS * (1 - Float(cell) / Float(cellCount))
        return decibels < -18 ? "\u{1B}[32m" : decibels < -6 ? "\u{1B}[33m" : "\u{1B}[31m"
    }
}
