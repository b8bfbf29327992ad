import CLinux
import Glibc
import TestSupport
import VoiceAudio
import VoiceAudioCore
import VoiceAudioIO
import XCTest

/// A descriptor that was handed over is closed, once, however the capture ends.
final class DescriptorLeakTests: XCTestCase {
    private func makePipe() throws -> (readEnd: Int32, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        // SAFETY: the kernel fills two numbers.
        let status = unsafe ends.withUnsafeMutableBufferPointer { unsafe clinux_pipe($0.baseAddress, O_CLOEXEC) }
        XCTAssertEqual(status, 0)
        return (ends[0], ends[1])
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) {
        // SAFETY: the array lives through the call; a pipe takes as much at once.
        XCTAssertEqual(unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }, bytes.count)
    }

    private func processor(_ source: DescriptorSource, clock: any AudioClock = SystemClock()) -> AudioProcessor {
        var configuration = AudioConfiguration()
        configuration.chunkFrameCount = 160
        configuration.maxChunks = 50
        return AudioProcessor(source: source, configuration: configuration, clock: clock)
    }

    /// The ways in which a capture begins and ends.
    private func cycle(_ way: Int, _ source: DescriptorSource, writeEnd: Int32) throws {
        let processor = processor(source)
        switch way {
        case 0:
            // Stopped while nothing comes.
            try processor.arm()
            try processor.start()
            XCTAssertEqual(try processor.stop().frameCount, 0)
            processor.cleanup()
        case 1:
            // Cleaned up while something comes.
            let listener = try processor.subscribe(chunks: 10)
            send([UInt8](repeating: 7, count: 3201), to: writeEnd)
            try processor.arm()
            XCTAssertEqual(try listener.next(timeout: .seconds(60))?.frameCount, 160)
            processor.cleanup()
        case 2:
            // Dropped.
            try processor.arm()
        case 3:
            // Refused.
            send(Array("fLaC".utf8), to: writeEnd)
            XCTAssertThrowsError(try processor.arm())
        case 4:
            // Never opened.
            break
        default:
            // Opened twice.
            try processor.arm()
            processor.cleanup()
            XCTAssertThrowsError(try processor.arm()) { XCTAssertEqual(($0 as? AudioError)?.code, .invalidState) }
        }
    }

    func testCyclesAreLevel() throws {
        func cycles(_ count: Int) throws {
            for round in 0..<count {
                let pipe = try makePipe()
                let contents: DescriptorSource.Contents = round % 6 == 3 ? .automatic : .raw(nil)
                try cycle(
                    round % 6, DescriptorSource(descriptor: pipe.readEnd, contents: contents), writeEnd: pipe.writeEnd)
                var entry = pollfd(fd: pipe.writeEnd, events: 0, revents: 0)
                // SAFETY: a local.
                XCTAssertTrue(eventually { unsafe poll(&entry, 1, 0) == 1 }, "way \(round % 6): it is still open")
                close(pipe.writeEnd)
            }
        }
        try cycles(24)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        let descriptors = ProcessCounts.descriptors
        try cycles(240)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        XCTAssertEqual(ProcessCounts.descriptors, descriptors)
    }

    /// What is opened later under the number that was closed stays open: XCTest runs one test at a time.
    func testNothingIsClosedTwice() throws {
        for way in 0..<6 {
            let pipe = try makePipe()
            let other = try makePipe()
            var source: DescriptorSource? = DescriptorSource(descriptor: pipe.readEnd, contents: .automatic)
            var stream: (any CaptureStream)?
            switch way {
            case 0...2:
                send([1, 2, 3, 4], to: pipe.writeEnd)
                stream = try source?.open(
                    CaptureRequest(format: .speech, chunkFrameCount: 10), in: CaptureEnvironment())
                stream?.close()
            case 3:
                send(Array("OggS".utf8), to: pipe.writeEnd)
                XCTAssertThrowsError(
                    try source?.open(CaptureRequest(format: .speech, chunkFrameCount: 10), in: CaptureEnvironment()))
            case 4:
                send([1, 2, 3, 4], to: pipe.writeEnd)
                _ = try source?.open(CaptureRequest(format: .speech, chunkFrameCount: 10), in: CaptureEnvironment())
            default: source = nil
            }
            XCTAssertEqual(clinux_fcntl_int(other.readEnd, F_DUPFD_CLOEXEC, pipe.readEnd), pipe.readEnd, "way \(way)")
            if way == 1 {
                XCTAssertThrowsError(
                    try source?.open(CaptureRequest(format: .speech, chunkFrameCount: 10), in: .init()))
            }
            stream = nil
            source = nil
            XCTAssertGreaterThanOrEqual(clinux_fcntl_int(pipe.readEnd, F_GETFD, 0), 0, "way \(way): closed twice")
            for descriptor in [pipe.readEnd, pipe.writeEnd, other.readEnd, other.writeEnd] { close(descriptor) }
        }
    }

    /// The thread that waits for a header that does not come ends when it is asked to, or within two seconds.
    func testOpeningWaitsNoLongerThanForTheHeader() throws {
        let clock = ManualClock()
        let pipe = try makePipe()
        let processor = processor(DescriptorSource(descriptor: pipe.readEnd, contents: .wav), clock: clock)
        let arming = try ThreadResult { try processor.arm() }
        XCTAssertTrue(clock.waitUntilWaiting(dueWithin: .seconds(2)))
        clock.advance(by: .seconds(2))
        try arming.value()
        XCTAssertEqual(processor.state, .ready)
        // The hand stands still: only the wake-up ends the wait for a header.
        processor.cleanup()
        XCTAssertEqual(processor.state, .idle)
        XCTAssertTrue(eventually { ProcessCounts.threads() == 0 }, "\(ProcessCounts.threadNames)")
        close(pipe.writeEnd)
    }
}
