public import VoiceAudioCore
public import VoiceAudioIO

extension AudioConfiguration {
    /// The source that ``device`` names: a simulated one for `sim:…`, a stream for `-` and `fd:N`, else an ALSA
    /// device.
    ///
    /// - Returns: A description, which has opened nothing yet.
    /// - Throws: ``AudioError`` with code `invalidConfiguration` where the name is not accepted.
    public func makeSource() throws(AudioError) -> any CaptureSource {
        if let description = SettingDescription.of(.device), let value = description.refusedValue(self) {
            throw AudioError(.invalidConfiguration, description.refusal(ofProperty: value))
        }
        if device.hasPrefix("sim:") { return try SimulatedSource(device: device) }
        if DescriptorSource.isName(device) { return try DescriptorSource(device: device) }
        return ALSASource(device: device, followsDefault: followsDefaultDevice, recovery: recovery)
    }
}
