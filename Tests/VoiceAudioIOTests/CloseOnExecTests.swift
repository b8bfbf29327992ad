import CLinux
import Foundation
import Glibc
import TestSupport
import VoiceAudioCore
import XCTest

@testable import VoiceAudioIO

/// Programs that the host starts inherit nothing of ours: XCTest runs one test at a time, so what is new is ours.
final class CloseOnExecTests: XCTestCase {
    private let scratch = Scratch()

    /// Each open descriptor, and what it is open on.
    private static func descriptors() throws -> [Int32: String] {
        var found: [Int32: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + name)
            if let number = Int32(name), let target { found[number] = target }
        }
        return found
    }

    /// What a program that is started now has open.
    private func inherited() throws -> [String] {
        // SAFETY: constant strings; the stream is closed once, after it was read.
        guard let stream = unsafe popen("for d in /proc/self/fd/*; do readlink $d; done", "r") else { return [] }
        defer { unsafe pclose(stream) }
        let handle = FileHandle(fileDescriptor: unsafe fileno(stream), closeOnDealloc: false)
        let lines = String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n").map(
            String.init)
        // Pipes and directories are the shell's and its readlink's own.
        return lines.filter { !$0.hasPrefix("pipe:") && !$0.hasPrefix("/proc/") }
    }

    /// Everything that was opened by `body` while it is open.
    private func assertNothingIsInherited(
        atLeast count: Int, but known: Set<String> = [], _ body: (_ check: () throws -> Void) throws -> Void
    ) throws {
        let before = try Self.descriptors()
        let inheritedBefore = try inherited()
        var hasChecked = false
        try body {
            let new = try Self.descriptors().filter { before[$0.key] != $0.value }
            XCTAssertGreaterThanOrEqual(new.count, count, "\(new)")
            for (number, target) in new where !known.contains(target) {
                XCTAssertEqual(clinux_fcntl_int(number, F_GETFD, 0) & FD_CLOEXEC, FD_CLOEXEC, "\(number): \(target)")
            }
            if known.isEmpty { XCTAssertEqual(try inherited(), inheritedBefore) }
            hasChecked = true
        }
        XCTAssertTrue(hasChecked)
    }

    private func withCapture(from source: any CaptureSource, _ body: (BoundedAudioBuffer) throws -> Void) throws {
        let clock = SystemClock()
        let deadline = clock.now.advanced(by: .seconds(60))
        let history = try BoundedAudioBuffer(
            maxChunks: 10, maxBytes: 1 << 20, format: .speech, maxChunkBytes: 3200, clock: clock)
        let plan = CapturePlan(source: source, request: CaptureRequest(format: .speech, chunkFrameCount: 1600))
        let capture = try Capture(plan, history: history, by: deadline, abort: try WakeUp(), abandon: { _ in })
        XCTAssertEqual(try history.waitForChunks(timeout: .seconds(60)), .ready)
        try body(history)
        XCTAssertTrue(capture.stop(by: clock.now.advanced(by: .seconds(60))))
    }

    func testFiles() throws {
        let samples = [Int16](repeating: 1, count: 1000)
        let path = scratch.file("kept.wav")
        try assertNothingIsInherited(atLeast: 6) { check in
            try withTemporaryWAV(samples: samples, format: .speech, directory: scratch.path, minimumFreeBytes: 0) { _ in
                try withTemporaryWAV(
                    samples: samples, format: .speech, named: true, directory: scratch.path, minimumFreeBytes: 0
                ) { wav in
                    let writer = try RecordingWriter(path: path, format: .speech, minimumFreeBytes: 0)
                    let reader = try SoundFileReader(path: wav.path)
                    try AtomicFile.write(to: scratch.file("atomic"), byteCount: 0, minimumFreeBytes: 0) {
                        _ throws(AudioError) in
                        do { try check() } catch { XCTFail("\(error)") }
                    }
                    withExtendedLifetime(reader) {}
                    try writer.finish()
                }
            }
        }
    }

    func testWaiting() async throws {
        let before = try Self.descriptors()
        let (watch, notifier) = (try DeviceWatch(), try DescriptorNotifier.running())
        let wakeUp = try WakeUp()
        let waiting = Task { await notifier.waitUntilReadable(wakeUp.descriptor) }
        let isWaiting = try await eventuallyOffThePool {
            (try? Self.descriptors().values.count { $0.contains("eventfd") }) ?? 0 > 3
        }
        XCTAssertTrue(isWaiting)
        for (number, target) in try Self.descriptors() where before[number] != target {
            XCTAssertEqual(clinux_fcntl_int(number, F_GETFD, 0) & FD_CLOEXEC, FD_CLOEXEC, "\(number): \(target)")
        }
        wakeUp.signal()
        _ = await waiting.value
        watch.end()
    }

    func testSimulatedCapture() throws {
        try assertNothingIsInherited(atLeast: 4) { check in
            try withCapture(from: SimulatedSource(toneHz: 440)) { _ in try check() }
        }
    }

    func testALSACapture() throws {
        try withNumberedMicrophone("channels 1 rates 16000") { numbered in
            for device in [numbered, "plug:\(numbered)", "null"] {
                try assertNothingIsInherited(atLeast: 5) { check in
                    try withCapture(from: ALSASource(device: device)) { _ in try check() }
                }
            }
        }
    }

    func testPulseAudioCapture() throws {
        guard let server = try? PulseServer() else { throw XCTSkip("pulseaudio is not installed") }
        server.useInThisProcess()
        defer { server.stop() }
        try assertNothingIsInherited(atLeast: 5) { check in
            try withCapture(from: ALSASource(device: server.device)) { _ in try check() }
        }
    }
}
