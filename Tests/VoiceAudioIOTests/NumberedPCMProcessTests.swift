import TestSupport
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// What the plugin holds of the process: XCTest runs one test at a time.
final class NumberedPCMProcessTests: XCTestCase {
    func testTwoHundredOpensLeaveDescriptorsAndMemoryLevel() throws {
        func cycle(_ count: Int, fields: String) throws {
            try withNumberedMicrophone(fields) { device in
                let wakeUp = CaptureWakeUp(try WakeUp())
                for index in 0..<count {
                    let stream = try ALSASource(device: device).open(
                        CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment())
                    // Some are closed before they start, some while frames wait.
                    if index % 3 > 0 { try stream.start() }
                    while index % 3 > 1, try stream.readSamples().samples.isEmpty { try stream.wait(orFor: wakeUp) }
                    stream.close()
                }
            }
        }
        func refused(_ count: Int) throws {
            try withNumberedMicrophone("channels 99") { device in
                for _ in 0..<count {
                    XCTAssertThrowsError(
                        try ALSASource(device: device).open(
                            CaptureRequest(format: .speech, chunkFrameCount: 160), in: CaptureEnvironment()))
                }
            }
        }
        let faults = "faults [ \"every 500 error EIO in pointer\" \"at open 5 error EBUSY\" ] release_file \"/nowhere\""
        func failing(_ count: Int) throws {
            try withNumberedMicrophone("speed 100 \(faults)") { device in
                for index in 1...count {
                    do {
                        let reader = try PlainReader(device, rate: 16_000, periodFrames: 160, bufferFrames: 640)
                        try reader.start()
                        _ = try readOn(reader, most: 160)
                    } catch let failure as PlainReader.Failure {
                        XCTAssert(index == 5 && failure.status == -EBUSY)
                    }
                }
            }
        }
        try cycle(20, fields: "speed 100")
        try refused(20)
        try failing(10)
        let before = (descriptors: ProcessCounts.descriptors, bytes: ProcessCounts.residentBytes)
        // Slow under a sanitizer, where resident memory is not looked at.
        let count = ProcessCounts.isSanitized ? 50 : 200
        try cycle(count, fields: "speed 100")
        try refused(count)
        try failing(40)
        // Fewer where something of a test before had not ended yet.
        XCTAssertLessThanOrEqual(ProcessCounts.descriptors, before.descriptors)
        if !ProcessCounts.isSanitized { XCTAssertLessThan(ProcessCounts.residentBytes - before.bytes, 1 << 20) }
    }
}
