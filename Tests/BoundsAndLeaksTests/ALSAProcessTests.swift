import Foundation
import TestSupport
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// What concerns the whole process: XCTest runs one test at a time.
final class ALSAProcessTests: XCTestCase {
    private let request = CaptureRequest(format: .speech, chunkFrameCount: 160)

    func testFiveHundredOpensLeaveDescriptorsAndMemoryLevel() throws {
        func cycle(_ count: Int) throws {
            for index in 0..<count {
                let stream = try ALSASource(device: "null").open(request, in: CaptureEnvironment())
                try stream.start()
                // Half of them are dropped without a close.
                if index % 2 == 0 { stream.close() }
                XCTAssertThrowsError(
                    try ALSASource(device: "voiceaudio_nonsense").open(request, in: CaptureEnvironment()))
            }
        }
        // With ThreadSanitizer each takes a second, as it looks at all of the address space when a library is loaded.
        let isSlow = ProcessCounts.isThreadSanitized
        try cycle(isSlow ? 5 : 50)
        let before = (descriptors: ProcessCounts.descriptors, bytes: ProcessCounts.residentBytes)
        // Under a sanitizer resident memory is not looked at.
        try cycle(isSlow ? 10 : ProcessCounts.isSanitized ? 100 : 500)
        XCTAssertEqual(ProcessCounts.descriptors, before.descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - before.bytes, 1 << 20) }
    }

    func testWhatALSASaysGoesToTheLogAndNotToStderr() throws {
        let log = LogCollector()
        let printed = try withStandardErrorKept {
            XCTAssertThrowsError(
                try ALSASource(device: "voiceaudio_nonsense").open(request, in: CaptureEnvironment(logSink: log)))
            _ = try CaptureDevices.list()
        }
        XCTAssertEqual(printed, "")
        let lines = log.lines.withLock { $0 }
        XCTAssertTrue(lines.contains { $0.contains("Unknown PCM voiceaudio_nonsense") }, "\(lines)")
    }

    /// Outside of our calls ALSA's messages go where they went before.
    func testMessagesOfOthersAreLeftAlone() throws {
        let printed = try withStandardErrorKept {
            let stream = try ALSASource(device: "null").open(request, in: CaptureEnvironment())
            stream.close()
            XCTAssertLessThan(SystemALSACalls().open("voiceaudio_nonsense").status, 0)
        }
        XCTAssertTrue(printed.contains("ALSA lib"), printed)
    }

    /// Two streams on one thread, closed in the order in which they were opened.
    func testCollectorsEndInAnyOrder() throws {
        let second = LogCollector()
        let silent = try withStandardErrorKept {
            let first = try ALSASource(device: "null").open(request, in: CaptureEnvironment())
            let other = try ALSASource(device: "null").open(request, in: CaptureEnvironment(logSink: second))
            first.close()
            XCTAssertLessThan(SystemALSACalls().open("voiceaudio_nonsense").status, 0)
            other.close()
        }
        XCTAssertEqual(silent, "")
        XCTAssertFalse(second.lines.withLock { $0.isEmpty })
        let printed = try withStandardErrorKept { _ = SystemALSACalls().open("voiceaudio_nonsense") }
        XCTAssertTrue(printed.contains("ALSA lib"), printed)
    }

    /// What was written to descriptor 2 meanwhile.
    private func withStandardErrorKept(_ body: () throws -> Void) throws -> String {
        let path = NSTemporaryDirectory() + "/voiceaudio-stderr-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        XCTAssertTrue(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try XCTUnwrap(FileHandle(forWritingAtPath: path))
        let kept = dup(2)
        dup2(file.fileDescriptor, 2)
        defer {
            dup2(kept, 2)
            close(kept)
        }
        try body()
        return try String(contentsOfFile: path, encoding: .utf8)
    }
}
