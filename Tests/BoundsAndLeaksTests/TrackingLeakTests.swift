import CAllocationCounter
import Foundation
import TestSupport
import VoiceAudioCore
import VoiceAudioMemory
import XCTest

/// Trackers, budgets and reports leave memory and descriptors level, however many objects passed through.
///
/// `VOICEAUDIO_TRACKED_OBJECTS=100000` has that many pass through each.
final class TrackingLeakTests: XCTestCase {
    private final class Object: Sendable {}

    private let count =
        ProcessInfo.processInfo.environment["VOICEAUDIO_TRACKED_OBJECTS"].flatMap { Int($0) } ?? 20_000

    /// Runs `body` twice, and compares the process after each.
    private func assertLevel(_ body: () throws -> Void) throws {
        try body()
        ProcessMemory.trimHeap()
        let (resident, descriptors) = (ProcessCounts.residentBytes, ProcessCounts.descriptors)
        try body()
        ProcessMemory.trimHeap()
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        XCTAssertEqual(ProcessCounts.threads(), 0, "\(ProcessCounts.threadNames)")
        // A sanitizer keeps what was freed for a while, and counts for itself.
        guard allocationCounterIsActive() else { return }
        let growth = ProcessCounts.residentBytes - resident
        XCTAssertLessThan(growth, 1 << 20, "resident memory grew by \(growth) bytes")
    }

    /// Each of an owner of its own, and nobody looks.
    func testObjectsThatGo() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 1 << 20)
        let tracker = AudioObjectTracker(budget: budget)
        var number = 0
        try assertLevel {
            for _ in 0..<count / 2 {
                number += 1
                try tracker.track(Object(), byteCount: 1, owner: "owner \(number)")
            }
            XCTAssertLessThanOrEqual(tracker.objectCount, 256)
        }
        tracker.sweep()
        XCTAssertEqual(budget.usedBytes, 0)
        XCTAssertEqual(budget.report.purposes, [:])
    }

    func testBoxesAndScopes() throws {
        let budget = try MemoryBudget(name: "process", limitBytes: 100)
        let tracker = AudioObjectTracker(budget: budget)
        try assertLevel {
            for number in 0..<count / 4 {
                _ = try tracker.box(number, byteCount: 100, owner: "owner \(number)")
                try withTrackedAudio(number, byteCount: 100, owner: "owner", in: tracker) { _ in }
            }
        }
        XCTAssertEqual(tracker.objectCount, 0)
    }

    func testBudgetsThatComeAndGo() throws {
        let root = try MemoryBudget(name: "process", limitBytes: 1000)
        try assertLevel {
            for number in 0..<count / 4 {
                let child = try root.child(name: "session \(number)", limitBytes: 1000)
                let reservation = try child.reserve(600, for: "ring \(number)")
                XCTAssertThrowsError(try root.reserve(401, for: "results \(number)"))
                withExtendedLifetime(reservation) {}
            }
        }
        XCTAssertEqual(root.usedBytes, 0)
        XCTAssertEqual(root.report.children, [])
    }

    func testReports() throws {
        try assertLevel {
            for _ in 0..<count / 200 {
                XCTAssertNotNil(ProcessReport.gather().memory.residentBytes)
                _ = try DiskReport()
            }
        }
    }
}
