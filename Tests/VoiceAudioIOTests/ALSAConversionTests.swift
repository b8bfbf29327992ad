import Testing
import VoiceAudioCore
import VoiceAudioIO

/// What is asked of a device that does not have what was asked of us.
@Suite struct ALSAConversionTests {
    func open(
        _ script: ALSAScript, device: String = "hw:0", format: AudioFormat = .speech, chunk: Int = 160,
        mono: MonoChannel = .mix
    ) throws(AudioError) -> any CaptureStream {
        let request = CaptureRequest(format: format, chunkFrameCount: chunk, monoChannel: mono)
        return try ALSASource(device: device, calls: script).open(request, in: CaptureEnvironment(clock: StepClock()))
    }

    func s24(_ samples: [Int16]) -> [UInt8] {
        samples.flatMap { [0, UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }

    @Test func nothingIsConvertedThatNeedNotBe() throws {
        let script = ALSAScript { $0.reads = [160] }
        let stream = try open(script)
        #expect(stream.report.conversions.isEmpty)
        #expect(try stream.readSamples().samples == (0..<160).map { $0 })
    }

    /// 24 bits in 4 bytes become 24 bits in 3: to the bit, whatever stands above them.
    @Test func fourBytesBecomeThree() throws {
        let script = ALSAScript {
            $0.layouts = [.s24In4Bytes]
            $0.reads = [160, 160]
        }
        let stream = try open(script, format: AudioFormat(sampleRateHz: 16_000, channelCount: 1, sampleFormat: .s24))
        #expect(stream.report.conversions == ["S24_LE to s24"])
        var bytes = [UInt8](repeating: 0xEE, count: 480)
        var span = bytes.mutableSpan
        // SAFETY: any bytes are valid elements.
        var room = unsafe span.mutableBytes
        #expect(throws: Never.self) { _ = try stream.read(into: &room) }
        #expect(bytes == s24((0..<160).map { $0 }))
    }

    @Test func wideSamplesBecomeNarrow() throws {
        let script = ALSAScript {
            $0.layouts = [.s24In3Bytes, .s32]
            $0.reads = [160]
        }
        let stream = try open(script)
        #expect(stream.report.conversions == ["S32_LE to s16"])
        #expect(try stream.readSamples().samples == (0..<160).map { $0 })
    }

    @Test(arguments: [(1, -1), (2, 1)] as [(Int, Int16)])
    func aStereoMicrophoneGivesTheChannelChosen(number: Int, sign: Int16) throws {
        let script = ALSAScript {
            $0.channels = 2...2
            $0.reads = [160]
        }
        let stream = try open(script, mono: .channel(number))
        #expect(stream.report.conversions == ["channel \(number) of 2"])
        #expect(try stream.readSamples().samples == (0..<160).map { sign * $0 })
    }

    @Test func aStereoMicrophoneGivesTheMean() throws {
        let script = ALSAScript {
            $0.channels = 2...2
            $0.reads = [160]
        }
        let stream = try open(script)
        #expect(stream.report.conversions == ["mean of 2 channels"])
        #expect(try stream.readSamples().samples == Array(repeating: 0, count: 160))
    }

    /// A plugin would mix: the channels are asked for apart.
    @Test func aChannelIsChosenByUsAlsoWhereThePluginTakesAnyNumber() throws {
        let script = ALSAScript { $0.channels = 1...10_000 }
        #expect(try open(script, mono: .channel(1)).report.conversions == ["channel 1 of 2"])
        #expect(try open(script, mono: .channel(6)).report.conversions == ["channel 6 of 6"])
        #expect(try open(script).report.conversions.isEmpty)
    }

    @Test func theOnlyChannelIsTheFirst() throws {
        let script = ALSAScript { $0.channels = 1...1 }
        #expect(try open(script, mono: .channel(1)).report.conversions.isEmpty)
        let error = #expect(throws: AudioError.self) { try open(script, mono: .channel(2)) }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("from channel 2; it can: 8000 to 48000 Hz; 1 ch") == true)
        // It would convert, but into a copy of the only channel.
        #expect(error?.message.contains("plug:") == false)
    }

    /// `plughw` gives any number of channels, by repeating those that there are.
    @Test func aChannelThatTheHardwareLacksIsRefusedThoughPlugWouldRepeatOne() throws {
        let script = ALSAScript {
            $0.channels = 1...10_000
            $0.hardware = Self.native
        }
        let device = "plughw:CARD=Mic,DEV=0"
        #expect(
            try open(script, device: device, mono: .channel(2)).report.conversions
                == ["S32_LE to S16_LE by ALSA", "channel 2 of 2"])
        let held = script.held
        let error = #expect(throws: AudioError.self) { try open(script, device: device, mono: .channel(3)) }
        #expect(error?.code == .unsupportedFormat)
        #expect(
            error?.message == "\(device) has no channel 3: its hardware captures 16000 Hz, 2 ch, S32_LE. Choose one of "
                + "1 to 2, or the mean")
        #expect(script.held == held)
    }

    @Test func aRateThatTheDeviceLacksGoesThroughPlug() throws {
        let script = ALSAScript {
            $0.rates = 44100...48000
            $0.ratesBehindPlug = 4000...192_000
            $0.layouts = [.s32]
            $0.channels = 2...2
            $0.hardware = HardwareFormat(sampleRateHz: 48_000, channelCount: 2, layout: "S32_LE", bufferFrames: 9600)
        }
        let stream = try open(script, device: "hw:CARD=Mic,DEV=0", mono: .channel(2))
        #expect(script.script.withLock { $0.opened } == ["hw:CARD=Mic,DEV=0", "plug:'hw:CARD=Mic,DEV=0'"])
        #expect(script.held == 1)
        #expect(stream.report.source == "hw:CARD=Mic,DEV=0")
        #expect(stream.report.hardware == "48000 Hz, 2 ch, S32_LE")
        #expect(stream.report.conversions == ["48000 to 16000 Hz by ALSA", "S32_LE to s16", "channel 2 of 2"])
        #expect(!stream.report.countsLossExactly)
        stream.close()
        #expect(script.held == 0)
    }

    /// A card by its stable name is opened through `plughw`, which has any rate.
    @Test func whatPlugConvertsByItselfIsToldToo() throws {
        let script = ALSAScript {
            $0.hardware = HardwareFormat(sampleRateHz: 44_100, channelCount: 1, layout: "S16_LE", bufferFrames: 9600)
        }
        let report = try open(script, device: "plughw:CARD=Mic,DEV=0").report
        #expect(report.hardware == "44100 Hz, 1 ch, S16_LE")
        #expect(report.conversions == ["44100 to 16000 Hz by ALSA"])
    }

    @Test func aRateThatNobodyHasIsRefused() {
        let script = ALSAScript { $0.rates = 44100...48000 }
        let error = #expect(throws: AudioError.self) { try open(script) }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("it can: 44100 to 48000 Hz") == true)
        #expect(script.held == 0)
    }

    // MARK: Periods and buffers

    @Test(
        arguments: [
            // chunk, largest buffer, period, buffer
            (160, 1 << 20, 160, 3200), (1600, 1 << 20, 1600, 6400), (1600, 4096, 1024, 4096),
            (48_000, 8192, 2048, 8192),
            (1, 1 << 20, 1, 3200), (7919, 1 << 20, 7919, 31_676),
        ] as [(Int, UInt, UInt, UInt)])
    func buffersAreChosenForTheChunk(chunk: Int, largest: UInt, period: UInt, buffer: UInt) throws {
        let script = ALSAScript {
            $0.largestBuffer = largest
            $0.bufferFrames = buffer
            $0.periodFrames = period
        }
        let stream = try open(script, chunk: chunk)
        #expect(script.script.withLock { $0.asked } == ["period": period, "buffer": buffer])
        #expect(stream.report.requestedPeriodFrames == Int(period))
        #expect(stream.report.requestedBufferFrames == Int(buffer))
    }

    @Test func theReportTellsWhatWasGiven() throws {
        let script = ALSAScript {
            $0.bufferFrames = 4096
            $0.periodFrames = 1024
        }
        let report = try open(script).report
        #expect(report.requestedPeriodFrames == 160)
        #expect(report.periodFrames == 1024)
        #expect(report.requestedBufferFrames == 3200)
        #expect(report.bufferFrames == 4096)
    }

    @Test(
        arguments: [
            // chunk, period, buffer, wake
            (160, 160, 3200, 160), (160, 100, 3200, 160), (160, 1024, 4096, 1024), (1600, 1024, 4096, 1024),
            (1000, 100, 3000, 1000), (1000, 100, 2999, 100),
        ] as [(Int, UInt, UInt, UInt)])
    func theDeviceWakesOnceAChunkWhereItHoldsThree(chunk: Int, period: UInt, buffer: UInt, wake: UInt) throws {
        let script = ALSAScript {
            $0.bufferFrames = buffer
            $0.periodFrames = period
        }
        _ = try open(script, chunk: chunk)
        #expect(script.script.withLock { $0.thresholds["wake"] } == wake)
        // And never starts by itself.
        #expect(script.script.withLock { $0.thresholds["start"] } == 1 << 40)
    }

    // MARK: Who counts exactly

    static let native = HardwareFormat(sampleRateHz: 16_000, channelCount: 2, layout: "S32_LE", bufferFrames: 3200)

    @Test func hardwareNeverStops() throws {
        let script = ALSAScript { $0.isHardware = true }
        #expect(try open(script).report.countsLossExactly)
        #expect(script.script.withLock { $0.thresholds["stop"] } == 1 << 40)
    }

    @Test func pluginsThatPassFramesThroughCountExactlyToo() throws {
        let script = ALSAScript { $0.hardware = Self.native }
        let report = try open(script).report
        #expect(report.countsLossExactly)
        #expect(report.hardware == "16000 Hz, 2 ch, S32_LE")
        #expect(report.conversions == ["S32_LE to S16_LE by ALSA", "2 to 1 channels by ALSA"])
        #expect(script.script.withLock { $0.thresholds["stop"] } == 1 << 40)
    }

    @Test(arguments: [
        nil, HardwareFormat(sampleRateHz: 48_000, channelCount: 1, layout: "S16_LE", bufferFrames: 9600),
        HardwareFormat(sampleRateHz: 16_000, channelCount: 1, layout: "S16_LE", bufferFrames: 1600),
    ])
    func othersStopWhenTheBufferIsFull(hardware: HardwareFormat?) throws {
        let script = ALSAScript { $0.hardware = hardware }
        #expect(try !open(script).report.countsLossExactly)
        #expect(script.script.withLock { $0.thresholds["stop"] } == 3200)
    }
}
