/// Makes frames of the shape asked for out of frames as somebody else sends them.
///
/// Samples of a byte become 16-bit ones first, which loses nothing; all else is ``FrameConverter``'s.
///
/// > Concurrency: One thread at a time.
@safe
package final class StreamConverter {
    /// What is done, in words; empty where frames stay as they are.
    package let conversions: [String]
    /// The most frames of a call.
    package let maxFrameCount: Int

    private let encoding: SampleEncoding
    private let sampleCountPerFrame: Int
    private let converter: FrameConverter
    /// Whether 16-bit samples are what was asked for.
    private let endsExpanded: Bool
    // SAFETY: allocated in init, freed in deinit, touched in `convert` only, which one thread calls.
    private let expanded: UnsafeMutableRawBufferPointer

    /// - Parameters:
    ///   - source: What comes in.
    ///   - format: What is asked for.
    ///   - mono: What one channel is made of, where `format` has one and `source` several.
    ///   - maxFrameCount: The most frames of a call.
    ///   - name: What messages call the stream.
    /// - Throws: `unsupportedFormat` where the rate is another, or channels are missing.
    package init(
        from source: StreamFormat, to format: AudioFormat, mono: MonoChannel, maxFrameCount: Int, name: String
    ) throws(AudioError) {
        let isMixed = format.channelCount == 1 && source.channelCount > 1
        var isThere = source.channelCount == format.channelCount || isMixed
        if format.channelCount == 1, case .channel(let number) = mono, number > source.channelCount { isThere = false }
        guard source.sampleRateHz == format.sampleRateHz, isThere else {
            throw AudioError(
                .unsupportedFormat,
                "\"\(name)\" is \(source), and \(format)\(Self.channelText(mono, of: format)) was asked for: ask for "
                    + "\(source.sampleRateHz) Hz and \(source.channelCount) ch, which is what comes, or 1 ch")
        }
        var conversions = isMixed ? [mono.conversion(from: source.channelCount)] : []
        if source.encoding != .pcm(format.sampleFormat) {
            conversions.append("\(source.encoding) to \(format.sampleFormat.rawValue)")
        }
        self.conversions = conversions
        self.maxFrameCount = maxFrameCount
        encoding = source.encoding
        sampleCountPerFrame = source.channelCount
        let layout = if case .pcm(let format) = source.encoding { SampleLayout(format) } else { SampleLayout.s16 }
        converter = FrameConverter(from: layout, channelCount: source.channelCount, to: format, mono: mono)
        endsExpanded = !isMixed && format.sampleFormat == .s16
        var isExpanded = true
        if case .pcm = source.encoding { isExpanded = false }
        unsafe expanded = .allocate(
            byteCount: isExpanded && !endsExpanded ? maxFrameCount * source.channelCount * 2 : 0, alignment: 16)
    }

    deinit { unsafe expanded.deallocate() }

    private static func channelText(_ mono: MonoChannel, of format: AudioFormat) -> String {
        if format.channelCount == 1, case .channel(let number) = mono { ", made of channel \(number)," } else { "" }
    }

    /// Converts whole frames.
    ///
    /// - Parameters:
    ///   - frames: The frames that come in, `frameCount` at least.
    ///   - room: Room for as many frames.
    ///   - frameCount: ``maxFrameCount`` at most.
    ///
    /// > Real-time: Safe.
    package func convert(
        _ frames: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer, frameCount: Int
    ) {
        precondition(frameCount <= maxFrameCount)
        if conversions.isEmpty {
            // SAFETY: both check that the frames are there.
            return unsafe room.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: frames[..<(frameCount * converter.sourceBytesPerFrame)]))
        }
        if case .pcm = encoding { return unsafe converter.convert(frames, into: room, frameCount: frameCount) }
        // SAFETY: rebasing checks that the frames are there; those called check the room that they write to.
        let codes = unsafe UnsafeRawBufferPointer(rebasing: frames[..<(frameCount * sampleCountPerFrame)])
        if endsExpanded { return unsafe expand(codes, into: room) }
        unsafe expand(codes, into: expanded)
        unsafe converter.convert(UnsafeRawBufferPointer(expanded), into: room, frameCount: frameCount)
    }

    private func expand(_ codes: UnsafeRawBufferPointer, into samples: UnsafeMutableRawBufferPointer) {
        switch encoding {
        case .pcm: break
        case .g711(let law): unsafe law.expand(codes, into: samples)
        case .u8:
            precondition(samples.count >= codes.count * 2)
            // SAFETY: as just checked.
            for index in 0..<codes.count {
                unsafe samples.storeBytes(
                    of: (Int16(codes[index]) - 128) << 8, toByteOffset: index * 2, as: Int16.self)
            }
        }
    }
}
