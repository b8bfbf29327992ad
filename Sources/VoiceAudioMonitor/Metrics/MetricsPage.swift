/// A page in Prometheus' text format 0.0.4, as it grows. A family is declared once, before its first sample; all its
/// samples stand together, and one without samples is not there.
///
/// Format: https://prometheus.io/docs/instrumenting/exposition_formats/
struct MetricsPage {
    private var text: PageText

    /// - Parameter byteCount: About how long it will be.
    init(reserving byteCount: Int) { text = PageText(reserving: byteCount) }

    /// Hands the page's bytes over, uncopied, and is empty then.
    mutating func takeBytes() -> [UInt8] { text.take() }

    /// Adds what `parts` have of each family. No other call may have a family of the same name.
    mutating func add<Part>(_ families: [MetricFamily<Part>], of parts: [Labelled<Part>]) {
        for family in families {
            var samples = MetricSamples(of: family.name, in: text)
            // From here on the text has one owner: the samples, which would copy it otherwise.
            text = PageText(reserving: 0)
            samples.declaration = Array(
                "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8)
            for part in parts {
                samples.labels = part.labels
                family.write(part.part, &samples)
            }
            text = samples.text
        }
    }
}

/// A part, and the labels that tell it from others of its kind, as they stand on the page. An object, as each family looks at
/// each part: copies of a report would be most of a page's cost.
final class Labelled<Part> {
    let labels: [UInt8]
    let part: Part

    init(labels: [UInt8], part: Part) { (self.labels, self.part) = (labels, part) }
}

/// The samples of one family: takes values, and writes lines.
struct MetricSamples {
    fileprivate var text: PageText
    fileprivate var labels: [UInt8] = []
    /// What stands before the first sample; empty afterwards.
    fileprivate var declaration: [UInt8] = []
    private let name: [UInt8]

    fileprivate init(of name: String, in text: PageText) {
        self.text = text
        self.name = Array(name.utf8)
    }

    /// Adds a sample of the part whose turn it is.
    ///
    /// - Parameter further: Labels besides the part's own.
    mutating func add(_ value: Double, _ further: [UInt8] = []) {
        if !declaration.isEmpty {
            text.append(declaration)
            declaration = []
        }
        // Braces, a comma, a space, a line's end and the longest number take less.
        text.append(upTo: name.count + labels.count + further.count + 48) { end in
            end.put(name)
            if !labels.isEmpty || !further.isEmpty {
                end.put(UInt8(ascii: "{"))
                end.put(labels)
                if !labels.isEmpty, !further.isEmpty { end.put(UInt8(ascii: ",")) }
                end.put(further)
                end.put(UInt8(ascii: "}"))
            }
            end.put(UInt8(ascii: " "))
            end.put(value)
            end.put(UInt8(ascii: "\n"))
        }
    }
}

extension PageText.End {
    /// Whole numbers, which most are, as digits; all others as Go reads them.
    fileprivate mutating func put(_ value: Double) {
        // Beyond 2⁵³ not every whole number is a Double: those are written as all others are.
        guard let whole = Int(exactly: value), whole.magnitude < 1 << 53 else {
            return put(
                Array((value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)").utf8))
        }
        if whole < 0 { put(UInt8(ascii: "-")) }
        put(whole.magnitude)
    }
}
