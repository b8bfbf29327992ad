import CAllocationCounter
import CLinux
import Foundation
import TestSupport
import VoiceAudio
import VoiceAudioIO
import XCTest

/// Recording takes constant memory, and appending allocates nothing once it runs.
final class RecordingAllocationTests: XCTestCase {
    private let directory = NSTemporaryDirectory() + "voice-audio-test-" + UUID().uuidString

    override func setUpWithError() throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    override func tearDown() { try? FileManager.default.removeItem(atPath: directory) }

    func testWAV() throws { try assertNothingAllocated(.wav) }

    func testFLAC() throws { try assertNothingAllocated(.flac()) }

    /// The Opus encoder allocates for each packet, and frees that.
    func testOpus() throws { try assertNothingAllocated(.opus(), encoderAllocates: true) }

    private func assertNothingAllocated(_ type: RecordingFileType, encoderAllocates: Bool = false) throws {
        let writer = try RecordingWriter(
            path: directory + "/a", format: .speech, type: type, minimumFreeBytes: 0)
        // A tenth of a second of something that grows louder, so that encoders use their largest buffers first.
        let chunk = (0..<1600).map { Int16(truncatingIfNeeded: ($0 &* 7919) ^ ($0 << 5)) }
        func append(_ count: Int) throws {
            // SAFETY: the elements are plain bytes.
            for _ in 0..<count { try writer.append(unsafe chunk.span.bytes) }
        }
        try append(100)
        let resident = ProcessCounts.residentBytes
        if allocationCounterIsActive() { allocationCounterStart(clinux_gettid()) }
        // A minute.
        try append(600)
        if allocationCounterIsActive() {
            allocationCounterStop()
            if !encoderAllocates { XCTAssertEqual(allocationCounterCount(), 0) }
            XCTAssertEqual(allocationCounterFreeCount(), allocationCounterCount())
            XCTAssertLessThan(ProcessCounts.residentBytes - resident, 256 << 10)
        }
        try writer.finish()
        XCTAssertEqual(writer.duration, .seconds(70))
    }
}
