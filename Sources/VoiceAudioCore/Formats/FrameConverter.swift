/// Makes frames of one shape out of frames of another: sample layouts, and one channel out of several.
///
/// The one place where samples are converted, each as ``SampleLayout`` reads and writes it. Rates are not converted here.
package struct FrameConverter: Sendable {
    private let source: SampleLayout
    private let sourceChannelCount: Int
    private let target: SampleLayout
    private let targetChannelCount: Int
    /// The channel to take, from 0; `nil` for all, and for their mean.
    private let channel: Int?

    /// Bytes of a frame that comes in.
    package let sourceBytesPerFrame: Int
    /// Bytes of a frame that goes out.
    package let targetBytesPerFrame: Int

    /// A converter from samples of `source` in `channelCount` channels into frames of `format`.
    ///
    /// `channelCount` must be that of `format`, or `format` have one channel, which `mono` then chooses.
    package init(from source: SampleLayout, channelCount: Int, to format: AudioFormat, mono: MonoChannel) {
        precondition(channelCount == format.channelCount || format.channelCount == 1)
        self.source = source
        sourceChannelCount = channelCount
        target = SampleLayout(format.sampleFormat)
        targetChannelCount = format.channelCount
        if case .channel(let number) = mono, channelCount != format.channelCount {
            precondition((1...channelCount).contains(number))
            channel = number - 1
        } else {
            channel = nil
        }
        sourceBytesPerFrame = channelCount * source.bytesPerSample
        targetBytesPerFrame = format.bytesPerFrame
    }

    /// Converts whole frames.
    ///
    /// - Parameters:
    ///   - frames: The frames that come in, `frameCount` at least.
    ///   - room: Room for as many frames.
    /// - Complexity: O(*n*) in the samples; never allocates.
    ///
    /// > Real-time: Safe.
    @_noLocks @_noAllocation
    package func convert(
        _ frames: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer, frameCount: Int
    ) {
        precondition(frames.count >= frameCount * sourceBytesPerFrame && room.count >= frameCount * targetBytesPerFrame)
        // SAFETY: every sample below lies within `frameCount` frames, which both sides hold.
        if targetChannelCount == sourceChannelCount {
            for sample in 0..<frameCount * targetChannelCount {
                unsafe target.store(source.load(from: frames, at: sample), to: room, at: sample)
            }
        } else if let channel {
            for frame in 0..<frameCount {
                let sample = frame * sourceChannelCount + channel
                unsafe target.store(source.load(from: frames, at: sample), to: room, at: frame)
            }
        } else {
            for frame in 0..<frameCount {
                var sum = 0.0
                for sample in frame * sourceChannelCount..<(frame + 1) * sourceChannelCount {
                    sum += unsafe source.load(from: frames, at: sample)
                }
                unsafe target.store(sum / Double(sourceChannelCount), to: room, at: frame)
            }
        }
    }
}
