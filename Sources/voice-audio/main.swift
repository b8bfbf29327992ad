import VoiceAudio
print("voice-audio")
