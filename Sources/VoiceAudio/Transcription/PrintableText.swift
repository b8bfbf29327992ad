extension StringProtocol {
    /// The text without control characters, also those that turn the direction of writing; white space becomes one space
    /// each, and goes from the ends.
    func printable() -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.properties.isWhitespace {
                if let last = scalars.last, last != " " { scalars.append(" ") }
            } else if !scalar.isControl {
                scalars.append(scalar)
            }
        }
        if scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }

    /// The text without white space at its ends.
    func trimmed() -> String {
        var scalars = Substring.UnicodeScalarView(unicodeScalars)
        scalars = scalars.drop { $0.properties.isWhitespace }
        while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
        return String(scalars)
    }
}

extension Unicode.Scalar {
    /// Control characters, and those that change the direction of what follows (Unicode's `Bidi_Control`), which a reader
    /// does not see; also the byte order mark.
    fileprivate var isControl: Bool {
        switch value {
        case 0x61C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: properties.generalCategory == .control
        }
    }
}
