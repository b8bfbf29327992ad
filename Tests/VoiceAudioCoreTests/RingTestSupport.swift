import VoiceAudioCore

extension BoundedAudioBuffer.Producer {
    /// Appends bytes of a test, captured at instant 0.
    @discardableResult
    mutating func append(_ bytes: [UInt8]) -> AppendResult {
        // SAFETY: the bytes of an array that lives through the call.
        append(unsafe bytes.span.bytes, captureTime: MonotonicInstant(nanoseconds: 0))
    }
}
