import VoiceAudio

extension FuzzTarget {
    /// Environment variables, a `NAME=VALUE` a line.
    static let settings = FuzzTarget(
        name: "settings", share: 30,
        corpus: [
            "VOICE_AUDIO_DEVICE=default", "VOICE_AUDIO_DEVICE=sim:tone=440\nVOICE_AUDIO_SAMPLE_RATE=48000",
            "VOICE_AUDIO_DEVICE=usb:0d8c:0014,serial=A1,dev=2,hw", "VOICE_AUDIO_DEVICE=pci:0000:00:1f.3",
            "VOICE_AUDIO_CHANNELS=2\nVOICE_AUDIO_FORMAT=s24\nVOICE_AUDIO_CHUNK_FRAMES=160",
            "VOICE_AUDIO_MONO_FROM=3\nVOICE_AUDIO_FOLLOW_DEFAULT=yes\nVOICE_AUDIO_LOG_LEVEL=debug",
            "VOICE_AUDIO_MAX_BUFFER_SIZE=300\nVOICE_AUDIO_MAX_MEMORY_MB=100\nVOICE_AUDIO_OVERFLOW_POLICY=block",
            "VOICE_AUDIO_BLOCK_MS=100\nVOICE_AUDIO_MAX_RECORDING_MB=1048576\nVOICE_AUDIO_STOP_TIMEOUT_MS=600000",
            "VOICE_AUDIO_TEMP_DIR=/tmp\nVOICE_AUDIO_MIN_FREE_DISK_MB=0\nVOICE_AUDIO_REALTIME_PRIORITY=99",
        ].map { Array($0.utf8) },
        words: AudioConfiguration().effectiveSettings.map(\.variable) + [
            "=", "\n", " ", "-1", "0", "1e3", "0x10", "９", "\u{0}", "s16", "f32", "drop-oldest", "keep-newest-half",
            "original", "sim:", "tone=", "usb:", "pci:", "platform:", ",serial=", ",port=", ",dev=", ",hw", "%41", "%",
        ]
    ) { bytes in
        var variables: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let pair = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(pair[0])] = pair.count > 1 ? String(pair[1]) : ""
        }
        var configuration: AudioConfiguration
        do throws(AudioError) {
            configuration = try AudioConfiguration(environment: .init(variables))
        } catch {
            guard error.code == .invalidConfiguration, variables.keys.contains(where: error.message.contains) else {
                throw Finding("no setting is named in: \(error)")
            }
            return
        }
        // What was accepted is usable.
        try configuration.validate()
        _ = try configuration.makeSource()
        _ = configuration.warnings
        guard configuration.chunkByteCount <= configuration.maxBytes else { throw Finding("a chunk beyond the cap") }
        for entry in configuration.effectiveSettings {
            guard case .environment(let name) = entry.origin, let text = variables[name],
                let setting = AudioConfiguration.Setting(rawValue: entry.name)
            else { continue }
            do throws(AudioError) { try configuration.set(setting, to: text, as: "again") } catch {
                throw Finding("\(name) was accepted, and then: \(error)")
            }
        }
    }
}
