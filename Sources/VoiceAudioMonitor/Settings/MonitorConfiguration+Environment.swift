public import VoiceAudio
public import VoiceAudioCore

extension MonitorConfiguration {
    /// What the `VOICE_AUDIO_MONITOR_*` variables say; `nil` where they ask for no monitor, which is the default.
    ///
    /// `VOICE_AUDIO_MONITOR_PORT` turns it on, as does `VOICE_AUDIO_MONITOR_ADDRESS` where it is `unix:` and a path. The token
    /// is `VOICE_AUDIO_MONITOR_TOKEN`, or the first line of the file that `VOICE_AUDIO_MONITOR_TOKEN_FILE` names, which other
    /// processes of the user cannot read as they can an environment.
    ///
    /// - Throws: ``AudioError`` with code `invalidConfiguration`, naming each variable that is not accepted, its value and what
    ///   is accepted; `noSuchFile`, `unreadableFile` or `permissionDenied` for the token's file. None tells a token.
    public init?(environment: AudioConfiguration.Environment) throws(AudioError) {
        guard let configuration = try MonitorSettings(environment: environment).configuration() else { return nil }
        self = configuration
    }
}
