import VoiceAudioCore

/// Reads frames from a PCM in the shape asked for: straight into their place, or by way of a period's memory where
/// they are to be converted.
@safe
final class FrameReader {
    private let bytesPerFrame: Int
    private let converter: FrameConverter?
    // SAFETY: allocated in init, freed in deinit, touched in `read` only, which one thread calls.
    private let unconverted: UnsafeMutableRawBufferPointer

    init(setup: PCMSetup, request: CaptureRequest) {
        bytesPerFrame = request.format.bytesPerFrame
        let shape = setup.shape
        let isAsAskedFor =
            shape.layout == SampleLayout(request.format.sampleFormat)
            && shape.channelCount == request.format.channelCount
        if isAsAskedFor {
            converter = nil
            unsafe unconverted = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        } else {
            let converter = FrameConverter(
                from: shape.layout, channelCount: shape.channelCount, to: request.format, mono: request.monoChannel)
            self.converter = converter
            unsafe unconverted = .allocate(
                byteCount: setup.periodFrames * converter.sourceBytesPerFrame, alignment: 16)
        }
    }

    deinit { unsafe unconverted.deallocate() }

    /// Reads at most `limit` frames, as many as fit.
    ///
    /// - Returns: `snd_pcm_readi`'s answer: frames, or a negative status.
    func read(_ pcm: ALSAHandle, into buffer: inout MutableRawSpan, atMost limit: Int, calls: any ALSACalls) -> Int {
        let room = min(limit, buffer.byteCount / bytesPerFrame)
        guard let converter else { return calls.readi(pcm, into: &buffer, frames: room) }
        var span = unsafe unconverted.mutableBytes
        let frames = min(room, span.byteCount / converter.sourceBytesPerFrame)
        let count = calls.readi(pcm, into: &span, frames: frames)
        guard count > 0 else { return count }
        // SAFETY: the converter checks both sizes.
        unsafe buffer.withUnsafeMutableBytes { target in
            unsafe converter.convert(UnsafeRawBufferPointer(unconverted), into: target, frameCount: count)
        }
        return count
    }
}
