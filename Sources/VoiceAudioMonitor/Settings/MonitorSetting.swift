/// One setting of a monitor: its variable, its default, and what it accepts.
///
/// Only here does any of this stand.
package enum MonitorSetting: String, Sendable, CaseIterable {
    case address = "monitorAddress"
    case port = "monitorPort"
    case token = "monitorToken"
    case tokenFile = "monitorTokenFile"
    case hosts = "monitorHosts"

    /// The full name of the environment variable.
    package var variable: String {
        switch self {
        case .address: "VOICE_AUDIO_MONITOR_ADDRESS"
        case .port: "VOICE_AUDIO_MONITOR_PORT"
        case .token: "VOICE_AUDIO_MONITOR_TOKEN"
        case .tokenFile: "VOICE_AUDIO_MONITOR_TOKEN_FILE"
        case .hosts: "VOICE_AUDIO_MONITOR_HOSTS"
        }
    }

    /// The default, for people.
    package var defaultText: String {
        switch self {
        case .address: "127.0.0.1"
        case .port: "off"
        case .token, .tokenFile, .hosts: "none"
        }
    }

    /// What the variable accepts, for people.
    package var accepted: String {
        switch self {
        case .address: "an IPv4 or IPv6 address in digits, or unix: and an absolute path (107 bytes at most)"
        case .port: "0 to 65535 (0: one that the system chooses)"
        case .token: MonitorToken.accepted
        case .hosts: "names of this machine, with commas between"
        case .tokenFile: "the path of a file whose first line is the token"
        }
    }

    /// What is said of a text that is not accepted. A token is not repeated: the error goes to a log.
    func refusal(of text: String, for name: String) -> String {
        self == .token
            ? "\(name) is not accepted: accepted are \(accepted)"
            : #"\#(name) is "\#(text)": accepted are \#(accepted)"#
    }
}
