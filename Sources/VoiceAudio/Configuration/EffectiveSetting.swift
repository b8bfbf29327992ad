package import VoiceAudioCore

/// One setting as it is in force, for a list of them: of a configuration, or of another part of the library.
package struct EffectiveSetting: Sendable {
    /// What programs call it: the property's name.
    package let name: String
    /// The environment variable that would set it.
    package let variable: String
    package let value: SettingValue
    package let origin: AudioConfiguration.Origin
    /// The default, for people.
    package let defaultText: String
    /// What the variable accepts, for people.
    package let accepted: String

    package init(
        name: String, variable: String, value: SettingValue, origin: AudioConfiguration.Origin, defaultText: String,
        accepted: String
    ) {
        self.name = name
        self.variable = variable
        self.value = value
        self.origin = origin
        self.defaultText = defaultText
        self.accepted = accepted
    }
}

extension AudioConfiguration {
    /// All settings, in the order of the documentation.
    package var effectiveSettings: [EffectiveSetting] {
        SettingDescription.all.map { description in
            EffectiveSetting(
                name: description.setting.rawValue, variable: description.variable, value: description.value(self),
                origin: origin(of: description.setting), defaultText: description.defaultText,
                accepted: description.accepted)
        }
    }

    /// Sets a setting from text, as its variable would have it, explicitly.
    ///
    /// - Parameters:
    ///   - setting: Which.
    ///   - text: Its value.
    ///   - name: What the error calls it: an option of a command, say.
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming `name`, the value and what is accepted.
    package mutating func set(_ setting: Setting, to text: String, as name: String) throws(AudioError) {
        guard let description = SettingDescription.of(setting), !description.read(text, &self) else { return }
        throw AudioError(.invalidConfiguration, description.refusal(of: text, for: name))
    }
}
