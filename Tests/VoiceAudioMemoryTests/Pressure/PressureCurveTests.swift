import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// What the level becomes over recorded curves: to the sample.
struct PressureCurveTests {
    private static let limitBytes = 1000 << 20

    private struct Change: Equatable, CustomStringConvertible {
        let seconds: Double
        let level: MemoryPressureLevel
        var description: String { "\(level) at \(seconds) s" }
    }

    /// The changes of the level over used percentages, one sample after the other.
    private func changes(_ percents: [Double], every interval: Duration = .seconds(2)) -> [Change] {
        let clock = ManualClock()
        let start = clock.now
        var levels = PressureLevels(configuration: .standard)
        var changes: [Change] = []
        for percent in percents {
            let used = Int(percent * Double(Self.limitBytes) / 100)
            let before = levels.level
            let limit = MemoryLimit(origin: .cgroupV2, limitBytes: Self.limitBytes, usedBytes: used)
            _ = levels.note(MemorySample(limits: [limit], processRSSBytes: 0), at: clock.now)
            if levels.level != before {
                changes.append(Change(seconds: start.duration(to: clock.now) / .seconds(1), level: levels.level))
            }
            clock.advance(by: interval)
        }
        return changes
    }

    @Test func aSlowClimbPassesEachLevelOnceAtItsThreshold() {
        let climb = changes((50...99).map(Double.init))
        #expect(
            climb == [
                Change(seconds: 40, level: .moderate), Change(seconds: 60, level: .high),
                Change(seconds: 80, level: .critical),
            ])
    }

    @Test func aSpikeIsCriticalAtOnceAndOverSixSecondsAfterItsEnd() {
        // Quiet at 6, 8, 10 and 12 s.
        #expect(
            changes([50, 50, 95] + Array(repeating: 50, count: 10))
                == [Change(seconds: 4, level: .critical), Change(seconds: 12, level: .low)])
        // Samples that come faster do not make it shorter: quiet from 0.5 s on.
        #expect(
            changes([50, 95] + Array(repeating: 50, count: 40), every: .milliseconds(250))
                == [Change(seconds: 0.25, level: .critical), Change(seconds: 6.5, level: .low)])
        // Nor do samples that come slowly: three it must be.
        #expect(
            changes([95, 50, 50, 50, 50], every: .seconds(20))
                == [Change(seconds: 0, level: .critical), Change(seconds: 60, level: .low)])
    }

    @Test(arguments: [(79.9, 80.0), (74, 81), (10, 80), (75.1, 84)])
    func useThatSwingsAboutAThresholdChangesTheLevelOnce(below: Double, above: Double) {
        let flapping = changes([71] + (0..<200).map { $0.isMultiple(of: 2) ? above : below })
        #expect(flapping == [Change(seconds: 0, level: .moderate), Change(seconds: 2, level: .high)])
        // Two samples below at a time are no more than one.
        let slower = changes([71] + (0..<300).map { $0.isMultiple(of: 3) ? above : below })
        #expect(slower == [Change(seconds: 0, level: .moderate), Change(seconds: 2, level: .high)])
    }

    @Test(arguments: [(79.9, 80.0), (75, 84)])
    func useThatStaysWithinFivePercentOfAThresholdMayStayThereForLong(below: Double, above: Double) {
        let swings = (0..<10).flatMap { Array(repeating: $0.isMultiple(of: 2) ? above : below, count: 20) }
        #expect(changes(swings) == [Change(seconds: 0, level: .high)])
    }

    @Test func aRecoveryFallsToTheHighestLevelThatItsQuietTimeHeld() {
        // 87 % holds `critical`, 84 % does not, and holds `high`.
        #expect(
            changes([92] + Array(repeating: 87, count: 20) + [84, 84, 84, 84] + Array(repeating: 76, count: 20))
                == [Change(seconds: 0, level: .critical), Change(seconds: 48, level: .high)])
        // What was the worst of it counts, wherever it stood.
        #expect(
            changes([92, 60, 84, 60, 60])
                == [Change(seconds: 0, level: .critical), Change(seconds: 8, level: .high)])
        // From the top to the bottom in one step where it is as low as that.
        #expect(
            changes([92, 60, 60, 60, 60])
                == [Change(seconds: 0, level: .critical), Change(seconds: 8, level: .low)])
        // Just below the thresholds on the way down: 85, 75 and 65 %.
        let steps = [85.0, 75, 65].flatMap { Array(repeating: $0, count: 4) + Array(repeating: $0 - 0.1, count: 4) }
        #expect(
            changes([92] + steps)
                == [
                    Change(seconds: 0, level: .critical), Change(seconds: 16, level: .high),
                    Change(seconds: 32, level: .moderate), Change(seconds: 48, level: .low),
                ])
    }

    @Test func aNewRiseEndsWhatWasQuiet() {
        #expect(
            changes([82, 60, 60, 60, 91, 60, 60, 60, 60])
                == [
                    Change(seconds: 0, level: .high), Change(seconds: 8, level: .critical),
                    Change(seconds: 16, level: .low),
                ])
    }
}
