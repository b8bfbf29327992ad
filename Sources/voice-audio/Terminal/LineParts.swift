/// A part of a line that has to fit a width.
struct LinePart: Equatable {
    let text: String
    /// Parts of the highest rank are left out first; those of rank 0 stay.
    let rank: Int

    init(_ text: String, rank: Int) {
        self.text = text
        self.rank = rank
    }
}

extension [LinePart] {
    /// Columns of all, side by side.
    var columnCount: Int { joined.count }

    var joined: String { map(\.text).joined(separator: LiveText.gap) }

    /// Without as many parts as it takes to fit.
    func fitting(_ columnCount: Int) -> [LinePart] {
        var parts = self
        while parts.columnCount > columnCount, let rank = parts.map(\.rank).max(), rank > 0 {
            parts.removeAll { $0.rank == rank }
        }
        return parts
    }
}
