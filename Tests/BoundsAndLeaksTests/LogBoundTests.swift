import TestSupport
import VoiceAudioCore
import XCTest

final class LogBoundTests: XCTestCase {
    /// 50,000 messages of 2 KiB, all different, are 100 MiB; the table may have 256 of them.
    func testACollapsingSinkForgetsMessagesThatDiffer() throws {
        try XCTSkipIf(ProcessCounts.isSanitized, "a sanitizer keeps what was freed")
        let sink = CollapsingLogSink(SilentLogSink(), window: .seconds(1000), clock: ManualClock())
        let filler = String(repeating: "x", count: 2048)
        func log(_ range: Range<Int>) {
            for number in range {
                for _ in 0..<2 {
                    sink.log(level: .warning, message: "\(filler)\(number)", metadata: [:], source: "VoiceAudio")
                }
            }
        }
        log(0..<1000)
        let before = ProcessMemory.residentBytes
        log(1000..<50_000)
        XCTAssertLessThan(ProcessMemory.residentBytes - before, 4 << 20)
    }
}
