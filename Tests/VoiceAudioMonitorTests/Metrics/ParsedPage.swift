import Testing

/// A page of metrics, read strictly after the format's rules: what breaks one is an issue of the test.
struct ParsedPage {
    struct Family {
        var help = ""
        var type = ""
        var samples: [Sample] = []
    }

    struct Sample {
        let labels: [String: String]
        let value: Double
    }

    private(set) var families: [String: Family] = [:]
    /// In the order in which they are declared.
    private(set) var names: [String] = []
    private(set) var sampleCount = 0

    init(_ bytes: [UInt8]) throws {
        let text = try #require(String(validating: bytes, as: UTF8.self))
        #expect(text.isEmpty || text.hasSuffix("\n"))
        for line in text.split(separator: "\n") { try add(line) }
        for (name, family) in families {
            #expect(!family.help.isEmpty && !family.type.isEmpty && !family.samples.isEmpty, "\(name)")
            #expect(Set(family.samples.map(\.labels)).count == family.samples.count, "\(name) has a series twice")
        }
    }

    subscript(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families[name]?.samples.first { $0.labels == labels }?.value
    }

    private mutating func add(_ line: Substring) throws {
        if let match = line.wholeMatch(of: /# HELP ([a-z_]+) (.+)/) {
            let name = String(match.1)
            #expect(families[name] == nil, "\(name) is declared twice")
            families[name] = Family(help: String(match.2))
            return names.append(name)
        }
        if let match = line.wholeMatch(of: /# TYPE ([a-z_]+) (counter|gauge)/) {
            #expect(names.last == String(match.1) && families[String(match.1)]?.type == "")
            families[String(match.1)]?.type = String(match.2)
            return
        }
        let match = try #require(line.wholeMatch(of: /([a-z_]+)(?:\{(.*)\})? ([^ {}]+)/), "not a line: \(line)")
        let name = String(match.1)
        #expect(names.last == name && families[name]?.type != "", "\(name) stands elsewhere than its declaration")
        let value = try #require(Double(match.3), "not a number: \(line)")
        families[name]?.samples.append(Sample(labels: try match.2.map(Self.labels) ?? [:], value: value))
        sampleCount += 1
    }

    private static func labels(_ text: Substring) throws -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text[...]
        while !rest.isEmpty {
            let match = try #require(
                rest.prefixMatch(
                    of: /([a-z_]+)="((?:[^"\\\n]|\\["\\n])*)"(?:,(?=.)|$)/.matchingSemantics(.unicodeScalar)),
                "not labels: \(text)")
            #expect(labels[String(match.1)] == nil, "a label twice: \(text)")
            let value = match.2.replacing(/\\(.)/) { $0.1 == "n" ? "\n" : String($0.1) }
            labels[String(match.1)] = String(value)
            rest = rest[match.range.upperBound...]
        }
        return labels
    }
}
