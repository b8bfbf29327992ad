import Foundation
import Synchronization
import TestSupport
import Testing
import VoiceAudioCore
import VoiceAudioIO

/// A format of the numbered PCM's, and what its samples should be: written from the documentation, not from the C.
enum NumberedFormat: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case s16 = "S16_LE"
    case packed24 = "S24_3LE"
    case padded24 = "S24_LE"
    case s32 = "S32_LE"
    case float = "FLOAT_LE"

    var testDescription: String { rawValue }

    /// What our capture delivers it as: 24 bits without the padding.
    var delivered: SampleFormat {
        switch self {
        case .s16: .s16
        case .packed24, .padded24: .s24
        case .s32: .s32
        case .float: .f32
        }
    }

    /// Bits that carry the number.
    private var bits: UInt64 {
        switch self {
        case .s16: 16
        case .packed24, .padded24, .float: 24
        case .s32: 32
        }
    }

    private var frameFactor: UInt64 { 0x9E37_79B1 >> (32 - bits) }
    private var channelFactor: UInt64 { 0xA54F_F53B >> (32 - bits) }
    private var mask: UInt64 { 1 << bits - 1 }

    /// The bits of one sample.
    func sample(number: Int, channel: Int) -> UInt64 {
        let number = UInt64(number)
        let sample = number &* (frameFactor &+ 2 &* (number >> bits)) &+ UInt64(channel) &* channelFactor
        return sample & mask
    }

    /// The number, modulo 2 to the 2 × bits − 1, of the first of two successive frames, by their samples on channel 0.
    func number(from first: UInt64, _ second: UInt64) -> Int {
        let factor = (second &- first) & mask
        let upper = ((factor &- frameFactor) & mask) >> 1
        // Newton's way to the inverse of an odd number: each step doubles the bits that are right.
        var inverse = factor
        for _ in 0..<5 { inverse = inverse &* (2 &- factor &* inverse) }
        return Int(upper << bits | first &* inverse & mask)
    }

    /// The frames of these numbers as our capture delivers them.
    func bytes(of numbers: Range<Int>, channels: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(numbers.count * channels * 4)
        for number in numbers {
            for channel in 0..<channels {
                var word = sample(number: number, channel: channel)
                if self == .float {
                    let value = Int32(truncatingIfNeeded: word << 8) >> 8
                    word = UInt64((Float(value) / 8_388_608).bitPattern)
                }
                for index in 0..<UInt64(delivered.bytesPerSample) {
                    bytes.append(UInt8(truncatingIfNeeded: word >> (8 * index)))
                }
            }
        }
        return bytes
    }
}

/// The plugin, which SwiftPM builds with the tests.
private var pluginPath: String { programBesideTests("libasound_module_pcm_numbered.so").path }

/// The ALSA configuration of a numbered PCM with these fields.
func numberedConfiguration(_ fields: String, name: String = "voiceaudio_numbered") -> String {
    """
    pcm_type.numbered { lib "\(pluginPath)" }
    pcm.\(name) { type numbered \(fields) }
    """
}

/// How many there were.
private let microphoneCount = Atomic(0)

/// Runs `body` with the name of a numbered PCM with these fields, which no other has: a script of faults begins anew.
func withNumberedMicrophone<Result>(_ fields: String, _ body: (String) throws -> Result) throws -> Result {
    let name = "voiceaudio_numbered_\(microphoneCount.add(1, ordering: .relaxed).newValue)"
    return try withTemporaryDirectory { directory in
        try withALSAConfiguration(numberedConfiguration(fields, name: name), in: directory) { try body(name) }
    }
}

/// The first chunks that a capture of the device brings, whole way: capture thread, rechunking, history.
///
/// - Returns: The chunks, and what the capture said that it opened.
func captureChunks(
    _ count: Int, from device: String, format: AudioFormat, chunkFrameCount: Int
) throws -> (chunks: [AudioChunk], report: CaptureReport) {
    let clock = SystemClock()
    let chunkBytes = chunkFrameCount * format.bytesPerFrame
    // What comes after the first chunks is refused.
    let history = try BoundedAudioBuffer(
        maxChunks: count, maxBytes: count * chunkBytes, overflow: .uniform(.dropNewest), format: format,
        maxChunkBytes: chunkBytes)
    let deadline = clock.now.advanced(by: .seconds(60))
    let capture = try Capture(
        source: ALSASource(device: device),
        request: CaptureRequest(format: format, chunkFrameCount: chunkFrameCount), environment: CaptureEnvironment(),
        history: history, subscribers: SubscriberTable(), health: HealthBoard(), realtimePriority: 0, by: deadline,
        abort: try WakeUp(),
        abandon: { _ in })
    let result = try history.waitForChunks(count, timeout: .seconds(60))
    guard capture.stop(by: deadline) else { throw Unexpected("the capture thread does not end") }
    guard result == .ready else { throw Unexpected("\(history.count) chunks: \(result), \(capture.outcome)") }
    return (try history.drain(), capture.report)
}
