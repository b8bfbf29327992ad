import VoiceAudioCore
import VoiceAudioIO

// What came of capturing: format, sound, losses, priority; and room for files.
extension Examination {
    var formatFindings: [Finding] {
        if cause == .format { return [unsupportedFormat] }
        guard let report = listening.report else { return skipped(.format) }
        return [Finding(.format, .fine, "\(report)")]
    }

    private var unsupportedFormat: Finding {
        var remedies: [Finding.Remedy] = []
        if case .card(let card) = system.route {
            for native in card.capturingPCMs.compactMap(\.capture?.nativeFormats).joined() {
                let rate =
                    native.ratesHz.contains(configuration.sampleRateHz) || native.isContinuous
                    ? configuration.sampleRateHz : native.ratesHz.last
                guard let rate else { continue }
                remedies.append(
                    .init(
                        "export VOICE_AUDIO_SAMPLE_RATE=\(rate) VOICE_AUDIO_CHANNELS=\(native.channelCount)",
                        note: "or --rate and --channels: what the hardware captures"))
            }
            remedies.append(
                .init(
                    "export VOICE_AUDIO_DEVICE=plughw:CARD=\(shellWord(card.id))",
                    note: "or --device: ALSA converts what is not there"))
        }
        return Finding(
            .format, .failure, listening.error?.message ?? "the device lacks the format", remedies: remedies,
            errorCode: .unsupportedFormat)
    }

    // MARK: What is heard

    var soundFindings: [Finding] {
        if let error = listening.error, cause == .sound {
            return [
                Finding(
                    .sound, .failure, error.message,
                    remedies: [.init("voice-audio doctor", note: "once more, with the device plugged in again")],
                    errorCode: error.code)
            ]
        }
        guard listening.report != nil else { return skipped(.sound) }
        let frames = listening.meter.frameCount
        guard let level = listening.meter.level, listening.hasEnded || frames * 2 >= listening.wantedFrameCount else {
            let count = frames == 0 ? "no frames come" : "after \(frames) frames no more came"
            return [
                Finding(
                    .sound, .failure, "the device is open, but \(count): it is stalled",
                    remedies: [
                        .init(note: "unplug it and plug it in again"),
                        .init("sudo dmesg | tail -n 20", note: "what its driver says"),
                    ], errorCode: .deviceFailed)
            ]
        }
        if level.peak == 0 { return [silence] }
        return faults(level) + (listening.isAudible ? [Finding(.sound, .fine, heard(level))] : [low(level)])
    }

    private var seconds: String { tenths(Double(listening.meter.frameCount) / Double(configuration.sampleRateHz)) }

    private func heard(_ level: AudioLevel) -> String {
        "sound comes: peak \(tenths(Double(level.peakDBFS))) dBFS, mean \(tenths(Double(level.rmsDBFS))) dBFS in \(seconds) s"
    }

    /// Not one sample but zeros: no analog microphone is that quiet.
    private var silence: Finding {
        var remedies = isMuted ? [] : mixerRemedies
        if system.route.isServer {
            remedies += [
                .init("pactl set-source-mute @DEFAULT_SOURCE@ 0", note: "switches the server's source on"),
                .init(
                    "pactl get-default-source; pactl list short sources",
                    note: "a name with .monitor is what is played: pactl set-default-source NAME chooses another"),
            ]
        }
        remedies.append(
            .init(
                note: isMuted
                    ? "first mend the mixer, as above"
                    : "look for a switch on the microphone, a key that mutes it, and the right socket"))
        return Finding(
            .sound, .failure, "the device delivers silence: \(seconds) s of exact zeros", remedies: remedies,
            errorCode: .deviceFailed)
    }

    private func low(_ level: AudioLevel) -> Finding {
        Finding(
            .sound, .warning,
            "the sound is very low: peak \(tenths(Double(level.peakDBFS))) dBFS in \(seconds) s. Did anybody speak?",
            remedies: mixerRemedies + [.init("voice-audio doctor --seconds 5", note: "while somebody speaks")])
    }

    /// What is wrong with sound that comes.
    private func faults(_ level: AudioLevel) -> [Finding] {
        var faults: [Finding] = []
        let meter = listening.meter
        let clipped = meter.channels.reduce(0) { $0 + $1.clippedCount }
        if clipped > 0 {
            faults.append(
                Finding(
                    .sound, .warning, "the sound is too loud: \(clipped) samples are clipped",
                    remedies: [.init("alsamixer -V capture", note: "to turn it down; and speak from further away")]))
        }
        let channels = meter.channels.indices
        let mute = channels.filter { meter.channels[$0].peak == 0 }
        if let first = mute.first, let other = channels.first(where: { !mute.contains($0) }) {
            faults.append(
                Finding(
                    .sound, .warning, "channel \(first + 1) of \(channels.count) is silent: exact zeros",
                    remedies: [
                        .init(
                            "export VOICE_AUDIO_CHANNELS=1 VOICE_AUDIO_MONO_FROM=\(other + 1)",
                            note: "captures channel \(other + 1) alone")
                    ]))
        }
        // Past a tenth of full scale it costs headroom, and clicks at each cut.
        if let shifted = channels.first(where: { abs(meter.offset(ofChannel: $0)) > 0.1 }) {
            let percent = Int((meter.offset(ofChannel: shifted) * 100).rounded())
            faults.append(
                Finding(
                    .sound, .warning,
                    "the sound is off centre, by \(percent) % of full scale on channel \(shifted + 1): a direct current, as "
                        + "of a bad cable or socket",
                    remedies: [.init(note: "try another socket, cable or microphone")]))
        }
        return faults
    }

    // MARK: How it is captured

    var lossesFindings: [Finding] {
        guard listening.report != nil else { return skipped(.losses) }
        let lost = listening.statistics.framesLostExactly + listening.statistics.framesLostEstimated
        guard lost > 0 else { return [Finding(.losses, .fine, "no frame was lost")] }
        return [
            Finding(
                .losses, .warning,
                "\(lost) frames were lost in \(listening.statistics.overruns) overruns: this machine is too busy",
                remedies: [
                    .init(
                        "export VOICE_AUDIO_REALTIME_PRIORITY=10", note: "lets the capture go before other programs")
                ])
        ]
    }

    var priorityFindings: [Finding] {
        guard configuration.realtimePriority > 0 else { return [] }
        guard listening.report != nil else { return skipped(.priority) }
        guard let refusal = listening.priorityRefusal else {
            return [Finding(.priority, .fine, "the capture has real-time priority \(configuration.realtimePriority)")]
        }
        return [
            Finding(
                .priority, .warning, refusal.message,
                remedies: [
                    .init(
                        "echo '@audio - rtprio 95' | sudo tee /etc/security/limits.d/audio.conf",
                        note: "for members of group audio; then log in again"),
                    .init(note: "in a systemd unit: LimitRTPRIO=95"),
                ])
        ]
    }

    var diskFindings: [Finding] {
        guard !diskProblems.isEmpty else { return [Finding(.disk, .fine, "there is room for files")] }
        return diskProblems.map { problem in
            let remedy: Finding.Remedy =
                problem.code == .diskFull
                ? .init("export VOICE_AUDIO_MIN_FREE_DISK_MB=100", note: "leaves less free; or free some: df -h")
                : .init("export VOICE_AUDIO_TEMP_DIR=\"$HOME\"", note: "or another directory of yours")
            return Finding(.disk, .warning, problem.message, remedies: [remedy])
        }
    }
}

/// With one decimal, and a sign where it is negative.
private func tenths(_ value: Double) -> String {
    guard value.isFinite else { return value < 0 ? "-inf" : "inf" }
    let tenths = Int((abs(value) * 10).rounded())
    return "\(value < 0 && tenths > 0 ? "-" : "")\(tenths / 10).\(tenths % 10)"
}
