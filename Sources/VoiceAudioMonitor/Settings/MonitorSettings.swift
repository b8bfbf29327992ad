package import VoiceAudio
package import VoiceAudioCore

/// The settings of a monitor: from the environment, and from a command's options before that.
package struct MonitorSettings: Sendable {
    /// As it was given.
    private struct Given: Sendable {
        var text: String
        var origin: AudioConfiguration.Origin
    }

    private var given: [MonitorSetting: Given] = [:]

    /// The defaults.
    package init() {}

    /// What the `VOICE_AUDIO_MONITOR_*` variables say.
    ///
    /// - Throws: `invalidConfiguration`, naming each variable that is not accepted, its value (but a token's) and what is
    ///   accepted.
    package init(environment: AudioConfiguration.Environment) throws(AudioError) {
        var problems: [String] = []
        for setting in MonitorSetting.allCases {
            guard let text = environment[setting.variable] else { continue }
            let value = Self.isAPath(setting) ? text : trimmed(text)
            if Self.isAccepted(value, for: setting) {
                given[setting] = Given(text: value, origin: .environment(setting.variable))
            } else {
                problems.append(setting.refusal(of: text, for: setting.variable))
            }
        }
        if given[.token] != nil, given[.tokenFile] != nil {
            problems.append(
                "\(MonitorSetting.token.variable) and \(MonitorSetting.tokenFile.variable) are both set:"
                    + " accepted is one of them")
        }
        guard problems.isEmpty else { throw AudioError(.invalidConfiguration, problems.joined(separator: "; ")) }
    }

    /// Sets a setting from text, as its variable would have it.
    ///
    /// - Parameter name: What the error calls it: an option of a command, say.
    /// - Throws: `invalidConfiguration`, naming `name`, the value and what is accepted.
    package mutating func set(_ setting: MonitorSetting, to text: String, as name: String) throws(AudioError) {
        guard Self.isAccepted(text, for: setting) else {
            throw AudioError(.invalidConfiguration, setting.refusal(of: text, for: name))
        }
        given[setting] = Given(text: text, origin: .explicit)
        // The token of an option takes the place of the environment's, in whichever of the two ways that came.
        if setting == .tokenFile { given[.token] = nil }
    }

    /// Whether there is to be a monitor.
    package var isOn: Bool { given[.port] != nil || socketPath != nil }

    /// What they make, the token read from its file; `nil` where there is to be no monitor.
    ///
    /// - Throws: `invalidConfiguration` where the token's file holds none; `noSuchFile`, `unreadableFile`, `permissionDenied`.
    package func configuration() throws(AudioError) -> MonitorConfiguration? {
        guard isOn else { return nil }
        var token = given[.token]?.text
        if let file = given[.tokenFile] { token = try MonitorToken.read(fromFile: file.text) }
        if let socketPath { return MonitorConfiguration(endpoint: .unixSocket(path: socketPath), token: token) }
        // All were looked at when they were set.
        let port = given[.port].flatMap { UInt16($0.text) } ?? 0
        let hosts = given[.hosts].map { Set(Self.hosts(in: $0.text)) } ?? []
        return MonitorConfiguration(endpoint: .tcp(address: address, port: port), token: token, allowedHosts: hosts)
    }

    /// All settings, in the order of the documentation; of a token only whether it is set.
    package var effectiveSettings: [EffectiveSetting] {
        MonitorSetting.allCases.map { setting in
            EffectiveSetting(
                name: setting.rawValue, variable: setting.variable, value: value(of: setting),
                origin: given[setting]?.origin ?? .default, defaultText: setting.defaultText, accepted: setting.accepted
            )
        }
    }

    /// Settings that the others leave without effect.
    package var warnings: [String] {
        guard !isOn else { return warningsWhenOn }
        return MonitorSetting.allCases.filter { given[$0] != nil }.map { setting in
            "\(setting.variable) has no effect: there is no monitor, as \(MonitorSetting.port.variable) is not set"
        }
    }

    /// The same, where there is a monitor in any case.
    package var warningsWhenOn: [String] {
        guard let socketPath, let port = given[.port] else { return [] }
        let name = port.origin == .explicit ? "the port" : MonitorSetting.port.variable
        return ["\(name) has no effect: the monitor's address is unix:\(socketPath)"]
    }

    /// Has a monitor, whatever the environment says: at `port`, where nobody chose another one.
    package mutating func turnOn(port: Int) {
        if !isOn { given[.port] = Given(text: "\(port)", origin: .default) }
    }

    private var address: String { given[.address]?.text ?? MonitorSetting.address.defaultText }

    private var socketPath: String? { Self.socketPath(of: address) }

    private func value(of setting: MonitorSetting) -> SettingValue {
        switch setting {
        case .address: .text(address)
        case .port: given[setting].flatMap { Int($0.text) }.map { .number($0, unit: nil) } ?? .text(setting.defaultText)
        case .token: given[setting] == nil ? .none : .text("set")
        case .tokenFile, .hosts: given[setting].map { .text($0.text) } ?? .none
        }
    }

    private static func isAPath(_ setting: MonitorSetting) -> Bool { setting == .tokenFile }

    private static func isAccepted(_ text: String, for setting: MonitorSetting) -> Bool {
        switch setting {
        case .address: socketPath(of: text).map(isSocketPath) ?? (InternetAddress(text) != nil)
        case .port: isDecimal(text) && UInt16(text) != nil
        case .token: MonitorToken.isAccepted(text)
        case .tokenFile: isPath(text)
        case .hosts: hosts(in: text).allSatisfy(isHost)
        }
    }

    private static func socketPath(of address: String) -> String? {
        address.hasPrefix("unix:") ? String(address.dropFirst(5)) : nil
    }

    /// As long as the kernel takes them, with the NUL at their end.
    private static func isSocketPath(_ path: String) -> Bool {
        isPath(path) && path.hasPrefix("/") && path.utf8.count <= 107
    }

    private static func isPath(_ path: String) -> Bool {
        !path.isEmpty && path.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }

    /// No sign, which `UInt16` would take.
    private static func isDecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func hosts(in text: String) -> [String] {
        text.split(separator: ",", omittingEmptySubsequences: false).map(trimmed)
    }

    /// As a `Host` header has it, without a port.
    private static func isHost(_ name: String) -> Bool {
        !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-._".contains($0)) }
    }
}

/// Without white space around it.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
