/// A family of metrics: what one kind of part has of it, under one name, with one help text and one type.
///
/// Counters are named without `_total`: it is appended, so that none can lack it.
struct MetricFamily<Part>: Sendable {
    /// Prometheus' types, as far as they are used.
    enum Kind: String {
        case counter
        case gauge
    }

    let name: String
    let kind: Kind
    /// A sentence; it must have no line breaks.
    let help: String
    /// Writes what a part has.
    let write: @Sendable (Part, inout MetricSamples) -> Void
}

extension MetricFamily {
    /// One value a part; `nil` where it is not known, which writes nothing.
    static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Part) -> Double?) -> Self {
        Self(name: name, kind: .gauge, help: help) { part, samples in
            if let value = value(part) { samples.add(value) }
        }
    }

    static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Part) -> Int?) -> Self {
        gauge(name, help) { value($0).map(Double.init) }
    }

    /// Whether something is so: 1 or 0.
    static func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Part) -> Bool?) -> Self {
        gauge(name, help) { value($0).map { $0 ? 1.0 : 0.0 } }
    }

    /// As many values as there are words for `label`.
    static func gauge(
        _ name: String, by label: String, _ help: String,
        _ values: @escaping @Sendable (Part) -> [(word: String, value: Int)]
    ) -> Self {
        Self(name: name, kind: .gauge, help: help) { part, samples in
            for (word, value) in values(part) { samples.add(Double(value), labels(label, word)) }
        }
    }

    /// A value that only grows.
    static func counter(_ name: String, _ help: String, _ value: @escaping @Sendable (Part) -> Double) -> Self {
        Self(name: name + "_total", kind: .counter, help: help) { part, samples in samples.add(value(part)) }
    }

    static func counter(_ name: String, _ help: String, _ value: @escaping @Sendable (Part) -> Int) -> Self {
        counter(name, help) { Double(value($0)) }
    }

    /// A value for each of some fixed words of a label, each of which only grows.
    static func counter(
        _ name: String, by label: String, _ help: String,
        _ values: KeyValuePairs<String, @Sendable (Part) -> Int>
    ) -> Self {
        let values = values.map { (labels: labels(label, $0.key), value: $0.value) }
        return Self(name: name + "_total", kind: .counter, help: help) { part, samples in
            for (labels, value) in values { samples.add(Double(value(part)), labels) }
        }
    }

    /// A state set: of all the words of a label, 1 for that which holds, 0 for the others; for all where none holds.
    static func states(
        _ name: String, _ label: String, _ words: [String], _ help: String,
        _ current: @escaping @Sendable (Part) -> String?
    ) -> Self {
        let words = words.map { (word: $0, labels: labels(label, $0)) }
        return Self(name: name, kind: .gauge, help: help) { part, samples in
            let current = current(part)
            for (word, labels) in words { samples.add(word == current ? 1 : 0, labels) }
        }
    }

    /// A state set of all that a type has.
    static func states<State: CaseIterable & RawRepresentable<String> & Sendable>(
        _ name: String, _ label: String, _ help: String, _ current: @escaping @Sendable (Part) -> State?
    ) -> Self {
        states(name, label, State.allCases.map(\.rawValue), help) { current($0)?.rawValue }
    }
}
