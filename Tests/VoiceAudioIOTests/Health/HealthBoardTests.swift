import TestSupport
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// What follows from what a capture thread leaves, and from the time.
@Suite(.timeLimit(.minutes(5))) struct HealthBoardTests {
    private let board = HealthBoard()
    private let gone = AudioError(.deviceLost, "the device is gone")

    private func at(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000 + Int64(milliseconds) * 1_000_000)
    }

    private func report(periodFrames: Int = 160, isHardware: Bool = true) -> CaptureReport {
        CaptureReport(
            source: "test", format: .speech, requestedPeriodFrames: periodFrames, periodFrames: periodFrames,
            countsLossExactly: isHardware)
    }

    private func health(_ milliseconds: Int) -> CaptureHealth? { board.status(at: at(milliseconds))?.health }

    @Test func whatIsNotOpenHasNone() {
        #expect(board.status(at: at(0)) == nil)
        board.close()
        #expect(board.status(at: at(0)) == nil)
    }

    @Test func aDeviceMayTakeASecondToBegin() {
        board.noteOpened(report(), at: at(0))
        #expect(board.status(at: at(1000)) == HealthStatus(health: .flowing, since: at(0)))
        #expect(health(1001) == .stalled)
    }

    @Test(arguments: [
        (periodFrames: 160, isHardware: true, limit: 100), (periodFrames: 480, isHardware: true, limit: 240),
        (periodFrames: 160, isHardware: false, limit: 500), (periodFrames: 1600, isHardware: false, limit: 800),
    ])
    func eightPeriodsWithoutFramesAreAStall(periodFrames: Int, isHardware: Bool, limit: Int) throws {
        board.noteOpened(report(periodFrames: periodFrames, isHardware: isHardware), at: at(0))
        board.noteFrames(at: at(50))
        #expect(health(50 + limit) == .flowing)
        let status = try #require(board.status(at: at(51 + limit)))
        #expect(status.health == .stalled)
        #expect(status.since == at(50))
        #expect(status.reason != nil)
        board.noteFrames(at: at(5000))
        #expect(board.status(at: at(5000)) == HealthStatus(health: .flowing, since: at(5000)))
    }

    @Test func aStallIsSeenBeforeSilenceAndAnOutageBeforeBoth() throws {
        board.noteOpened(report(), at: at(0))
        board.noteFrames(at: at(0))
        board.noteSilence(since: at(0), at: at(0))
        #expect(health(100) == .silent)
        #expect(health(101) == .stalled)
        board.noteOutage(CaptureOutage(reason: gone, since: at(200)), at: at(200))
        let status = try #require(board.status(at: at(300)))
        #expect(status == HealthStatus(health: .reconnecting, since: at(200), reason: gone.message))
        let newest = AudioError(.busy, "it is busy")
        board.noteOutage(CaptureOutage(reason: gone, newestReason: newest, since: at(200), attempts: 1), at: at(300))
        #expect(board.status(at: at(300))?.reason == "the device is gone; it is busy")
        board.noteFrames(at: at(400))
        board.noteOutage(nil, at: at(400))
        board.noteSilence(since: nil, at: at(400))
        #expect(board.status(at: at(450)) == HealthStatus(health: .flowing, since: at(400)))
    }

    @Test func whatFailedIsLostForGood() {
        board.noteOpened(report(), at: at(0))
        board.noteEnd(because: gone, at: at(10))
        board.close()
        #expect(board.status(at: at(5000)) == HealthStatus(health: .lost, since: at(10), reason: gone.message))
    }

    @Test func whatEndedWellHasNone() {
        board.noteOpened(report(), at: at(0))
        board.noteEnd(because: nil, at: at(10))
        #expect(health(20) == nil)
    }

    // MARK: Silence

    private func detect(_ chunks: [(Float, Int)]) -> [MonotonicInstant?] {
        var detector = SilenceDetector()
        return chunks.map { detector.note(AudioLevel(rms: $0.0, peak: $0.0), at: at($0.1)) }
    }

    @Test func zerosForASecondAfterSoundAreSilence() {
        #expect(
            detect([
                (0.1, 0), (0, 100), (0, 1000), (0, 1099), (0, 1100), (0, 9000), (0.001, 9100), (0, 9200), (0, 10_199),
            ])
                == [nil, nil, nil, nil, at(100), at(100), nil, nil, nil])
    }

    @Test func zerosFromTheBeginningAreNot() {
        #expect(detect([(0, 0), (0, 5000), (0, 60_000)]) == [nil, nil, nil])
    }

    // MARK: Watches

    @Test func aWatchTellsEachChangeOnceBeginningWithHowItIs() throws {
        let clock = ManualClock(start: at(0))
        let watch = try HealthWatch(board, clock: clock)
        #expect(throws: AudioError.self) { try watch.next(timeout: .zero) }
        board.noteOpened(report(), at: clock.now)
        board.noteFrames(at: clock.now)
        #expect(try watch.next()?.health == .flowing)
        board.noteFrames(at: clock.now)
        #expect(try #require(throws: AudioError.self) { try watch.next(timeout: .zero) }.code == .timedOut)
        // A stall comes by time alone, without a sign from the capture thread.
        let next = try ThreadResult { try watch.next() }
        #expect(clock.waitUntilWaiting())
        clock.advance(by: .milliseconds(101))
        #expect(try next.value()?.health == .stalled)
        let back = try ThreadResult { try watch.next() }
        #expect(clock.waitUntilWaiting())
        board.noteFrames(at: clock.now)
        #expect(try back.value()?.health == .flowing)
        board.noteEnd(because: gone, at: clock.now)
        #expect(try watch.next()?.health == .lost)
        #expect(try watch.next() == nil)
    }

    /// A process that is stopped as a whole finds its frames when it goes on: that is no stall.
    @Test func whoLooksLateLooksTwice() throws {
        let clock = ManualClock(start: at(0))
        board.noteOpened(report(), at: clock.now)
        board.noteFrames(at: clock.now)
        let watch = try HealthWatch(board, clock: clock)
        #expect(try watch.next()?.health == .flowing)
        clock.advance(by: .seconds(3))
        #expect(watch.look().change == nil)
        // Who is woken before the second look's time looks in vain.
        clock.advance(by: .milliseconds(5))
        #expect(watch.look().change == nil)
        board.noteFrames(at: clock.now)
        clock.advance(by: .milliseconds(15))
        #expect(watch.look().change == nil)
        // But no third time.
        clock.advance(by: .seconds(3))
        #expect(watch.look().change == nil)
        clock.advance(by: .milliseconds(20))
        #expect(watch.look().change?.health == .stalled)
    }

    @Test func watchesAreBoundedAndLeaveNothing() throws {
        var watches: [HealthWatch] = []
        for _ in 0..<16 { watches.append(try HealthWatch(board, clock: SystemClock())) }
        let error = #expect(throws: AudioError.self) { _ = try HealthWatch(board, clock: SystemClock()) }
        #expect(error?.code == .limitReached)
        watches = []
        _ = try HealthWatch(board, clock: SystemClock())
    }
}
