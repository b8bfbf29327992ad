import Foundation
import TestSupport
import XCTest

/// Programs that work within 64 MiB, in a control group that lets them have no more.
final class MemoryLimitTests: XCTestCase {
    /// Seconds of audio: 610 MiB, and 80 MiB of transcripts.
    private static let segments = "20000"

    private func run(_ arguments: String...) throws -> (process: Process, output: String) {
        do {
            return try MemoryLimitedGroup(limitBytes: 64 << 20).run(
                programBesideTests("AccumulatingProgram"), arguments)
        } catch let unavailable as MemoryLimitedGroup.Unavailable {
            throw XCTSkip("no group of processes with a limit of memory can be made here: \(unavailable)")
        }
    }

    func testAProgramThatKeepsEverythingIsKilled() throws {
        let (process, output) = try run(Self.segments)
        XCTAssert(process.terminationReason == .uncaughtSignal && process.terminationStatus == SIGKILL, output)
    }

    func testTheSameProgramUnderGovernanceFinishes() throws {
        try XCTSkipIf(ProcessCounts.isSanitized, "a sanitizer takes more than 64 MiB for itself")
        let (process, output) = try run(Self.segments, "--governed")
        XCTAssert(process.terminationReason == .exit && process.terminationStatus == 0, output)
        XCTAssert(output.hasPrefix("read back \(Self.segments)"), output)
    }
}
