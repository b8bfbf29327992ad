import Foundation
import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// A capture whose device goes away, at the seam of alsa-lib's calls.
@Suite struct ReconnectingTests {
    /// One card, in a directory of devices of the test's own.
    private final class Rig {
        let script: ALSAScript
        let clock = StepClock()
        let log = LogCollector()
        let stream: any CaptureStream
        let wakeUp: WakeUp
        let devices: String

        /// - Parameter logTime: How long it takes to log that the device is back.
        init(
            device: String = "hw:0", budget: Duration = .seconds(10), logTime: Duration = .zero, in directory: String
        ) throws {
            devices = directory + "/snd"
            try FileManager.default.createDirectory(atPath: devices, withIntermediateDirectories: true)
            var roots = SystemRoots()
            roots.dev = directory
            script = ALSAScript {
                $0.cards = [Rig.card(0)]
                $0.hardware = HardwareFormat(
                    sampleRateHz: 16_000, channelCount: 1, layout: "S16_LE", bufferFrames: 3200)
            }
            wakeUp = try WakeUp()
            let source = ALSASource(
                device: device, recovery: .reconnect(budget: budget), calls: script, roots: roots)
            stream = try source.open(
                CaptureRequest(format: .speech, chunkFrameCount: 160),
                in: CaptureEnvironment(clock: clock, logSink: SlowSink(log: log, clock: clock, time: logTime)))
            try stream.start()
        }

        private struct SlowSink: AudioLogSink {
            let log: LogCollector
            let clock: StepClock
            let time: Duration

            func log(
                level: AudioLogLevel, message: @autoclosure () -> String,
                metadata: @autoclosure () -> [String: String], source: @autoclosure () -> String
            ) {
                if message().hasPrefix("the device is back") { clock.advance(by: time) }
                log.log(level: level, message: message(), metadata: metadata(), source: source())
            }
        }

        static func card(_ index: Int, id: String = "Mic") -> SoundCard {
            SoundCard(
                index: index,
                identity: CardIdentity(
                    cardID: id, bus: .usb, path: "0000:00:14.0-1",
                    usb: USBIdentity(vendorID: "1d6b", productID: "0101", serial: "A")),
                name: id, pcms: [CardPCM(device: 0, name: "", capture: .init())])
        }

        /// Ten milliseconds pass, and bring a period.
        func readPeriod() throws -> CaptureRead {
            clock.advance(by: .milliseconds(10))
            script.script.withLock {
                $0.avails = [160]
                $0.reads = [160]
            }
            return try stream.readSamples().result
        }

        /// The card is pulled out: its PCM says so, and cannot be opened.
        func unplug() throws {
            script.script.withLock { $0.cards = [] }
            try fail(with: -19)
        }

        /// The next time that it is asked, the device answers with an error.
        func fail(with status: Int) throws {
            script.script.withLock { $0.avails = [status] }
            // What is known to be empty is not asked.
            for _ in 0..<2 { #expect(try stream.readSamples().result == .nothing) }
            #expect(stream.outage != nil)
        }

        /// Waits, as the capture thread does, until the next attempt, and makes it.
        func attempt() throws -> CaptureRead {
            try stream.wait(orFor: CaptureWakeUp(wakeUp))
            return try stream.readSamples().result
        }
    }

    private func withRig(
        device: String = "hw:0", budget: Duration = .seconds(10), logTime: Duration = .zero,
        _ body: (Rig) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let rig = try Rig(device: device, budget: budget, logTime: logTime, in: directory)
            try body(rig)
            rig.stream.close()
            #expect(rig.script.held == 0)
            #expect(rig.script.count("close") == rig.script.script.withLock { $0.opened.count } - failedOpens(rig))
        }
    }

    private func failedOpens(_ rig: Rig) -> Int { rig.script.script.withLock { $0.failedOpens } }

    /// What comes from a device's start on is not in the gap, however late that is told.
    @Test func aGapEndsWhereTheNextDeviceBegins() throws {
        try withRig(logTime: .milliseconds(300)) { rig in
            #expect(try rig.readPeriod().isFrames)
            try rig.unplug()
            let begin = rig.clock.now
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            guard case .reopened(let gap) = try rig.attempt() else {
                Issue.record("not opened again")
                return
            }
            let elapsed = begin.duration(to: rig.clock.now) - .milliseconds(300)
            #expect(gap.frames == AudioFormat.speech.frameCount(in: elapsed))
        }
    }

    @Test func itGoesOnWithTheSameCardUnderAnotherNumber() throws {
        try withRig { rig in
            #expect(try rig.readPeriod().isFrames)
            try rig.unplug()
            #expect(rig.script.count("close") == 1, "a dead PCM keeps its card's number")
            let outage = try #require(rig.stream.outage)
            #expect(outage.reason.code == .deviceLost)
            #expect(outage.since == rig.clock.now)
            let begin = rig.clock.now
            for _ in 0..<3 { #expect(try rig.attempt() == .nothing) }
            #expect(rig.script.count("open") == 1, "a card that is not there is not opened")
            #expect(rig.stream.outage?.newestReason?.code == .noSuchDevice)
            rig.script.script.withLock { $0.cards = [Rig.card(3, id: "Mic_1")] }
            let result = try rig.attempt()
            let elapsed = begin.duration(to: rig.clock.now)
            #expect(elapsed == .milliseconds(1500))
            #expect(result == .reopened(AudioLoss(frames: 24_000, cause: .deviceGap, isExact: false)))
            #expect(rig.script.script.withLock { $0.opened } == ["hw:0", "hw:Mic_1"])
            #expect(rig.stream.outage != nil, "it is away until frames come")
            #expect(try rig.readPeriod().isFrames)
            #expect(rig.stream.outage == nil)
        }
    }

    @Test func whatTheDeviceTakesToBeginBelongsToTheGap() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            #expect(
                try rig.attempt() == .reopened(AudioLoss(frames: 1600, cause: .deviceGap, isExact: false)))
            rig.clock.advance(by: .milliseconds(300))
            rig.script.script.withLock { $0.waiting = 160 }
            #expect(
                try rig.stream.readSamples().result
                    == .lost(AudioLoss(frames: 4640, cause: .deviceGap, isExact: false)))
        }
    }

    @Test func aCaptureTimeNeverRunsBackwardFromOneDeviceToTheNext() throws {
        try withRig { rig in
            guard case .frames(_, let first) = try rig.readPeriod() else { throw Unexpected("no frames") }
            try rig.unplug()
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            _ = try rig.attempt()
            rig.script.script.withLock {
                $0.avails = [160]
                $0.reads = [160]
                // As if the frames had waited for longer than the gap lasted.
                $0.waiting = 3000
            }
            guard case .frames(_, let next) = try rig.readPeriod() else { throw Unexpected("no frames") }
            #expect(next >= first)
        }
    }

    @Test func whoIsWokenMeanwhileIsToldTheGapSoFar() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            #expect(try rig.attempt() == .nothing)
            rig.clock.advance(by: .milliseconds(400))
            rig.wakeUp.signal()
            // The step clock does not look at descriptors: this one does.
            rig.clock.looks.withLock { $0 = true }
            try rig.stream.wait(orFor: CaptureWakeUp(rig.wakeUp))
            #expect(
                try rig.stream.readSamples().result
                    == .lost(AudioLoss(frames: 8000, cause: .deviceGap, isExact: false)))
            rig.wakeUp.clear()
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            rig.clock.looks.withLock { $0 = false }
            let rest = try rig.attempt()
            guard case .reopened(let loss) = rest else { throw Unexpected("\(rest)") }
            #expect(loss.frames < 8000, "a gap was told twice")
        }
    }

    @Test func afterItsBudgetTheCaptureFailsAndTheGapIsToldBefore() throws {
        try withRig(budget: .seconds(3)) { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            let begin = rig.clock.now
            var told = 0
            let error = #expect(throws: AudioError.self) {
                for _ in 0..<100 { if case .lost(let loss) = try rig.attempt() { told += loss.frames } }
            }
            #expect(error?.code == .deviceLost)
            #expect(error?.status == 19)
            #expect(begin.duration(to: rig.clock.now) == .seconds(3))
            #expect(told == 48_000)
        }
    }

    @Test func aCardThatComesIsOpenedWithoutWaitingForTheNextAttempt() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            for _ in 0..<6 { _ = try rig.attempt() }
            let begin = rig.clock.now
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            try Data().write(to: URL(fileURLWithPath: rig.devices + "/controlC0"))
            rig.clock.looks.withLock { $0 = true }
            #expect(try rig.attempt() == .nothing)
            rig.clock.looks.withLock { $0 = false }
            let result = try rig.attempt()
            #expect(result.isReopened, "\(result)")
            #expect(begin.duration(to: rig.clock.now) == .milliseconds(100))
        }
    }

    /// A plugin that lost its device opens, and answers with overruns for ever.
    @Test func overrunsForEverAreALossAndOpeningIsNoRecovery() throws {
        try withRig(device: "default", budget: .seconds(5)) { rig in
            rig.script.script.withLock {
                $0.hardware = nil
                $0.reads = Array(repeating: -32, count: 100_000)
            }
            let begin = rig.clock.now
            let error = #expect(throws: AudioError.self) {
                for _ in 0..<10_000 { if try rig.stream.readSamples().result == .nothing { _ = try rig.attempt() } }
            }
            #expect(error?.code == .deviceLost)
            #expect(begin.duration(to: rig.clock.now) >= .seconds(5))
            #expect(rig.script.count("open") < 10)
        }
    }

    @Test func whatFailsOtherwiseIsOpenedAnewToo() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.fail(with: -71)
            #expect(rig.stream.outage?.reason.code == .deviceFailed)
            #expect(try rig.attempt().isReopened)
        }
    }

    /// What another program took meanwhile, or the system does not let us have yet.
    @Test(arguments: ["open", "hwParams", "start"]) func anAttemptThatFailsIsMadeAgain(step: String) throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            rig.script.script.withLock {
                $0.cards = [Rig.card(0)]
                $0.failures[step] = -16
                $0.failedOpens += step == "open" ? 2 : 0
            }
            #expect(try rig.attempt() == .nothing)
            #expect(try rig.attempt() == .nothing)
            #expect(rig.stream.outage?.attempts == 2)
            rig.script.script.withLock { $0.failures = [:] }
            #expect(try rig.attempt().isReopened)
            #expect(try rig.readPeriod().isFrames)
        }
    }

    /// The log is told of the loss and of the return, and of no attempt: a device may be away for days.
    @Test func anAbsenceIsTwoLines() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            try rig.unplug()
            for _ in 0..<6 { _ = try rig.attempt() }
            rig.script.script.withLock { $0.cards = [Rig.card(0)] }
            _ = try rig.attempt()
            let lines = rig.log.lines.withLock { $0 }
            #expect(lines.count == 2, "\(lines)")
        }
    }

    // MARK: Stalls

    /// Nothing comes, and the device says that it runs.
    @Test func aStalledDeviceIsRestartedInPlaceAndThenOpenedAnew() throws {
        try withRig { rig in
            _ = try rig.readPeriod()
            let begin = rig.clock.now
            var restarts: [Duration] = []
            while rig.stream.outage == nil {
                let before = rig.script.count("prepare")
                try rig.stream.wait(orFor: CaptureWakeUp(rig.wakeUp))
                _ = try rig.stream.readSamples()
                if rig.script.count("prepare") > before { restarts.append(begin.duration(to: rig.clock.now)) }
                try #require(begin.duration(to: rig.clock.now) < .seconds(60))
            }
            #expect(restarts.count == 3)
            #expect(restarts[0] >= .seconds(2) && restarts[0] < .seconds(4))
            #expect(restarts[1] >= .seconds(6) && restarts[1] < .seconds(8))
            #expect(restarts[2] >= .seconds(14) && restarts[2] < .seconds(16))
            #expect(rig.script.count("drop") == 3)
            #expect(try rig.attempt().isReopened)
            #expect(try rig.readPeriod().isFrames)
        }
    }
}

extension CaptureRead {
    fileprivate var isFrames: Bool { if case .frames = self { true } else { false } }
    fileprivate var isReopened: Bool { if case .reopened = self { true } else { false } }
}
