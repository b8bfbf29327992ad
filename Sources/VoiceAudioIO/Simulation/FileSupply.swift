import VoiceAudioCore

/// A sound file, decoded as it is asked for.
@safe
final class FileSupply: FrameSupply {
    let frameCount: Int?
    let origin: String?
    let conversions: [String]

    private let reader: SoundFileReader
    private let loops: Bool
    private let format: AudioFormat
    /// Makes one channel out of the file's, in blocks of frames as the file has them.
    private let converter: FrameConverter?
    // SAFETY: allocated in init, freed in deinit, touched in `fill` only, which one thread calls.
    private let block: UnsafeMutableRawBufferPointer
    private static let framesInBlock = 1024
    /// Frames of the sound, repetitions included, before the one that the reader decodes next.
    private var position = 0

    /// - Throws: `unsupportedFormat` where the file has another rate, or channels that cannot be had by repeating one or
    ///   made into one; `noSuchFile`, `permissionDenied`, `unreadableFile`, `outOfResources`.
    init(path: String, loops: Bool, format: AudioFormat, mono: MonoChannel) throws(AudioError) {
        reader = try SoundFileReader(path: path)
        guard reader.sampleRateHz == format.sampleRateHz else {
            throw AudioError(
                .unsupportedFormat,
                "\"\(path)\" is at \(reader.sampleRateHz) Hz, not at \(format.sampleRateHz) Hz:"
                    + " ask for \(reader.sampleRateHz) Hz")
        }
        let channelCount = reader.channelCount
        var isThere = channelCount == format.channelCount || channelCount == 1 || format.channelCount == 1
        if format.channelCount == 1, case .channel(let number) = mono { isThere = number <= channelCount }
        guard isThere else {
            throw AudioError(
                .unsupportedFormat,
                "\"\(path)\" has \(channelCount) channels, not \(mono.described(for: format)): ask for \(channelCount)")
        }
        if format.channelCount == 1, channelCount > 1 {
            let layout = SampleLayout(format.sampleFormat)
            let converter = FrameConverter(from: layout, channelCount: channelCount, to: format, mono: mono)
            self.converter = converter
            unsafe block = .allocate(byteCount: Self.framesInBlock * converter.sourceBytesPerFrame, alignment: 16)
            conversions = [mono.conversion(from: channelCount)]
        } else {
            converter = nil
            unsafe block = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            conversions = []
        }
        frameCount = loops && reader.frameCount > 0 ? nil : reader.frameCount
        origin = channelCount == format.channelCount ? nil : "\(channelCount) ch"
        self.loops = loops
        self.format = format
        try prime()
    }

    deinit { unsafe block.deallocate() }

    func fill(_ buffer: inout MutableRawSpan, frameCount: Int, from position: Int) throws(AudioError) -> Int {
        if let converter { return try fill(&buffer, frameCount: frameCount, from: position, by: converter) }
        try skip(to: position, using: &buffer)
        let count = try read(frameCount, into: &buffer)
        if reader.channelCount != format.channelCount { repeatChannel(count, in: &buffer) }
        return count
    }

    /// The same by way of `block`.
    private func fill(
        _ buffer: inout MutableRawSpan, frameCount: Int, from position: Int, by converter: FrameConverter
    ) throws(AudioError) -> Int {
        var frames = unsafe block.mutableBytes
        try skip(to: position, using: &frames)
        var done = 0
        while done < frameCount {
            let count = try read(min(Self.framesInBlock, frameCount - done), into: &frames)
            guard count > 0 else { break }
            var room = buffer._mutatingExtracting(done * format.bytesPerFrame..<frameCount * format.bytesPerFrame)
            // SAFETY: the converter checks both sizes.
            unsafe room.withUnsafeMutableBytes { target in
                unsafe converter.convert(UnsafeRawBufferPointer(block), into: target, frameCount: count)
            }
            done += count
        }
        return done
    }

    /// Has the decoder allocate what it needs for reading and starting again, before the capture starts.
    private func prime() throws(AudioError) {
        var frame = [UInt8](repeating: 0, count: reader.channelCount * format.sampleFormat.bytesPerSample)
        var span = frame.mutableSpan
        // SAFETY: any bytes are valid elements.
        var bytes = unsafe span.mutableBytes
        _ = try reader.read(into: &bytes, as: format.sampleFormat)
        try reader.rewind()
    }

    /// Decodes frames that nobody wants into `buffer`.
    private func skip(to target: Int, using buffer: inout MutableRawSpan) throws(AudioError) {
        if loops, reader.frameCount > 0 { position += (target - position) / reader.frameCount * reader.frameCount }
        let room = buffer.byteCount / (reader.channelCount * format.sampleFormat.bytesPerSample)
        while position < target {
            guard try read(min(room, target - position), into: &buffer) > 0 else { return }
        }
    }

    /// Decodes frames as the file has them, starting again at its end if it loops.
    private func read(_ frameCount: Int, into buffer: inout MutableRawSpan) throws(AudioError) -> Int {
        let bytesPerFrame = reader.channelCount * format.sampleFormat.bytesPerSample
        var done = 0
        var startedAgain = false
        while done < frameCount {
            var rest = buffer._mutatingExtracting(done * bytesPerFrame..<frameCount * bytesPerFrame)
            let count = try reader.read(into: &rest, as: format.sampleFormat)
            done += count
            if count == 0 {
                // A file that gives nothing from its start on has ended, whatever it says of itself.
                guard loops, !startedAgain else { break }
                try reader.rewind()
            }
            startedAgain = count == 0
        }
        position += done
        return done
    }

    /// Spreads mono frames at the start of `buffer` over the channels, from the last on, so that none is overwritten.
    private func repeatChannel(_ frameCount: Int, in buffer: inout MutableRawSpan) {
        let sampleBytes = format.sampleFormat.bytesPerSample
        for frame in (0..<frameCount).reversed() {
            for byte in 0..<sampleBytes {
                // SAFETY: a byte of the mono frames, which lie within the buffer.
                let value = unsafe buffer.unsafeLoad(fromByteOffset: frame * sampleBytes + byte, as: UInt8.self)
                for channel in 0..<format.channelCount {
                    let place = (frame * format.channelCount + channel) * sampleBytes + byte
                    buffer.storeBytes(of: value, toByteOffset: place, as: UInt8.self)
                }
            }
        }
    }
}
