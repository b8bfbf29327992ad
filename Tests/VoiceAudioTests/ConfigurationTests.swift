import Testing

@testable import VoiceAudio

private typealias Setting = AudioConfiguration.Setting

/// The configuration that one variable, without its prefix, gives.
private func configuration(_ variables: [String: String]) throws(AudioError) -> AudioConfiguration {
    let full = Dictionary(uniqueKeysWithValues: variables.map { ("VOICE_AUDIO_" + $0.key, $0.value) })
    return try AudioConfiguration(environment: .init(full))
}

private func message(_ body: () throws(AudioError) -> Void) -> String? {
    do throws(AudioError) {
        try body()
        return nil
    } catch {
        return error.code == .invalidConfiguration ? error.message : "another code: \(error)"
    }
}

@Suite struct ConfigurationTests {
    @Test func defaultsAreTheDesigns() throws {
        let defaults = AudioConfiguration()
        #expect(defaults.device == "default")
        #expect(defaults.format == .speech)
        #expect(defaults.chunkFrameCount == 1600)
        #expect(defaults.maxChunks == 300)
        #expect(defaults.maxBytes == 104_857_600)
        #expect(defaults.overflow == .original)
        #expect(defaults.maxRecordingBytes == 104_857_600)
        #expect(defaults.stopTimeout == .seconds(2))
        #expect(defaults.temporaryDirectory == nil)
        #expect(defaults.minimumFreeDiskBytes == 1_073_741_824)
        #expect(defaults.realtimePriority == 0)
        #expect(defaults.logLevel == .info)
        #expect(try defaults.memoryPressure == .standard)
        #expect(defaults.resultMemoryPercent == 20)
        #expect(defaults.warnings.isEmpty)
        #expect(Setting.allCases.allSatisfy { defaults.origin(of: $0) == .default })
        try defaults.validate()
    }

    /// Every number of the table: read at its limits, refused beyond them with name, value and range.
    @Test(arguments: [
        ("SAMPLE_RATE", 1000, 768_000, "1000 to 768000 (Hz)"), ("CHANNELS", 1, 64, "1 to 64"),
        ("CHUNK_FRAMES", 1, 1_048_576, "1 to 1048576 (frames)"),
        ("MAX_BUFFER_SIZE", 1, 1_000_000, "1 to 1000000 (chunks)"),
        ("MAX_MEMORY_MB", 1, 1_048_576, "1 to 1048576 (MiB)"), ("MAX_RECORDING_MB", 1, 1_048_576, "1 to 1048576 (MiB)"),
        ("BLOCK_MS", 1, 60_000, "1 to 60000 (ms)"), ("STOP_TIMEOUT_MS", 1, 600_000, "1 to 600000 (ms)"),
        ("MIN_FREE_DISK_MB", 0, 1_048_576, "0 to 1048576 (MiB)"), ("REALTIME_PRIORITY", 0, 99, "0 to 99"),
        ("RESULT_MEMORY_PERCENT", 1, 90, "1 to 90 (%)"),
    ])
    func numbersKeepTheirLimits(suffix: String, lowest: Int, highest: Int, accepted: String) throws {
        let description = try #require(SettingDescription.all.first { $0.variable == "VOICE_AUDIO_" + suffix })
        for good in ["\(lowest)", "\(highest)", "  \(highest)\r\n", "0\(lowest)"] {
            let read = try configuration([suffix: good, "OVERFLOW_POLICY": "block"])
            #expect(read.origin(of: description.setting) == .environment("VOICE_AUDIO_" + suffix))
            guard case .number(let number, _) = description.value(read) else {
                Issue.record("\(suffix) is no number")
                continue
            }
            #expect(number == (good.contains("\(highest)") ? highest : lowest))
            try read.validate()
        }
        let bad = [
            "\(lowest - 1)", "\(highest + 1)", "", " ", "+\(lowest)", "0x10", "1_000", "1,000", "1.0", "1e3", "ten",
            "٣", "9223372036854775808", "99999999999999999999999999",
        ]
        for text in bad {
            let problem = message { () throws(AudioError) in _ = try configuration([suffix: text]) }
            #expect(problem == #"VOICE_AUDIO_\#(suffix) is "\#(text)": accepted are \#(accepted)"#)
        }
    }

    @Test func namesAreExact() throws {
        for format in SampleFormat.allCases {
            #expect(try configuration(["FORMAT": format.rawValue]).sampleFormat == format)
        }
        for level in AudioLogLevel.allCases {
            #expect(try configuration(["LOG_LEVEL": level.rawValue]).logLevel == level)
        }
        #expect(
            message { () throws(AudioError) in _ = try configuration(["FORMAT": "S16"]) }
                == #"VOICE_AUDIO_FORMAT is "S16": accepted are s16, s24, s32, f32"#)
        #expect(
            message { () throws(AudioError) in _ = try configuration(["LOG_LEVEL": ""]) }?
                .contains("trace, debug, info, notice, warning, error, critical") == true)
        #expect(try configuration(["DEVICE": "hw:CARD=Mic,DEV=0"]).device == "hw:CARD=Mic,DEV=0")
        #expect(try configuration(["TEMP_DIR": "/var/tmp"]).temporaryDirectory == "/var/tmp")
        let refused = [
            ("DEVICE", ""), ("DEVICE", "default\r"), ("DEVICE", "fd:"), ("DEVICE", "fd:-1"), ("DEVICE", "fd:3 "),
            ("DEVICE", "fd:2147483648"), ("DEVICE", "sim:tone=x"),
            ("TEMP_DIR", "tmp"), ("TEMP_DIR", ""),
        ]
        for (suffix, text) in refused {
            let problem = message { () throws(AudioError) in _ = try configuration([suffix: text]) }
            #expect(problem?.hasPrefix(#"VOICE_AUDIO_\#(suffix) is "\#(text)": accepted are "#) == true)
        }
    }

    @Test(arguments: [
        ("original", OverflowPolicy.original), ("drop-oldest", .uniform(.dropOldest)),
        ("drop-newest", .uniform(.dropNewest)), ("keep-newest-half", .uniform(.keepNewestHalf)),
        ("block", .uniform(.block(.milliseconds(100)))),
    ])
    func policiesByName(name: String, policy: OverflowPolicy) throws {
        let read = try configuration(["OVERFLOW_POLICY": name])
        #expect(read.overflow == policy)
        #expect(read.origin(of: .overflow) == .environment("VOICE_AUDIO_OVERFLOW_POLICY"))
        #expect(read.origin(of: .blockDeadline) == .default)
    }

    @Test func blockTakesItsDeadlineAndSaysWhenThatHasNoEffect() throws {
        let read = try configuration(["OVERFLOW_POLICY": "block", "BLOCK_MS": "250"])
        #expect(read.overflow == .uniform(.block(.milliseconds(250))))
        #expect(read.origin(of: .overflow) == .environment("VOICE_AUDIO_OVERFLOW_POLICY"))
        #expect(read.origin(of: .blockDeadline) == .environment("VOICE_AUDIO_BLOCK_MS"))
        #expect(read.warnings.isEmpty)

        let without = try configuration(["OVERFLOW_POLICY": "drop-oldest", "BLOCK_MS": "250"])
        #expect(without.overflow == .uniform(.dropOldest))
        #expect(without.warnings == ["VOICE_AUDIO_BLOCK_MS has no effect: the overflow policy is not block"])
    }

    @Test func whatHasNoEffectIsToldOfTheSettingsAsTheyAreNow() throws {
        var settings = try configuration(["MONO_FROM": "2", "FOLLOW_DEFAULT": "yes"])
        #expect(settings.warnings.isEmpty)
        settings.channelCount = 2
        settings.device = "hw:1"
        #expect(
            settings.warnings == [
                "VOICE_AUDIO_FOLLOW_DEFAULT has no effect: the device is \"hw:1\", not default",
                "VOICE_AUDIO_MONO_FROM has no effect: 2 channels are asked for",
            ])
        settings.monoChannel = .channel(1)
        settings.followsDefaultDevice = false
        #expect(settings.warnings == ["monoChannel has no effect: 2 channels are asked for"])
        settings.channelCount = 1
        #expect(settings.warnings.isEmpty)
    }

    @Test func explicitWinsOverEnvironmentOverDefault() throws {
        var read = try configuration(["CHANNELS": "2", "SAMPLE_RATE": "48000", "OVERFLOW_POLICY": "drop-newest"])
        read.channelCount = 4
        #expect(read.format == AudioFormat(sampleRateHz: 48_000, channelCount: 4, sampleFormat: .s16))
        #expect(read.origin(of: .channelCount) == .explicit)
        #expect(read.origin(of: .sampleRateHz) == .environment("VOICE_AUDIO_SAMPLE_RATE"))
        #expect(read.origin(of: .sampleFormat) == .default)
        read.overflow.atChunkCap = .keepNewestHalf
        #expect(read.origin(of: .overflow) == .explicit)
    }

    @Test func chunksFollowTheRateUntilTheyAreSet() throws {
        var some = AudioConfiguration()
        some.sampleRateHz = 48_000
        #expect(some.chunkFrameCount == 4800)
        #expect(some.origin(of: .chunkFrameCount) == .default)
        some.chunkFrameCount = 480
        some.sampleRateHz = 8000
        #expect(some.chunkFrameCount == 480)
        #expect(some.origin(of: .chunkFrameCount) == .explicit)
        #expect(try configuration(["CHUNK_FRAMES": "77"]).chunkFrameCount == 77)
    }

    @Test func explicitValuesAreCheckedByTheSameTable() throws {
        let cases: [(String, (inout AudioConfiguration) -> Void)] = [
            ("sampleRateHz is 999: accepted are 1000 to 768000 (Hz)", { $0.sampleRateHz = 999 }),
            ("channelCount is 65: accepted are 1 to 64", { $0.channelCount = 65 }),
            ("maxChunks is 0: accepted are 1 to 1000000 (chunks)", { $0.maxChunks = 0 }),
            ("maxBytes is 0 bytes: accepted are more than 0 and at most 1048576 MiB", { $0.maxBytes = 0 }),
            (
                "maxRecordingBytes is 1099511627777 bytes: accepted are more than 0 and at most 1048576 MiB",
                { $0.maxRecordingBytes = 1_099_511_627_777 }
            ),
            ("minimumFreeDiskBytes is -1 bytes: accepted are 0 to 1048576 MiB", { $0.minimumFreeDiskBytes = -1 }),
            ("stopTimeout is 0 ns: accepted are more than 0 and at most 600000 ms", { $0.stopTimeout = .zero }),
            ("realtimePriority is 100: accepted are 0 to 99", { $0.realtimePriority = 100 }),
            (
                #"device is "": accepted are an ALSA device name (255 bytes at most), usb:VENDOR:PRODUCT (,serial=TEXT or ,port=PATH where needed), pci:ADDRESS, platform:NAME (each with ,dev=NUMBER or ,hw where wanted), sim:, sim:FILE, sim:tone=HZ, fd:NUMBER and -"#,
                { $0.device = "" }
            ),
            (#"temporaryDirectory is "x": accepted are absolute paths"#, { $0.temporaryDirectory = "x" }),
            (
                "blockDeadline is 0 ns: accepted are more than 0 and at most 60000 ms",
                { $0.overflow.atByteCap = .block(.zero) }
            ),
            (
                "blockDeadline is 61000000000 ns: accepted are more than 0 and at most 60000 ms",
                { $0.overflow = OverflowPolicy(atChunkCap: .block(.seconds(1)), atByteCap: .block(.seconds(61))) }
            ),
            (
                "chunkFrameCount is 1600, which makes chunks of 3200 bytes: accepted are chunks of at most maxBytes,"
                    + " 3199 bytes", { $0.maxBytes = 3199 }
            ),
        ]
        for (expected, change) in cases {
            var changed = AudioConfiguration()
            change(&changed)
            #expect(message { () throws(AudioError) in try changed.validate() } == expected)
        }
        var smallest = AudioConfiguration()
        smallest.maxBytes = 3200
        smallest.stopTimeout = .nanoseconds(1)
        try smallest.validate()
    }

    @Test func percentagesOfMemoryPressureAscend() throws {
        let read = try configuration(["PRESSURE_MODERATE": "1", "PRESSURE_HIGH": "2", "PRESSURE_CRITICAL": "3"])
        #expect(
            try read.memoryPressure
                == MemoryPressureConfiguration(moderatePercent: 1, highPercent: 2, criticalPercent: 3))
        #expect(try MemoryPressureMonitor(configuration: read).configuration == read.memoryPressure)
        #expect(
            message { () throws(AudioError) in _ = try configuration(["PRESSURE_HIGH": "70"]) }
                == "pressureModeratePercent is 70 %, VOICE_AUDIO_PRESSURE_HIGH is 70 % and pressureCriticalPercent is"
                + " 90 %: accepted are ascending percentages")
        #expect(
            message { () throws(AudioError) in _ = try configuration(["PRESSURE_CRITICAL": "100"]) }
                == #"VOICE_AUDIO_PRESSURE_CRITICAL is "100": accepted are 1 to 99 (%)"#)
        var changed = read
        changed.pressureCriticalPercent = 0
        #expect(message { () throws(AudioError) in _ = try changed.memoryPressure } != nil)
        #expect(
            message { () throws(AudioError) in try changed.validate() }
                == "pressureCriticalPercent is 0: accepted are 1 to 99 (%)")
    }

    @Test func allProblemsAreToldAtOnce() {
        let problem = message { () throws(AudioError) in
            _ = try configuration(["MAX_MEMORY_MB": "0", "CHANNELS": "many", "SAMPLE_RATE": "44100"])
        }
        #expect(
            problem
                == #"VOICE_AUDIO_CHANNELS is "many": accepted are 1 to 64; "#
                + #"VOICE_AUDIO_MAX_MEMORY_MB is "0": accepted are 1 to 1048576 (MiB)"#)
        #expect(
            message { () throws(AudioError) in
                _ = try configuration(["MAX_MEMORY_MB": "1", "CHUNK_FRAMES": "1048576"])
            }?.hasPrefix("VOICE_AUDIO_CHUNK_FRAMES is 1048576, which makes chunks of 2097152 bytes") == true)
    }

    @Test func unknownNamesAreWarnedAboutWithTheNearestKnown() throws {
        let read = try AudioConfiguration(
            environment: .init([
                "VOICE_AUDIO_MAX_MEMORY": "5", "VOICE_AUDIO_SAMPLERATE": "8000", "VOICE_AUDIO_MONITOR_PORT": "9000",
                "VOICE_AUDIO_MONITOR_TOKEN": "80", "PATH": "/bin",
            ]))
        #expect(
            read.warnings == [
                "VOICE_AUDIO_MAX_MEMORY is not a known variable and has no effect;"
                    + " the nearest known one is VOICE_AUDIO_MAX_MEMORY_MB",
                "VOICE_AUDIO_SAMPLERATE is not a known variable and has no effect;"
                    + " the nearest known one is VOICE_AUDIO_SAMPLE_RATE",
            ])
        #expect(read.sampleRateHz == 16_000)
    }

    @Test func everySettingStandsInTheTableOnce() {
        #expect(SettingDescription.all.map(\.setting) == Setting.allCases)
        #expect(Set(SettingDescription.all.map(\.variable)).count == Setting.allCases.count)
    }

    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("flaw", "lawn", 2), ("same", "same", 0),
    ])
    func distances(first: String, second: String, distance: Int) {
        #expect(editDistance(from: first, to: second) == distance)
    }

    @Test func devicesBecomeSources() throws {
        func source(_ device: String) throws(AudioError) -> any CaptureSource {
            var some = AudioConfiguration()
            some.device = device
            return try some.makeSource()
        }
        #expect(try (source("default") as? ALSASource)?.device == "default")
        #expect(try (source("hw:CARD=Mic2") as? ALSASource)?.device == "hw:CARD=Mic2")
        #expect(try (source("sim:") as? SimulatedSource)?.name == "sim:")
        #expect(try (source("-") as? DescriptorSource)?.name == "-")
        #expect(try (source("fd:2147483647") as? DescriptorSource)?.name == "fd:2147483647")
        #expect(try (source("sim:tone=440") as? SimulatedSource)?.name == "sim:tone=440.0")
        #expect(
            message { () throws(AudioError) in _ = try source("fd:x") }
                == #"device is "fd:x": accepted are an ALSA device name (255 bytes at most), usb:VENDOR:PRODUCT (,serial=TEXT or ,port=PATH where needed), pci:ADDRESS, platform:NAME (each with ,dev=NUMBER or ,hw where wanted), sim:, sim:FILE, sim:tone=HZ, fd:NUMBER and -"#
        )
    }

    @Test func textIsSetAsItsVariableWouldHaveIt() throws {
        var some = try configuration(["CHANNELS": "2"])
        try some.set(.channelCount, to: "3", as: "--channels")
        #expect(some.channelCount == 3)
        #expect(some.origin(of: .channelCount) == .explicit)
        #expect(
            message { () throws(AudioError) in try some.set(.channelCount, to: "65", as: "--channels") }
                == #"--channels is "65": accepted are 1 to 64"#)
        #expect(some.channelCount == 3)
    }
}
