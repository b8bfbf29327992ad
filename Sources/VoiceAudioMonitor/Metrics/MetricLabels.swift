/// A label as it stands on the page: `processor="kitchen"`. What the format gives a meaning to is escaped. NUL, at
/// which a reader may take the page to end, becomes the sign for it, `␀`: that for what is no character, U+FFFD, could not be
/// asked for, as PromQL takes it for a broken text.
func labels(_ name: String, _ value: String) -> [UInt8] {
    var bytes = Array(name.utf8)
    bytes += [UInt8(ascii: "="), UInt8(ascii: "\"")]
    for byte in value.utf8 {
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case 0: bytes += Array("\u{2400}".utf8)
        default: bytes.append(byte)
        }
    }
    bytes.append(UInt8(ascii: "\""))
    return bytes
}

/// Several labels, of which each has its own name.
func labels(_ first: (name: String, value: String), _ second: (name: String, value: String)) -> [UInt8] {
    labels(first.name, first.value) + [UInt8(ascii: ",")] + labels(second.name, second.value)
}

/// Names for parts of one kind, no two the same: of two series with the same name and labels Prometheus refuses the page.
///
/// The first part of a name keeps it. The others have a number appended, `kitchen #2`: in the order in which they were
/// added to the reporter, so that a series stays with its part as long as none before it goes.
func uniqueNames(_ names: [String]) -> [String] {
    let names = names.map { $0.contains("\0") ? $0.replacing("\0", with: "\u{2400}") : $0 }
    var taken = Set(names)
    guard taken.count < names.count else { return names }
    var counts: [String: Int] = [:]
    return names.map { name in
        var number = counts[name, default: 0] + 1
        defer { counts[name] = number }
        guard number > 1 else { return name }
        while !taken.insert("\(name) #\(number)").inserted { number += 1 }
        return "\(name) #\(number)"
    }
}

/// Parts of one kind, each labelled with its name.
func labelled<Part>(_ parts: [Part], _ label: String, _ name: (Part) -> String) -> [Labelled<Part>] {
    zip(uniqueNames(parts.map(name)), parts).map { Labelled(labels: labels(label, $0), part: $1) }
}
