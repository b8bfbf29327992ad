public import VoiceAudioCore
import VoiceAudioIO

/// A piece of sound to transcribe: in memory, or got when its turn has come.
public struct TranscriptionSegment: Sendable {
    /// Bytes that the segment takes while it is worked on: admission asks for them.
    public let estimatedBytes: Int

    let content: @Sendable () async throws -> WAVContent

    /// Interleaved samples.
    ///
    /// - Parameters:
    ///   - samples: Whole frames: `Int16` for `s16`, `Int32` for `s32`, `Float` for `f32`, or the bytes of any format as
    ///     `UInt8`. Where they are not of that format, the segment's result says so.
    ///   - format: The shape of the frames.
    public init<Sample: BitwiseCopyable & Sendable>(samples: [Sample], format: AudioFormat) {
        estimatedBytes = samples.count * MemoryLayout<Sample>.stride
        content = { try WAVContent(samples: samples, format: format) }
    }

    /// The bytes of a WAV file.
    ///
    /// - Parameter wavBytes: The whole file. Where it is none, the segment's result says so.
    public init(wavBytes: [UInt8]) {
        estimatedBytes = wavBytes.count
        content = { try WAVContent(wavBytes: wavBytes) }
    }

    /// A segment that is loaded when its turn has come, again at each attempt, and let go of with its file: a thousand of
    /// these are not in memory at once.
    ///
    /// - Parameters:
    ///   - estimatedBytes: Bytes that it takes when loaded, 0 or more.
    ///   - load: Gets it. What it throws is the segment's result.
    public init(estimatedBytes: Int, load: @escaping @Sendable () async throws -> TranscriptionSegment) {
        // What is no size needs no admission: the segment's result says so.
        self.estimatedBytes = max(0, estimatedBytes)
        content = {
            guard estimatedBytes >= 0 else {
                throw AudioError(
                    .invalidConfiguration, "a segment is to take \(estimatedBytes) bytes: accepted are 0 and more")
            }
            return try await load().content()
        }
    }
}
