import VoiceAudioCore
import VoiceAudioIO

// Whether the mixer lets sound in.
extension Examination {
    var mixerFindings: [Finding] {
        guard system.route.control != nil else { return [] }
        guard let mixer else { return skipped(.mixer) }
        if cause == .permission || cause == .kernel { return skipped(.mixer) }
        guard mixer.status >= 0 else {
            let text = AudioError.text(ofSystemStatus: -mixer.status)
            return [Finding(.mixer, .skipped, "the mixer of \"\(mixer.control)\" cannot be read (\(text))")]
        }
        let inputs = MixerInputs(mixer.elements)
        // What is heard proves that the way is open, whatever a control says.
        let outcome: Finding.Outcome = listening.isAudible ? .warning : .failure
        let problems = inputs.problems.map { problem in
            Finding(
                .mixer, outcome, problem.message,
                remedies: [.init("\(amixer) \(problem.arguments)", note: problem.note)],
                errorCode: outcome == .failure ? .deviceFailed : nil)
        }
        guard problems.isEmpty else { return problems }
        return [Finding(.mixer, .fine, inputs.summary)]
    }

    /// Whether the mixer keeps sound out.
    var isMuted: Bool { mixerFindings.contains { $0.outcome == .failure } }

    /// `amixer` for the mixer of this device.
    private var amixer: String {
        if case .card(let card) = system.route { return "amixer -c \(shellWord(card.id))" }
        return "amixer -D \(shellWord(mixer?.control ?? "default"))"
    }

    /// What could make it louder, or let another socket in.
    var mixerRemedies: [Finding.Remedy] {
        guard let mixer, mixer.status >= 0 else { return [] }
        let inputs = MixerInputs(mixer.elements)
        return (inputs.louder + inputs.otherChoices).map { .init("\(amixer) \($0.arguments)", note: $0.note) }
    }
}

/// The controls of a mixer that sound passes on its way in.
struct MixerInputs {
    /// Something to be set, and how.
    struct Setting {
        var message = ""
        /// For `amixer`, behind its card.
        var arguments: String
        var note: String
    }

    /// Those that all sound passes, such as `Capture`.
    private let masters: [MixerElement]
    /// Those of one source each, such as `Mic` and `Line`: microphones first.
    private let sources: [MixerElement]
    private let boosts: [MixerElement]
    private let choices: [MixerElement]

    init(_ elements: [MixerElement]) {
        let levels = elements.filter { $0.captureSwitch != nil || $0.captureVolume != nil }
        masters = levels.filter { Self.isMaster($0.name) }
        let others = levels.filter { !Self.isMaster($0.name) }
        sources = others.filter { Self.isMicrophone($0.name) } + others.filter { !Self.isMicrophone($0.name) }
        boosts = elements.filter { $0.name.hasSuffix("Boost") }
        choices = elements.filter { $0.choice.map { $0.names.count > 1 } ?? false }
    }

    private static func isMaster(_ name: String) -> Bool {
        ["Capture", "ADC", "Digital"].contains { name.hasPrefix($0) }
    }

    private static func isMicrophone(_ name: String) -> Bool {
        name.split(separator: " ").contains { word in
            ["Mic", "Headset", "Internal"].contains { word.hasPrefix($0) || word.hasSuffix($0) }
        }
    }

    /// Of the masters, and of the sources, one that is on and not at its minimum is enough.
    var problems: [Setting] { [masters, sources].flatMap(Self.problems) }

    private static func problems(of group: [MixerElement]) -> [Setting] {
        guard let first = group.first else { return [] }
        let open = group.filter { !$0.isOff }
        if open.isEmpty {
            let others = group.count > 1 ? ", as are the other \(group.count - 1)" : ""
            let volume = first.isAtMinimum ? " and at its lowest" : ""
            return [
                Setting(
                    message: "capture is muted: '\(first.name)' is off\(volume)\(others)",
                    arguments: first.set(first.isAtMinimum ? "cap 80%" : "cap"), note: "switches it on")
            ]
        }
        if open.allSatisfy(\.isAtMinimum), let quiet = open.first {
            return [
                Setting(
                    message: "the capture volume is at its lowest: '\(quiet.name)'",
                    arguments: quiet.set(quiet.captureSwitch == nil ? "80%" : "cap 80%"), note: "turns it up")
            ]
        }
        // A channel that is off makes half of a stereo recording silent.
        return open.filter(\.isPartlyOff).prefix(1).map { element in
            Setting(
                message: "'\(element.name)' is off on one of its channels", arguments: element.set("cap"),
                note: "switches both on")
        }
    }

    /// Volumes below 80 %, and boosts below their highest.
    var louder: [Setting] {
        let volumes = (masters + sources.prefix(1)).filter { ($0.captureVolume?.percent ?? 100) < 80 }.map {
            Setting(arguments: $0.set("80%"), note: "turns it up, from \($0.captureVolume?.percent ?? 0) %")
        }
        return volumes
            + boosts.filter { ($0.boost?.percent ?? 100) < 100 }.map {
                Setting(arguments: $0.set("100%"), note: "turns it up, from \($0.boost?.percent ?? 0) %")
            }
    }

    /// The other sockets that could be captured from.
    var otherChoices: [Setting] {
        choices.flatMap { element -> [Setting] in
            guard let choice = element.choice else { return [] }
            return choice.names.indices.filter { $0 != choice.chosen }.prefix(4).map { other in
                Setting(
                    arguments: element.set(quoted(choice.names[other])),
                    note: "captures from there, instead of \(choice.names[choice.chosen])")
            }
        }
    }

    /// What is open, for people.
    var summary: String {
        let open = [masters, sources].compactMap { group in group.first { !$0.isOff } }.map { element in
            "'\(element.name)'" + (element.captureVolume.map { " at \($0.percent) %" } ?? "")
        }
        let chosen = choices.compactMap { element in
            element.choice.map { "'\(element.name)' is \($0.names[$0.chosen])" }
        }
        let parts = open + chosen
        return parts.isEmpty
            ? "the mixer has nothing that could mute capture"
            : "the mixer lets sound in: " + parts.joined(separator: ", ")
    }
}

extension MixerElement {
    fileprivate var isOff: Bool { captureSwitch?.allSatisfy { !$0 } ?? false }

    fileprivate var isPartlyOff: Bool { !isOff && (captureSwitch?.contains(false) ?? false) }

    fileprivate var isAtMinimum: Bool {
        captureVolume.map { volume in volume.values.allSatisfy { $0 <= volume.range.lowerBound } } ?? false
    }

    fileprivate var boost: Volume? { commonVolume ?? captureVolume }

    /// What `amixer` takes to set it, its playback side left as it is.
    fileprivate func set(_ value: String) -> String {
        let number = index == 0 ? "" : ",\(index)"
        let side = hasPlayback && captureVolume != nil ? "capture " : ""
        return "sset \(quoted(name))\(number) \(side)\(value)"
    }
}

extension MixerElement.Volume {
    /// Of its range; the channels' mean.
    fileprivate var percent: Int {
        let span = range.upperBound - range.lowerBound
        let mean = values.reduce(0, +) / max(1, values.count)
        return (mean - range.lowerBound) * 100 / max(1, span)
    }
}
