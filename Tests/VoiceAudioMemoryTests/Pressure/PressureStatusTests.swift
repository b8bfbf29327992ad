import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioMemory

/// What is told beside the level.
struct PressureStatusTests {
    private static let mebibyte = 1 << 20

    /// The status after samples of one limit, two seconds apart.
    private func status(
        limit limitBytes: Int = 1000 << 20, used: [Int], _ configuration: MemoryPressureConfiguration = .standard
    ) throws -> MemoryPressureStatus {
        var levels = PressureLevels(configuration: configuration)
        var status: MemoryPressureStatus?
        for (index, usedBytes) in used.enumerated() {
            let limit = MemoryLimit(origin: .cgroupV1, groupPath: "/app", limitBytes: limitBytes, usedBytes: usedBytes)
            status = levels.note(
                MemorySample(limits: [limit], processRSSBytes: 5),
                at: MonotonicInstant(nanoseconds: Int64(index) * 2_000_000_000))
        }
        return try #require(status)
    }

    @Test func theTrendIsTheSlopeOfTheLastTenSamples() throws {
        // Ten at 3 MiB/s behind a leap that is forgotten.
        let rising = try status(used: ([900, 900] + (0..<10).map { 500 + $0 * 6 }).mib)
        #expect(rising.trend.direction == .rising)
        #expect(abs(rising.trend.bytesPerSecond - 3 * Self.mebibyte) <= 1)
        // From 554 MiB to 900 MiB.
        #expect(abs(try #require(rising.trend.secondsToCritical) - 346.0 / 3) < 0.001)
        #expect(abs(rising.averagePercent - 54.2) < 0.001 && abs(rising.usedPercent - 55.4) < 0.001)

        let falling = try status(used: (0..<10).map { 900 - $0 * 6 }.mib)
        #expect(falling.trend.direction == .falling && falling.trend.secondsToCritical == nil)
        #expect(abs(falling.trend.bytesPerSecond + 3 * Self.mebibyte) <= 1)

        // 0.02 % of the limit are 0.2 MiB/s: 0.15 are none, 0.25 are some.
        let kibibytes = { (step: Int) in (0..<10).map { (500 << 20) + $0 * step * 2048 } }
        #expect(try status(used: kibibytes(153)).trend.direction == .steady)
        #expect(try status(used: kibibytes(256)).trend.direction == .rising)
        #expect(try status(used: [500, 600].mib).trend.direction == .steady, "two points are always a line")
        #expect(try status(used: [500, 800, 950].mib).trend.secondsToCritical == 0)
    }

    @Test func whatIsNearestToItsLimitDecidesAndHeadroomLooksAtAll() throws {
        var levels = PressureLevels(configuration: .standard)
        let group = MemoryLimit(origin: .cgroupV2, groupPath: "/app", limitBytes: 512 << 20, usedBytes: 200 << 20)
        let machine = MemoryLimit(origin: .machine, limitBytes: 24 << 30, usedBytes: 18 << 30)
        let sample = MemorySample(limits: [group, machine], processRSSBytes: 7)
        #expect(sample.capacityBytes == 512 << 20)
        let noted = levels.note(sample, at: MonotonicInstant(nanoseconds: 0))
        let status = try #require(noted)
        #expect(status.level == .moderate && status.origin == .machine && status.groupPath == nil)
        #expect(status.limitBytes == 24 << 30 && status.freeBytes == 6 << 30 && status.usedPercent == 75)
        #expect(status.minimumFreeBytes == (24 << 30) / 10)
        // The group's 312 MiB less its 64.
        #expect(status.headroomBytes == 248 << 20 && status.capacityBytes == 512 << 20 && status.processRSSBytes == 7)
        let nothing = levels.note(
            MemorySample(limits: [], processRSSBytes: 7), at: MonotonicInstant(nanoseconds: 1))
        #expect(nothing == nil)
    }

    @Test func theMinimumOfFreeMemoryFollowsFromTheLimit() {
        let standard = MemoryPressureConfiguration.standard
        let mebibytes = [64: 8, 512: 64, 4096: 512, 8192: 1024, 9216: 1024, 10240: 1024, 20480: 2048, 0: 0]
        for (limit, minimum) in mebibytes {
            #expect(standard.minimumFreeBytes(ofLimit: limit << 20) == minimum << 20, "\(limit) MiB")
        }
    }

    @Test func lessThanTheMinimumIsHighAndLessThanHalfOfItCritical() throws {
        let late = try MemoryPressureConfiguration(moderatePercent: 97, highPercent: 98, criticalPercent: 99)
        // 800 MiB keep 100 MiB free.
        func level(freeBytes: Int) throws -> MemoryPressureLevel {
            try status(limit: 800 << 20, used: [(800 << 20) - freeBytes], late).level
        }
        #expect(try level(freeBytes: 100 << 20) == .low)
        #expect(try level(freeBytes: (100 << 20) - 1) == .high)
        #expect(try level(freeBytes: 50 << 20) == .high)
        #expect(try level(freeBytes: (50 << 20) - 1) == .critical)
        // What a program sets is taken as it is.
        let own = try MemoryPressureConfiguration(minimumFreeBytes: 600 << 20)
        #expect(try status(limit: 800 << 20, used: [300 << 20], own).level == .high)
        #expect(try status(limit: 500 << 20, used: [1], own).level == .high)
        #expect(try status(limit: 250 << 20, used: [0], own).level == .critical)
    }

    /// `Int.max` is how a source may say that there is no limit.
    @Test(arguments: [Int.min, -1, 0, 1, Int.max], [Int.min, -1, 0, 1, Int.max])
    func whateverASourceTellsIsReckonedWith(limitBytes: Int, usedBytes: Int) throws {
        for minimum in [nil, 0, Int.max] {
            let configuration = try MemoryPressureConfiguration(minimumFreeBytes: minimum)
            let status = try status(limit: limitBytes, used: [0, usedBytes, 0, usedBytes], configuration)
            #expect(status.limitBytes >= 0 && status.headroomBytes >= 0)
            if limitBytes == .max, usedBytes <= 1, minimum != Int.max { #expect(status.level == .low) }
            #expect(try MemoryCapacity.part(100, of: status.capacityBytes, for: "x") == status.capacityBytes)
        }
    }

    @Test(arguments: [(0, 80, 90), (70, 80, 100), (80, 80, 90), (70, 95, 90), (-1, 0, 1)])
    func thresholdsThatDoNotAscendAreRefused(moderate: Int, high: Int, critical: Int) {
        let error = #expect(throws: AudioError.self) {
            try MemoryPressureConfiguration(
                moderatePercent: moderate, highPercent: high, criticalPercent: critical)
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(
            error?.message.contains("moderate from \(moderate) %, high from \(high) % and critical from \(critical) %")
                == true)
    }

    @Test func otherSettingsAreChecked() throws {
        for interval in [Duration.zero, .milliseconds(99), .seconds(3601)] {
            #expect(throws: AudioError.self) { try MemoryPressureConfiguration(interval: interval) }
        }
        #expect(throws: AudioError.self) { try MemoryPressureConfiguration(minimumFreeBytes: -1) }
        #expect(try MemoryPressureConfiguration(interval: .milliseconds(100)).interval == .milliseconds(100))
        // A level that stands for next to nothing can be left, too.
        let low = try MemoryPressureConfiguration(moderatePercent: 1, highPercent: 2, criticalPercent: 3)
        #expect(try status(used: [50, 0, 0, 0, 0].mib, low).level == .low)
    }

    @Test func theReportIsTheSameAfterJSONAndHasSnakeCaseKeys() throws {
        let status = try status(used: [500, 700, 810].mib)
        let data = try JSONEncoder().encode(status)
        #expect(try JSONDecoder().decode(MemoryPressureStatus.self, from: data) == status)
        let text = String(decoding: data, as: UTF8.self)
        for part in [
            #""level":"high""#, #""origin":"cgroup_v1""#, #""group_path":"\/app""#, #""sampled_at_ns":4000000000"#,
            #""process_rss_bytes":5"#, #""direction":"rising""#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
    }
}

extension [Int] {
    /// As mebibytes.
    fileprivate var mib: [Int] { map { $0 << 20 } }
}
