import Testing
import VoiceAudioCore

@Test func frames() { #expect(AudioFormat.speech.frameCount(in: .seconds(2)) == 32000) }
