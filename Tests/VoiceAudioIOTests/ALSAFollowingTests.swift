import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// Captures from `default` while it comes to mean another card.
@Suite struct ALSAFollowingTests {
    /// Two cards' nodes in a directory, alsa-lib as a script, and a capture from `default`, which is the first card.
    private func withCapture(
        follows: Bool = true, device: String = "default",
        _ body: (any CaptureStream, ALSAScript, StepClock, LogCollector, _ makeSecondTheDefault: () throws -> Void)
            throws
            -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(
                atPath: directory + "/snd", withIntermediateDirectories: true)
            try Data().write(to: URL(fileURLWithPath: directory + "/snd/controlC0"))
            var roots = SystemRoots()
            roots.dev = directory
            let script = ALSAScript {
                $0.cards = [SoundCard(index: 0, id: "First", name: "First", captureDevices: [:])]
                $0.standard = .card("First")
                $0.hardware = HardwareFormat(
                    sampleRateHz: 16_000, channelCount: 1, layout: "S16_LE", bufferFrames: 3200)
            }
            let clock = StepClock()
            let log = LogCollector()
            let source = ALSASource(device: device, followsDefault: follows, calls: script, roots: roots)
            let stream = try source.open(
                CaptureRequest(format: .speech, chunkFrameCount: 160),
                in: CaptureEnvironment(clock: clock, logSink: log))
            try stream.start()
            try body(stream, script, clock, log) {
                script.script.withLock { script in
                    script.cards.append(SoundCard(index: 1, id: "Second", name: "Second", captureDevices: [:]))
                    script.standard = .card("Second")
                    script.hardware = HardwareFormat(
                        sampleRateHz: 16_000, channelCount: 2, layout: "S32_LE", bufferFrames: 3200)
                }
                try Data().write(to: URL(fileURLWithPath: directory + "/snd/controlC1"))
            }
            stream.close()
            #expect(script.held == 0)
        }
    }

    /// One period, and then nothing more.
    private func readOne(_ stream: any CaptureStream, _ script: ALSAScript, _ clock: StepClock) throws -> CaptureRead {
        clock.advance(by: .milliseconds(10))
        script.script.withLock {
            $0.avails = [160]
            $0.reads = [160]
        }
        return try stream.readSamples().result
    }

    @Test func itGoesOnWithTheNewDefault() throws {
        try withCapture { stream, script, clock, log, makeSecondTheDefault in
            guard case .frames(160, _) = try readOne(stream, script, clock) else {
                throw Unexpected("no frames from the first card")
            }
            #expect(try stream.readSamples().result == .nothing)
            #expect(stream.report.hardware == nil)
            try makeSecondTheDefault()
            // Noticed, and left to settle.
            #expect(try stream.readSamples().result == .nothing)
            clock.advance(by: .milliseconds(90))
            #expect(script.count("open") == 1)
            clock.advance(by: .milliseconds(510))
            let gap = AudioLoss(frames: 9600, cause: .deviceGap, isExact: false)
            #expect(try stream.readSamples().result == .reopened(gap))
            #expect(script.script.withLock { $0.opened } == ["default", "default"])
            #expect(script.count("close") == 1)
            #expect(script.count("start") == 2)
            #expect(stream.report.hardware == "16000 Hz, 2 ch, S32_LE")
            #expect(log.lines.withLock { $0.contains { $0.contains("another one") } })
            guard case .frames(160, let time) = try readOne(stream, script, clock) else {
                throw Unexpected("no frames from the second card")
            }
            #expect(time == clock.now.advanced(by: .milliseconds(-10)))
        }
    }

    @Test(arguments: [false, true]) func othersStay(follows: Bool) throws {
        try withCapture(follows: follows, device: follows ? "hw:0" : "default") {
            stream, script, clock, _, makeSecondTheDefault in
            _ = try readOne(stream, script, clock)
            try makeSecondTheDefault()
            for _ in 0..<20 {
                _ = try readOne(stream, script, clock)
                _ = try stream.readSamples()
                clock.advance(by: .milliseconds(100))
            }
            #expect(script.count("open") == 1)
        }
    }

    @Test func aDefaultThatDoesNotOpenLeavesTheOldOne() throws {
        try withCapture { stream, script, clock, log, makeSecondTheDefault in
            _ = try readOne(stream, script, clock)
            script.script.withLock { $0.failures["open"] = -16 }
            try makeSecondTheDefault()
            for _ in 0..<10 {
                clock.advance(by: .milliseconds(100))
                script.script.withLock { $0.avails = [0] }
                #expect(try stream.readSamples().result == .nothing)
            }
            #expect(script.count("open") == 2)
            #expect(script.count("close") == 0)
            #expect(log.lines.withLock { $0.contains { $0.contains("cannot be captured") } })
        }
    }

    @Test func aDefaultThatGoesAwayIsReplaced() throws {
        try withCapture { stream, script, clock, _, makeSecondTheDefault in
            _ = try readOne(stream, script, clock)
            script.script.withLock {
                $0.avails = [-19]
                $0.failures["open"] = -2
            }
            _ = try stream.readSamples()
            for _ in 0..<5 {
                clock.advance(by: .milliseconds(100))
                #expect(try stream.readSamples().result == .nothing)
            }
            script.script.withLock { $0.failures["open"] = nil }
            clock.advance(by: .milliseconds(100))
            let gap = AudioLoss(frames: 9600, cause: .deviceGap, isExact: false)
            #expect(try stream.readSamples().result == .reopened(gap))
            guard case .frames(160, _) = try readOne(stream, script, clock) else {
                throw Unexpected("no frames from the second card")
            }
        }
    }

    @Test func aDefaultThatGoesAwayForGoodIsLost() throws {
        try withCapture { stream, script, clock, _, _ in
            _ = try readOne(stream, script, clock)
            script.script.withLock {
                $0.avails = [-19]
                $0.failures["open"] = -2
            }
            let wakeUp = CaptureWakeUp(try WakeUp())
            _ = try stream.readSamples()
            let begin = clock.now
            let error = #expect(throws: AudioError.self) {
                for _ in 0..<100 {
                    _ = try stream.readSamples()
                    try stream.wait(orFor: wakeUp)
                }
            }
            #expect(error?.code == .deviceLost)
            #expect(begin.duration(to: clock.now) >= .seconds(1))
            #expect(begin.duration(to: clock.now) < .seconds(2))
        }
    }
}
