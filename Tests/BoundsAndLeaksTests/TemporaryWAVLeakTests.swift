import Foundation
import TestSupport
import VoiceAudio
import XCTest

/// Temporary WAVs by the thousand: no descriptor, file or memory stays behind.
final class TemporaryWAVLeakTests: XCTestCase {
    private struct BodyError: Error {}

    private var directory = ""

    override func setUpWithError() throws {
        directory = NSTemporaryDirectory() + "voice-audio-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws { try FileManager.default.removeItem(atPath: directory) }

    private func makeAndThrowEverySecond(_ rounds: Int) {
        let samples = [Int16](repeating: 3, count: 16_000)
        for round in 0..<rounds {
            var ran = false
            do {
                try withTemporaryWAV(
                    samples: samples, format: .speech, named: round % 4 < 2, directory: directory, minimumFreeBytes: 0
                ) { wav in
                    ran = wav.byteCount == 32_044
                    if round % 2 == 1 { throw BodyError() }
                }
                XCTAssertEqual(round % 2, 0)
            } catch {
                XCTAssertTrue(error is BodyError, "\(error)")
            }
            XCTAssertTrue(ran)
        }
    }

    func testAThousandLeaveNothingBehind() throws {
        makeAndThrowEverySecond(100)
        let descriptors = ProcessCounts.descriptors
        let resident = ProcessCounts.residentBytes
        makeAndThrowEverySecond(1000)
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - resident, 1 << 20) }
        XCTAssertEqual(try fileCount(), 1, "more than the private directory was left")
    }

    func testRefusalsLeaveNothingBehind() throws {
        func refuse(_ rounds: Int) {
            for _ in 0..<rounds {
                XCTAssertThrowsError(
                    try withTemporaryWAV(wavBytes: [1, 2, 3], directory: directory, minimumFreeBytes: 0) { _ in })
                XCTAssertThrowsError(
                    try withTemporaryWAV(
                        samples: [UInt8(1)], format: .speech, named: true, directory: directory, minimumFreeBytes: 0
                    ) { _ in })
                XCTAssertThrowsError(
                    try RecordingWriter(path: directory, format: .speech, type: .wav, minimumFreeBytes: 0))
                for suffix in ["wav", "flac", "opus"] {
                    let path = directory + "/a." + suffix
                    XCTAssertThrowsError(
                        try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 1 << 60))
                }
            }
        }
        refuse(10)
        let descriptors = ProcessCounts.descriptors
        refuse(200)
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
        XCTAssertEqual(try fileCount(), 1, "more than the private directory was left")
    }

    private func fileCount() throws -> Int {
        try FileManager.default.subpathsOfDirectory(atPath: directory).count
    }
}
