/// Makes frames of one shape out of frames of another: sample layouts, and one channel out of several.
///
/// The one place where samples are converted. Widening an integer is exact; narrowing rounds to the nearest, ties to
/// even, and saturates. Floats are 1.0 at 2ⁿ⁻¹ of an integer of n bits; one that is not a number becomes integer 0.
/// Rates are not converted here.
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
                unsafe Self.store(Self.load(frames, sample, source), room, sample, target)
            }
        } else if let channel {
            for frame in 0..<frameCount {
                let sample = frame * sourceChannelCount + channel
                unsafe Self.store(Self.load(frames, sample, source), room, frame, target)
            }
        } else {
            for frame in 0..<frameCount {
                var sum = 0.0
                for sample in frame * sourceChannelCount..<(frame + 1) * sourceChannelCount {
                    sum += unsafe Self.load(frames, sample, source)
                }
                unsafe Self.store(sum / Double(sourceChannelCount), room, frame, target)
            }
        }
    }

    /// The sample at a place, as −1.0…1.0: exact, as a double holds 53 bits.
    // SAFETY: the caller stays within the bytes.
    @_noLocks @_noAllocation
    @inline(__always)
    @unsafe private static func load(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ layout: SampleLayout) -> Double {
        switch layout {
        case .s16:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 2, as: Int16.self)) / 32_768
        case .s24In3Bytes:
            let low = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3, as: UInt16.self))
            let high = UInt32(unsafe bytes.loadUnaligned(fromByteOffset: index * 3 + 2, as: UInt8.self))
            return Double(Int32(bitPattern: (high << 16 | low) << 8)) / 2_147_483_648
        case .s24In4Bytes:
            let word = unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
            return Double(Int32(bitPattern: word << 8)) / 2_147_483_648
        case .s32:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Int32.self)) / 2_147_483_648
        case .f32:
            return Double(unsafe bytes.loadUnaligned(fromByteOffset: index * 4, as: Float.self))
        }
    }

    // SAFETY: the caller stays within the bytes.
    @_noLocks @_noAllocation
    @inline(__always)
    @unsafe private static func store(
        _ value: Double, _ bytes: UnsafeMutableRawBufferPointer, _ index: Int, _ layout: SampleLayout
    ) {
        switch layout {
        case .s16:
            let sample = Int16(truncatingIfNeeded: quantised(value, scale: 32_768))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 2, as: Int16.self)
        case .s24In3Bytes:
            let sample = quantised(value, scale: 8_388_608)
            unsafe bytes.storeBytes(of: UInt16(truncatingIfNeeded: sample), toByteOffset: index * 3, as: UInt16.self)
            unsafe bytes.storeBytes(
                of: UInt8(truncatingIfNeeded: sample >> 16), toByteOffset: index * 3 + 2, as: UInt8.self)
        case .s24In4Bytes:
            let sample = Int32(truncatingIfNeeded: quantised(value, scale: 8_388_608))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 4, as: Int32.self)
        case .s32:
            let sample = Int32(truncatingIfNeeded: quantised(value, scale: 2_147_483_648))
            unsafe bytes.storeBytes(of: sample, toByteOffset: index * 4, as: Int32.self)
        case .f32:
            unsafe bytes.storeBytes(of: Float(value), toByteOffset: index * 4, as: Float.self)
        }
    }

    /// The nearest integer of `value` × `scale` within −`scale`…`scale` − 1.
    @_noLocks @_noAllocation
    @inline(__always)
    private static func quantised(_ value: Double, scale: Double) -> Int {
        guard value == value else { return 0 }
        // Adding 1.5 × 2⁵² leaves a double no bits for a fraction: the sum is rounded to the nearest, ties to even.
        let magic = 6_755_399_441_055_744.0
        return Int(max(-scale, min(scale - 1, value * scale)) + magic - magic)
    }
}
