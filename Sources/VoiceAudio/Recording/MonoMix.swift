import VoiceAudioCore

/// Averages the channels of each frame into one, in the same sample format, block by block in constant memory.
struct MonoMix {
    /// The shape of what comes out.
    let format: AudioFormat
    private let converter: FrameConverter
    private static let framesInBlock = 4096

    init(of format: AudioFormat) {
        self.format = AudioFormat(
            sampleRateHz: format.sampleRateHz, channelCount: 1, sampleFormat: format.sampleFormat)
        converter = FrameConverter(
            from: SampleLayout(format.sampleFormat), channelCount: format.channelCount, to: self.format, mono: .mix)
    }

    /// Hands the mix to `body` in blocks.
    func forEachBlock<Failure: Error>(of bytes: RawSpan, _ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        let frameBytes = converter.sourceBytesPerFrame
        var block = [UInt8](repeating: 0, count: Self.framesInBlock * format.bytesPerFrame)
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + Self.framesInBlock * frameBytes, bytes.byteCount)
            let frameCount = (end - start) / frameBytes
            // SAFETY: both buffers live for the call, and the converter checks their sizes.
            unsafe bytes.extracting(start..<end).withUnsafeBytes { frames in
                unsafe block.withUnsafeMutableBytes { room in
                    unsafe converter.convert(frames, into: room, frameCount: frameCount)
                }
            }
            // SAFETY: plain bytes.
            try body(unsafe block.span.bytes.extracting(first: frameCount * format.bytesPerFrame))
            start = end
        }
    }
}
