/// Characters to insert, remove or replace on the way from one text to another (Levenshtein's distance).
///
/// - Complexity: O(*n* × *m*) in the lengths.
func editDistance(from first: String, to second: String) -> Int {
    let target = Array(second.utf8)
    var row = Array(0...target.count)
    for (line, character) in first.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = line + 1
        for column in target.indices {
            let replaced = diagonal + (character == target[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[target.count]
}
