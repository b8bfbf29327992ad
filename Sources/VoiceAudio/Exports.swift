// `import VoiceAudio` is all a user writes.
@_exported public import VoiceAudioCore
@_exported public import VoiceAudioIO
@_exported public import VoiceAudioMemory
