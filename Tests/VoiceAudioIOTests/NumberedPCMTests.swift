import Foundation
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

extension ALSARealTests {
    /// Real alsa-lib over our own plugin: every byte is known beforehand.
    @Suite struct NumberedPCMTests {
        /// Captures at least this many frames and compares them all.
        private func check(
            _ format: NumberedFormat, fields: String, rate: Int = 16_000, channels: Int = 1, chunkFrameCount: Int,
            frameCount: Int = 20_000, firstFrame: Int
        ) throws -> CaptureReport {
            let fields = "speed 0 formats \(format.rawValue) first_frame \(firstFrame) \(fields)"
            return try withNumberedMicrophone(fields) { device in
                let audio = AudioFormat(
                    sampleRateHz: rate, channelCount: channels, sampleFormat: format.delivered)
                let count = (frameCount + chunkFrameCount - 1) / chunkFrameCount
                let (chunks, report) = try captureChunks(
                    count, from: device, format: audio, chunkFrameCount: chunkFrameCount)
                #expect(chunks.count == count)
                #expect(chunks.allSatisfy { $0.lossBefore == nil && $0.frameCount == chunkFrameCount })
                #expect(chunks.map(\.framePosition) == (0..<count).map { $0 * chunkFrameCount })
                let captured = chunks.flatMap(\.bytes)
                let expected = format.bytes(
                    of: firstFrame..<firstFrame + count * chunkFrameCount, channels: channels)
                if captured != expected {
                    let place = zip(captured, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
                    Issue.record("\(captured.count) bytes of \(expected.count), differing from \(place ?? -1) on")
                }
                return report
            }
        }

        @Test(arguments: NumberedFormat.allCases, [64, 160, 441, 1000, 1023])
        func everyFormatAndPeriodIsBitExact(format: NumberedFormat, period: Int) throws {
            for chunkFrameCount in [160, 1600, 4096] {
                // Across the number where 16 bits are exhausted.
                let report = try check(
                    format, fields: "channels 1 rates 16000 period_frames \(period)",
                    chunkFrameCount: chunkFrameCount, firstFrame: 55_536)
                #expect(report.periodFrames == period)
                #expect(report.bufferFrames >= 2 * period)
            }
        }

        @Test(arguments: NumberedFormat.allCases, [1, 2, 6]) func everyChannelIsItsOwn(
            format: NumberedFormat, channels: Int
        ) throws {
            _ = try check(
                format, fields: "channels \(channels) rates 48000", rate: 48_000, channels: channels,
                chunkFrameCount: 480, frameCount: 4800, firstFrame: 0)
        }

        @Test(arguments: [8000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000]) func everyUsualRateIsThere(
            rate: Int
        ) throws {
            let report = try check(
                .s16, fields: "", rate: rate, chunkFrameCount: rate / 100, frameCount: rate / 10, firstFrame: 0)
            #expect(report.format.sampleRateHz == rate)
        }

        /// In the format of 16 bits the numbers up to 2^31 are recovered.
        @Test(arguments: [0, 65_000, 1_000_000, 2_147_000_000]) func numbersAreRecoveredFromTwoFrames(
            number: Int
        ) throws {
            for format in NumberedFormat.allCases {
                let samples = (number..<number + 2).map { format.sample(number: $0, channel: 0) }
                #expect(format.number(from: samples[0], samples[1]) == number, "\(format)")
            }
            try withNumberedMicrophone("speed 0 channels 1 first_frame \(number)") { device in
                let stream = try ALSASource(device: device).open(
                    CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                defer { stream.close() }
                try stream.start()
                let samples = try stream.readSamples().samples.map { UInt64(UInt16(bitPattern: $0)) }
                #expect(samples.count == 160)
                #expect(NumberedFormat.s16.number(from: samples[0], samples[1]) == number)
            }
        }

        /// A wrong byte order, a shifted sample and a lossy conversion show only where all bits matter.
        @Test(arguments: NumberedFormat.allCases) func everyBitIsUsed(format: NumberedFormat) {
            let samples = (0..<1000).map { format.sample(number: $0, channel: 0) }
            #expect(samples.reduce(0, |).nonzeroBitCount == [.s16: 16, .s32: 32][format, default: 24])
            #expect(samples.reduce(.max, &) == 0)
        }

        /// Through ALSA's conversion, which reads from the mapped buffer.
        @Test func plugConvertsFromIt() throws {
            try withNumberedMicrophone("speed 0 formats S16_LE channels 1 rates 16000") { device in
                let audio = AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s32)
                let (chunks, _) = try captureChunks(
                    20, from: "plug:\(device)", format: audio, chunkFrameCount: 1000)
                let expected = (0..<20_000).flatMap { number in
                    [UInt8](repeating: 0, count: 2) + NumberedFormat.s16.bytes(of: number..<number + 1, channels: 1)
                }
                let isSame = chunks.flatMap(\.bytes) == expected
                #expect(isSame)
            }
        }

        @Test func onlyWhatIsConfiguredIsThere() throws {
            try withNumberedMicrophone("formats S32_LE channels 2 rates [ 16000 48000 ]") { device in
                let error = #expect(throws: AudioError.self) {
                    try ALSASource(device: device).open(
                        CaptureRequest(
                            format: AudioFormat(sampleRateHz: 48_000, channelCount: 3, sampleFormat: .s32),
                            chunkFrameCount: 160), in: CaptureEnvironment())
                }
                #expect(error?.code == .unsupportedFormat)
                #expect(error?.message.contains("2 ch") == true, "\(error?.message ?? "")")
                #expect(error?.message.contains("16000, 48000 Hz") == true, "\(error?.message ?? "")")
            }
        }

        @Test(arguments: [
            ("channels 99", "channels is 99; accepted: 1 to 32"),
            ("channels { min 2 }", "channels is a list or group; accepted: 1 to 32"),
            ("channels { min 3 max 2 }", "channels is a list or group; accepted: 1 to 32"),
            ("channels [ 1 0 ]", "channels is 0; accepted: 1 to 32"),
            ("rates 999", "rates is 999; accepted: 1000 to 768000"),
            ("rates fast", "rates is fast; accepted: 1000 to 768000"),
            ("formats S16_BE", "formats is S16_BE; accepted: S16_LE, S24_3LE, S24_LE, S32_LE, FLOAT_LE"),
            ("formats [ S16_LE U8 ]", "formats is U8; accepted: S16_LE"),
            ("formats [ ]", "formats is a list or group; accepted: S16_LE"),
            ("period_frames 0", "period_frames is 0; accepted: 1 to 65536"),
            ("period_frames 160", "formats and channels allow 2 to 8 bytes"),
            ("formats S16_LE channels 1 period_frames 160 buffer_frames 319", "does not hold two periods of 160"),
            ("buffer_frames 1", "buffer_frames is 1; accepted: 2 to 262144"),
            ("speed -1", "speed is -1; accepted: 0 (no clock"),
            ("speed 20000.5", "accepted: 0 (no clock"),
            ("first_frame -1", "first_frame is -1; accepted: 0 to 4611686018427387904"),
            ("sped 1", "there is no field sped; there are: formats, channels, rates"),
        ]) func wrongConfigurationIsToldInTheErrorAndInTheLog(fields: String, message: String) throws {
            let log = LogCollector()
            try withNumberedMicrophone(fields) { device in
                let error = #expect(throws: AudioError.self) {
                    try ALSASource(device: device).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment(logSink: log))
                }
                #expect(error?.message.contains("its configuration is wrong") == true, "\(error?.message ?? "")")
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
            let lines = log.lines.withLock { $0 }
            #expect(lines.contains { $0.contains("numbered: ") && $0.contains(message) }, "\(lines)")
        }

        /// alsa-lib would abort the process: it asserts that the name of an argument has fewer than 256 bytes.
        @Test func aNameAtWhichALSAWouldAbortIsRefused() throws {
            try withNumberedMicrophone("speed 0") { device in
                let name = device + ":" + String(repeating: "A", count: 256) + "=1"
                let error = #expect(throws: AudioError.self) {
                    try ALSASource(device: name).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                }
                #expect(error?.code == .invalidConfiguration)
                #expect(error?.message.contains("has a name of \(name.utf8.count) bytes") == true)
                #expect(!ALSASource.isWellFormed(name))
            }
        }

        @Test func aMissingPluginIsToldInTheError() throws {
            let configuration = """
                pcm_type.numbered { lib "/nowhere/libnumbered.so" }
                pcm.voiceaudio_numbered { type numbered }
                """
            try withTemporaryDirectory { directory in
                try withALSAConfiguration(configuration, in: directory) {
                    let error = #expect(throws: AudioError.self) {
                        try ALSASource(device: "voiceaudio_numbered").open(
                            CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                    }
                    #expect(error?.message.contains("/nowhere/libnumbered.so") == true, "\(error?.message ?? "")")
                }
            }
        }
    }
}
