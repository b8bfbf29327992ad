import VoiceAudioCore
import VoiceAudioIO

/// What a number counts: in the variable, and in the property.
struct SettingUnit: Sendable {
    static let none = SettingUnit(name: nil, scale: 1, propertyName: nil)
    static let hertz = SettingUnit(name: "Hz", scale: 1, propertyName: "Hz")
    static let frames = SettingUnit(name: "frames", scale: 1, propertyName: "frames")
    static let chunks = SettingUnit(name: "chunks", scale: 1, propertyName: "chunks")
    static let mebibytes = SettingUnit(name: "MiB", scale: 1_048_576, propertyName: "bytes")
    static let seconds = SettingUnit(name: "s", scale: 1_000_000_000, propertyName: "ns")
    static let kilobitsPerSecond = SettingUnit(name: "kbit/s", scale: 1, propertyName: "kbit/s")
    static let percent = SettingUnit(name: "%", scale: 1, propertyName: "%")
    static let milliseconds = SettingUnit(name: "ms", scale: 1_000_000, propertyName: "ns")

    let name: String?
    /// The property's units in one of the variable's.
    let scale: Int
    let propertyName: String?

    /// A property's number in the variable's unit where it is a whole one, else in its own.
    func value(_ number: Int) -> SettingValue {
        number.isMultiple(of: scale) ? .number(number / scale, unit: name) : .number(number, unit: propertyName)
    }

    /// The variable's range as text.
    func text(of range: ClosedRange<Int>) -> String {
        "\(range.lowerBound) to \(range.upperBound)" + (name.map { " (\($0))" } ?? "")
    }

    /// What the property accepts: where its unit is smaller, anything from the first that is not nothing on.
    func boundsOfProperty(_ range: ClosedRange<Int>) -> ClosedRange<Int> {
        scale == 1 ? range : min(range.lowerBound, 1)...range.upperBound * scale
    }

    /// The same as text.
    func textOfProperty(_ range: ClosedRange<Int>) -> String {
        guard scale > 1, let name else { return text(of: range) }
        return range.lowerBound > 0
            ? "more than 0 and at most \(range.upperBound) \(name)" : "0 to \(range.upperBound) \(name)"
    }

    /// A property's number as text.
    func textOfProperty(_ number: Int) -> String {
        scale > 1 ? "\(number) \(propertyName ?? "")" : "\(number)"
    }
}

// The kinds of settings. Each reads and writes text in one way.
extension SettingDescription {
    typealias Property<Value> = any WritableKeyPath<AudioConfiguration, Value> & Sendable

    /// A whole number in `range`, which is in the variable's unit.
    static func integer(
        _ setting: Setting, _ suffix: String, _ property: Property<Int>, in range: ClosedRange<Int>, unit: SettingUnit,
        defaultText: String? = nil
    ) -> SettingDescription {
        let bounds = unit.boundsOfProperty(range)
        return SettingDescription(
            setting: setting, variable: prefix + suffix,
            defaultText: defaultText ?? unit.value(AudioConfiguration()[keyPath: property]).description,
            accepted: unit.text(of: range), acceptedOfProperty: unit.textOfProperty(range),
            read: { text, configuration in
                guard let number = decimal(text), range.contains(number) else { return false }
                configuration[keyPath: property] = number * unit.scale
                return true
            },
            refusedValue: { configuration in
                let number = configuration[keyPath: property]
                return bounds.contains(number) ? nil : unit.textOfProperty(number)
            },
            value: { unit.value($0[keyPath: property]) })
    }

    /// One of a few names.
    static func choice<Value: Sendable & Equatable>(
        _ setting: Setting, _ suffix: String, _ property: Property<Value>, among values: [(String, Value)],
        accepted: String? = nil
    ) -> SettingDescription {
        let text = { @Sendable (configuration: AudioConfiguration) -> String in
            values.first { $0.1 == configuration[keyPath: property] }?.0 ?? ""
        }
        let accepted = accepted ?? values.map(\.0).joined(separator: ", ")
        return SettingDescription(
            setting: setting, variable: prefix + suffix, defaultText: text(AudioConfiguration()), accepted: accepted,
            acceptedOfProperty: accepted,
            read: { name, configuration in
                guard let value = values.first(where: { $0.0 == trimmed(name) })?.1 else { return false }
                configuration[keyPath: property] = value
                return true
            },
            refusedValue: { configuration in
                let value = configuration[keyPath: property]
                return values.contains { $0.1 == value } ? nil : "\(value)"
            },
            value: { .text(text($0)) })
    }

    /// A name of the world outside, taken as it is.
    static func name(
        _ setting: Setting, _ suffix: String, get: @escaping @Sendable (AudioConfiguration) -> String?,
        set: @escaping @Sendable (String, inout AudioConfiguration) -> Void, accepted: String,
        isAccepted: @escaping @Sendable (String) -> Bool, defaultText: String? = nil
    ) -> SettingDescription {
        SettingDescription(
            setting: setting, variable: prefix + suffix, defaultText: defaultText ?? get(AudioConfiguration()) ?? "",
            accepted: accepted, acceptedOfProperty: accepted,
            read: { text, configuration in
                guard isAccepted(text) else { return false }
                set(text, &configuration)
                return true
            },
            refusedValue: { configuration in
                guard let text = get(configuration), !isAccepted(text) else { return nil }
                return #""\#(text)""#
            },
            value: { get($0).map { .text($0) } ?? .none })
    }

    /// A policy by name; the deadline of `block` is a setting of its own.
    static func overflow(_ setting: Setting, _ suffix: String) -> SettingDescription {
        let names = OverflowPolicy.named.map(\.0).joined(separator: ", ")
        return SettingDescription(
            setting: setting, variable: prefix + suffix, defaultText: OverflowPolicy.original.nameOrRules,
            accepted: names, acceptedOfProperty: names,
            read: { name, configuration in
                guard let policy = OverflowPolicy.named.first(where: { $0.0 == trimmed(name) })?.1 else { return false }
                configuration.overflow = policy
                return true
            },
            refusedValue: { _ in nil }, value: { .text($0.overflow.nameOrRules) })
    }

    /// Decimal digits with white space around, or `nil`: no sign, no separators, nothing that overflows.
    private static func decimal(_ text: String) -> Int? {
        let digits = trimmed(text)
        guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int(digits)
    }

    private static func trimmed(_ text: String) -> Substring {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }
}

extension AudioConfiguration {
    // Durations as numbers, for the table.

    /// The budget; 0 where the capture fails at once.
    var reconnectNanoseconds: Int {
        get {
            switch recovery {
            case .fail: 0
            case .reconnect(let budget, _): Int(budget.clampedNanoseconds)
            }
        }
        set {
            guard newValue != 0 else {
                recovery = .fail
                return
            }
            if case .reconnect(_, let backoff) = recovery {
                recovery = .reconnect(budget: .nanoseconds(newValue), backoff: backoff)
            } else {
                recovery = .reconnect(budget: .nanoseconds(newValue))
            }
        }
    }

    var stopTimeoutNanoseconds: Int {
        get { Int(stopTimeout.clampedNanoseconds) }
        set { stopTimeout = .nanoseconds(newValue) }
    }

    /// The longest deadline of the rules that block, or the one that they would have; one that is nothing shows itself.
    var blockDeadlineNanoseconds: Int {
        get {
            let deadlines = overflow.blockDeadlines
            let shown = deadlines.first { $0 <= .zero } ?? deadlines.max()
            return Int((shown ?? .milliseconds(100)).clampedNanoseconds)
        }
        set {
            guard overflow.blocks else { return }
            overflow = .uniform(.block(.nanoseconds(newValue)))
        }
    }
}

extension OverflowPolicy {
    /// The policies that have a name in the environment.
    static let named: [(String, OverflowPolicy)] = [
        ("original", .original), ("drop-oldest", .uniform(.dropOldest)), ("drop-newest", .uniform(.dropNewest)),
        ("keep-newest-half", .uniform(.keepNewestHalf)), ("block", .uniform(.block(.milliseconds(100)))),
    ]

    var blockDeadlines: [Duration] {
        [atChunkCap, atByteCap].compactMap { if case .block(let deadline) = $0 { deadline } else { nil } }
    }

    var blocks: Bool { !blockDeadlines.isEmpty }

    /// The name in the environment, or the rules where there is none.
    var nameOrRules: String {
        if let name = Self.named.first(where: { $0.1 == self })?.0 { return name }
        if atChunkCap == atByteCap { return atChunkCap.name }
        return "\(atChunkCap.name) at the chunk cap, \(atByteCap.name) at the byte cap"
    }
}

extension OverflowPolicy.Rule {
    fileprivate var name: String {
        switch self {
        case .dropOldest: "drop-oldest"
        case .dropNewest: "drop-newest"
        case .keepNewestHalf: "keep-newest-half"
        case .block: "block"
        }
    }
}
