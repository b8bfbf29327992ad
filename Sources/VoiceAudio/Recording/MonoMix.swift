import VoiceAudioCore

/// Averages the channels of each frame into one, in the same sample format, block by block in constant memory.
///
/// Integer samples: the sum divided by the number of channels, rounded towards zero.
struct MonoMix {
    /// The shape of what comes out.
    let format: AudioFormat
    private let channelCount: Int
    private static let framesInBlock = 4096

    init(of format: AudioFormat) {
        channelCount = format.channelCount
        self.format = AudioFormat(
            sampleRateHz: format.sampleRateHz, channelCount: 1, sampleFormat: format.sampleFormat)
    }

    /// Hands the mix to `body` in blocks.
    func forEachBlock<Failure: Error>(of bytes: RawSpan, _ body: (RawSpan) throws(Failure) -> Void) throws(Failure) {
        let frameBytes = channelCount * format.sampleFormat.bytesPerSample
        var block = [UInt8](repeating: 0, count: Self.framesInBlock * format.bytesPerFrame)
        var start = 0
        while start < bytes.byteCount {
            let end = min(start + Self.framesInBlock * frameBytes, bytes.byteCount)
            let frameCount = (end - start) / frameBytes
            mix(bytes.extracting(start..<end), frameCount: frameCount, into: &block)
            // SAFETY: plain bytes.
            try body(unsafe block.span.bytes.extracting(first: frameCount * format.bytesPerFrame))
            start = end
        }
    }

    private func mix(_ bytes: RawSpan, frameCount: Int, into block: inout [UInt8]) {
        // SAFETY: every offset below lies within `frameCount` frames, which both sides hold.
        unsafe bytes.withUnsafeBytes { source in
            unsafe block.withUnsafeMutableBytes { target in
                switch format.sampleFormat {
                case .s16:
                    for frame in 0..<frameCount {
                        var sum = 0
                        for sample in frame * channelCount..<(frame + 1) * channelCount {
                            sum += Int(unsafe source.loadUnaligned(fromByteOffset: sample * 2, as: Int16.self))
                        }
                        unsafe target.storeBytes(of: Int16(sum / channelCount), toByteOffset: frame * 2, as: Int16.self)
                    }
                case .s24:
                    for frame in 0..<frameCount {
                        var sum = 0
                        for sample in frame * channelCount..<(frame + 1) * channelCount {
                            let low = Int(unsafe source.loadUnaligned(fromByteOffset: sample * 3, as: UInt16.self))
                            sum += Int(unsafe source.load(fromByteOffset: sample * 3 + 2, as: Int8.self)) << 16 | low
                        }
                        let mean = sum / channelCount
                        unsafe target.storeBytes(
                            of: UInt16(truncatingIfNeeded: mean), toByteOffset: frame * 3, as: UInt16.self)
                        unsafe target.storeBytes(
                            of: UInt8(truncatingIfNeeded: mean >> 16), toByteOffset: frame * 3 + 2, as: UInt8.self)
                    }
                case .s32:
                    for frame in 0..<frameCount {
                        var sum = 0
                        for sample in frame * channelCount..<(frame + 1) * channelCount {
                            sum += Int(unsafe source.loadUnaligned(fromByteOffset: sample * 4, as: Int32.self))
                        }
                        unsafe target.storeBytes(of: Int32(sum / channelCount), toByteOffset: frame * 4, as: Int32.self)
                    }
                case .f32:
                    for frame in 0..<frameCount {
                        var sum: Float = 0
                        for sample in frame * channelCount..<(frame + 1) * channelCount {
                            sum += unsafe source.loadUnaligned(fromByteOffset: sample * 4, as: Float.self)
                        }
                        unsafe target.storeBytes(
                            of: sum / Float(channelCount), toByteOffset: frame * 4, as: Float.self)
                    }
                }
            }
        }
    }
}
