import Foundation
import Testing
import VoiceAudioCore

@testable import VoiceAudioIO

/// A directory that is gone when the test is.
final class Scratch {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "voice-audio-test-" + UUID().uuidString
        try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    /// Names in the directory.
    var names: [String] { try! FileManager.default.contentsOfDirectory(atPath: path).sorted() }
}

/// Bytes that look like nothing in particular, and are the same each time; as `f32`, numbers in −1…1.
func sampleBytes(_ count: Int, of format: AudioFormat, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state >> 11
    }
    let samples = count * format.channelCount
    guard format.sampleFormat == .f32 else {
        return (0..<samples * format.sampleFormat.bytesPerSample).map { _ in UInt8(truncatingIfNeeded: next() >> 20) }
    }
    return rawBytes(of: (0..<samples).map { _ in Float(Int64(next() % 2_000_001) - 1_000_000) / 1_000_000 })
}

/// The bytes of samples as they stand in memory.
func rawBytes<Sample: BitwiseCopyable>(of samples: [Sample]) -> [UInt8] {
    // SAFETY: plain values; the bytes are copied.
    unsafe samples.withUnsafeBytes { unsafe Array($0) }
}

/// Bytes as samples.
func typed<Sample: BitwiseCopyable>(_ type: Sample.Type, of bytes: [UInt8]) -> [Sample] {
    withRawSpan(of: bytes) { span in span.withSamples(as: type) { samples in samples.indices.map { samples[$0] } } }
}

/// Lends bytes.
func withRawSpan<Result>(of bytes: [UInt8], _ body: (RawSpan) throws -> Result) rethrows -> Result {
    // SAFETY: the elements are plain bytes.
    try body(unsafe bytes.span.bytes)
}

/// A clock that stands still until it is told.
final class StandingClock: AudioClock {
    private let time = Lock(MonotonicInstant(nanoseconds: 0))
    var now: MonotonicInstant { time.withLock { $0 } }
    func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    func wait(for descriptors: borrowing DescriptorSet, until deadline: MonotonicInstant?) -> Int { 0 }
}

/// Every type of recording.
let recordingTypes: [RecordingFileType] = [.wav, .flac(), .opus()]

/// Every format and the channel counts that matter.
let shapes: [AudioFormat] = SampleFormat.allCases.flatMap { sampleFormat in
    [1, 2, 6].map { AudioFormat(sampleRateHz: 16_000, channelCount: $0, sampleFormat: sampleFormat) }
}

extension SoundFileReader {
    /// All frames from here on, read `step` frames at a time.
    func readAll(as format: SampleFormat, step: Int = 1000) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0xAA, count: step * channelCount * format.bytesPerSample)
        while true {
            var span = buffer.mutableSpan
            // SAFETY: any byte is a valid element.
            var raw = unsafe span.mutableBytes
            let count = try read(into: &raw, as: format)
            all += buffer[..<(count * channelCount * format.bytesPerSample)]
            if count < step { return all }
        }
    }
}

/// Opens an empty file for the body, and closes it.
func withNewFile<Result>(_ path: String, _ body: (Int32) throws -> Result) throws -> Result {
    // SAFETY: the path lives through the call.
    let descriptor = unsafe open(path, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0o600)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    return try body(descriptor)
}

/// What a program prints; `nil` where it is not installed or fails.
func output(of program: String, _ arguments: String...) -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
}

/// Checks that `body` throws an `AudioError` with that code, and returns it.
@discardableResult
func expectError(
    _ code: AudioError.Code, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> AudioError? {
    let error = #expect(throws: AudioError.self, sourceLocation: sourceLocation) { try body() }
    #expect(error?.code == code, sourceLocation: sourceLocation)
    return error
}

/// What `stat` says of a file's type and permissions, in octal.
func mode(of path: String) throws -> String {
    var information = stat()
    // SAFETY: the kernel fills a local; the path lives through the call.
    try #require(unsafe lstat(path, &information) == 0)
    return String(information.st_mode & 0o7777, radix: 8)
}

/// Whether a path leads to a file.
func exists(_ path: String) -> Bool {
    // SAFETY: the path lives through the call.
    unsafe access(path, F_OK) == 0
}
