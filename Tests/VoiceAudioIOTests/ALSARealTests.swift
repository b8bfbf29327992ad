import Foundation
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

/// Real alsa-lib. One at a time: its configuration is the process's.
@Suite(.serialized) struct ALSARealTests {
    let request = CaptureRequest(format: .speech, chunkFrameCount: 160)

    @Test(arguments: SampleFormat.allCases) func opensAndReadsTheNullDevice(format: SampleFormat) throws {
        let format = AudioFormat(sampleRateHz: 48_000, channelCount: 2, sampleFormat: format)
        let stream = try ALSASource(device: "null").open(
            CaptureRequest(format: format, chunkFrameCount: 480), in: CaptureEnvironment())
        defer { stream.close() }
        #expect(stream.report.format == format)
        #expect(stream.report.periodFrames == 480)
        #expect(stream.report.bufferFrames >= 9600)
        try stream.start()
        let wakeUp = CaptureWakeUp(try WakeUp())
        try stream.wait(orFor: wakeUp)
        // The samples are whatever the memory held: not every version of the null device clears it.
        let result = try stream.readSamples(frameCount: 480 * format.bytesPerFrame / 2).result
        guard case .frames(480, _) = result else { throw Unexpected("480 frames expected, not \(result)") }
    }

    @Test func readsAFileBitForBit() throws {
        try withTemporaryDirectory { directory in
            var samples: [Int16] = []
            var state: UInt32 = 1
            for _ in 0..<100_000 {
                state = state &* 1_664_525 &+ 1_013_904_223
                samples.append(Int16(truncatingIfNeeded: state >> 16))
            }
            let data = samples.reduce(into: Data()) { data, sample in
                data.append(UInt8(truncatingIfNeeded: sample))
                data.append(UInt8(truncatingIfNeeded: sample >> 8))
            }
            try data.write(to: URL(fileURLWithPath: directory + "/in.raw"))
            let configuration = """
                pcm.voiceaudio_file {
                    type file
                    slave.pcm null
                    file /dev/null
                    infile "\(directory)/in.raw"
                    format raw
                }
                """
            try withALSAConfiguration(configuration, in: directory) {
                let stream = try ALSASource(device: "voiceaudio_file").open(request, in: CaptureEnvironment())
                defer { stream.close() }
                try stream.start()
                let wakeUp = CaptureWakeUp(try WakeUp())
                var read: [Int16] = []
                // Odd sizes, so that frames straddle periods.
                var size = 1
                while read.count < samples.count {
                    try stream.wait(orFor: wakeUp)
                    read += try stream.readSamples(frameCount: size).samples
                    size = size % 997 + 13
                }
                // Behind the file's end the plugin goes on with the null device's frames.
                let isSame = read.prefix(samples.count).elementsEqual(samples)
                #expect(isSame)
            }
        }
    }

    @Test func wakeUpEndsAWait() throws {
        let server = try PulseServer()
        defer { server.stop() }
        server.useInThisProcess()
        let stream = try ALSASource(device: server.device).open(
            CaptureRequest(format: .speech, chunkFrameCount: 160_000), in: CaptureEnvironment())
        defer { stream.close() }
        let wakeUp = try WakeUp()
        wakeUp.signal()
        let begin = ContinuousClock.now
        try stream.wait(orFor: CaptureWakeUp(wakeUp))
        #expect(ContinuousClock.now - begin < .seconds(30))
    }

    @Test func missingDevicesAreNamed() {
        for device in ["voiceaudio_nonsense", "hw:7", "plughw:CARD=Nope"] {
            let error = #expect(throws: AudioError.self) {
                try ALSASource(device: device).open(request, in: CaptureEnvironment())
            }
            #expect(error?.code == .noSuchDevice, "\(device): \(error.map(String.init(describing:)) ?? "opened")")
            #expect(error?.message.contains("\"\(device)\"") == true)
        }
    }

    @Test func listsWithoutFailing() throws {
        #expect(try CaptureDevices.list().contains { $0.name == "null" })
    }

    /// Speech played into the sink comes back from its monitor.
    @Test(.timeLimit(.minutes(5))) func playedSpeechComesBack() throws {
        let server = try PulseServer()
        defer { server.stop() }
        server.useInThisProcess()
        #expect(try CaptureDevices.list().contains { $0.name == server.device })
        let (file, speech) = try spokenSentence(in: server.directory)

        let stream = try ALSASource(device: server.device).open(request, in: CaptureEnvironment())
        defer { stream.close() }
        #expect(stream.report.periodFrames == 160)
        #expect(stream.report.bufferFrames == 3200)
        try stream.start()
        let wakeUp = CaptureWakeUp(try WakeUp())
        var captured: [Int16] = []
        // The sink flows before it is played into.
        while captured.isEmpty {
            try stream.wait(orFor: wakeUp)
            captured += try stream.readSamples().samples
        }
        let player = try server.play(file: file)
        defer { player.terminate() }
        var end: Int?
        // Until some seconds after the player's end: the sink's own latency, and ALSA's plugin falls behind by its buffer
        // of 200 ms each time that this thread stands still for as long.
        while captured.count < end ?? 30 * 16_000 {
            try stream.wait(orFor: wakeUp)
            captured += try stream.readSamples().samples
            if end == nil, !player.isRunning { end = captured.count + 5 * 16_000 }
        }
        let best = bestCorrelation(of: speech, in: captured)
        #expect(best > 0.95)
        // And the measure can tell: another sound does not pass for the sentence.
        #expect(bestCorrelation(of: speech.reversed(), in: captured) < 0.5)
    }

    @Test func deadServerIsAnErrorOfTheSoundServer() throws {
        let server = try PulseServer()
        server.useInThisProcess()
        let stream = try ALSASource(device: server.device, recovery: .fail).open(request, in: CaptureEnvironment())
        defer { stream.close() }
        try stream.start()
        server.kill()
        let wakeUp = CaptureWakeUp(try WakeUp())
        let lost = #expect(throws: AudioError.self) {
            let deadline = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < deadline {
                try stream.wait(orFor: wakeUp)
                _ = try stream.readSamples()
            }
        }
        #expect(lost?.code == .deviceLost)
        let refused = #expect(throws: AudioError.self) {
            try ALSASource(device: server.device).open(request, in: CaptureEnvironment())
        }
        #expect(refused?.code == .deviceFailed)
        #expect(refused?.message.contains("sound server not reachable") == true)
        server.stop()
    }
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Two seconds of synthetic speech as a WAV file, and its samples.
private func spokenSentence(in directory: String) throws -> (file: String, samples: [Int16]) {
    let file = directory + "/speech.wav"
    let raw = directory + "/speech.raw"
    for command in [
        "espeak-ng -w '\(directory)/espeak.wav' 'Seven quick foxes record the sound'",
        "sox '\(directory)/espeak.wav' -r 16000 -c 1 -b 16 '\(file)' trim 0 2",
        "sox '\(file)' -t raw -e signed -b 16 '\(raw)'",
    ] {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", command]
        try shell.run()
        shell.waitUntilExit()
        guard shell.terminationStatus == 0 else { throw Unexpected("\(command) failed: install espeak-ng and sox") }
    }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: raw)))
    return (
        file, (0..<bytes.count / 2).map { Int16(bitPattern: UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8) }
    )
}

/// The highest normalised cross-correlation of `sound` with any stretch of `recording`: found by their loudness, over
/// 32 ms in steps of 4 (longer than a period of the voice), then to the frame.
private func bestCorrelation(of sound: [Int16], in recording: [Int16]) -> Double {
    guard recording.count >= sound.count else { return 0 }
    let step = 64
    func loudness(_ samples: [Int16]) -> [Float] {
        let steps = stride(from: 0, through: samples.count - step, by: step).map { start in
            samples[start..<start + step].reduce(0) { $0 + abs(Float($1)) }
        }
        return (0..<max(0, steps.count - 8)).map { start in steps[start..<start + 8].reduce(0, +) }
    }
    let coarseSound = loudness(sound)
    let coarse = loudness(recording)
    var place = (lag: 0, value: -1.0)
    for lag in 0...max(0, coarse.count - coarseSound.count) {
        let value = correlation(coarseSound, coarse[lag..<lag + coarseSound.count])
        if value > place.value { place = (lag, value) }
    }
    let around = place.lag * step
    let fine = recording.map(Float.init)
    let fineSound = sound.map(Float.init)
    return (max(0, around - 2 * step)...min(around + 2 * step, recording.count - sound.count)).lazy
        .map { correlation(fineSound, fine[$0..<$0 + fineSound.count]) }.max() ?? 0
}

private func correlation(_ left: [Float], _ right: ArraySlice<Float>) -> Double {
    var product: Double = 0
    var leftPower: Double = 0
    var rightPower: Double = 0
    let offset = right.startIndex
    for index in left.indices {
        let (one, other) = (Double(left[index]), Double(right[offset + index]))
        product += one * other
        leftPower += one * one
        rightPower += other * other
    }
    return leftPower * rightPower > 0 ? product / (leftPower * rightPower).squareRoot() : 0
}
