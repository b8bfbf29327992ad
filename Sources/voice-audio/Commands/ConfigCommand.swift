import VoiceAudio
import VoiceAudioMonitor

let configCommand = Command(
    name: "config", summary: "Lists the settings in force, and where each came from.",
    options: configurationOptions + [Option("json", help: "Print JSON.")],
    details: {
        let rows = (AudioConfiguration().effectiveSettings + MonitorSettings().effectiveSettings).map {
            ["  " + $0.variable, $0.defaultText, $0.accepted]
        }
        return "Variables, with their defaults and what they accept:\n" + aligned(rows)
    },
    run: { options throws(CommandFailure) in
        let configuration = try configuration(from: options)
        let monitor = try monitorSettings()
        let settings = configuration.effectiveSettings + monitor.effectiveSettings
        let warnings = configuration.warnings + monitor.warnings
        // Where something is captured the library logs them.
        for warning in warnings { printError("warning: \(warning)") }
        if options.has("json") {
            try printJSON(ConfigurationReport(settings, warnings: warnings))
        } else {
            let rows = settings.map { [$0.variable, $0.value.description, $0.origin.name] }
            print(aligned([["VARIABLE", "VALUE", "FROM"]] + rows))
        }
    })

extension AudioConfiguration.Origin {
    fileprivate var name: String {
        switch self {
        case .default: "default"
        case .environment: "environment"
        case .explicit: "option"
        }
    }
}

/// The list as JSON.
private struct ConfigurationReport: Encodable {
    struct Entry: Encodable {
        let setting: String
        let variable: String
        let value: Value
        let unit: String?
        let from: String
    }

    enum Value: Encodable {
        case number(Int)
        case text(String)
        case none

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .number(let number): try container.encode(number)
            case .text(let text): try container.encode(text)
            case .none: try container.encodeNil()
            }
        }
    }

    let settings: [Entry]
    let warnings: [String]

    init(_ settings: [EffectiveSetting], warnings: [String]) {
        self.warnings = warnings
        self.settings = settings.map { entry in
            let (value, unit): (Value, String?) =
                switch entry.value {
                case .text(let text): (.text(text), nil)
                case .number(let number, let unit): (.number(number), unit)
                case .none: (.none, nil)
                }
            return Entry(
                setting: entry.name, variable: entry.variable, value: value, unit: unit,
                from: entry.origin.name)
        }
    }
}
