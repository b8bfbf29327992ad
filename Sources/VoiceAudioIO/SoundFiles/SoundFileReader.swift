package import VoiceAudioCore

/// Reads a sound file, frame by frame, in any sample format.
///
/// > Concurrency: One thread at a time.
///
/// > Real-time: ``read(into:as:)`` allocates nothing of its own, but reads from the disk.
@safe
package final class SoundFileReader {
    /// Frames per second, as the file says.
    package let sampleRateHz: Int
    /// Samples in a frame.
    package let channelCount: Int
    /// Frames in the file.
    package let frameCount: Int

    private let bytes: SoundFileBytes
    private let handle: SndFileHandle
    // SAFETY: allocated in init, freed in deinit; holds up to `blockFrameCount` decoded frames of any sample type.
    private let block: UnsafeMutableRawPointer
    private let blockFrameCount: Int

    /// Opens a file.
    ///
    /// - Throws: `noSuchFile`, `permissionDenied`, `unreadableFile` or `outOfResources`.
    package convenience init(path: String) throws(AudioError) {
        try self.init(SoundFileBytes(reading: path), accepted: Self.anyFormat)
    }

    /// Opens a sound file that is in memory.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What messages call it.
    /// - Throws: `unreadableFile`.
    package convenience init(bytes: [UInt8], name: String) throws(AudioError) {
        try self.init(SoundFileBytes(name: name, bytes: bytes), accepted: Self.anyFormat)
    }

    /// Opens a WAV file that is in memory; see ``wavFormat()``.
    ///
    /// - Throws: `unreadableFile`.
    convenience init(wavBytes: [UInt8], name: String) throws(AudioError) {
        try self.init(SoundFileBytes(name: name, bytes: wavBytes), accepted: "WAV is accepted")
    }

    private static let anyFormat =
        "WAV, FLAC, AIFF, AU, CAF, W64, Ogg Vorbis, Opus and MP3 are among the formats accepted"

    private init(_ bytes: SoundFileBytes, accepted: String) throws(AudioError) {
        self.bytes = bytes
        handle = try SndFileHandle(reading: bytes, accepted: accepted)
        sampleRateHz = handle.information.sampleRateHz
        channelCount = handle.information.channelCount
        frameCount = handle.information.frameCount
        blockFrameCount = max(1, 4096 / channelCount)
        unsafe block = .allocate(
            byteCount: blockFrameCount * channelCount * MemoryLayout<Double>.stride,
            alignment: MemoryLayout<Double>.alignment)
    }

    deinit { unsafe block.deallocate() }

    /// Decodes the next frames.
    ///
    /// Integers keep their upper bits; floating point is scaled by 32,768 (and so on), rounded and clipped. What the file
    /// holds in `format` comes out bit for bit.
    ///
    /// - Parameters:
    ///   - buffer: Room for whole frames, interleaved, little endian; a rest is left alone.
    ///   - format: How to store samples.
    /// - Returns: Frames decoded: fewer than fit only at the end, 0 after it.
    /// - Throws: `unreadableFile` where the file is damaged.
    package func read(into buffer: inout MutableRawSpan, as format: SampleFormat) throws(AudioError) -> Int {
        let bytesPerFrame = channelCount * format.bytesPerSample
        let wanted = buffer.byteCount / bytesPerFrame
        var done = 0
        while done < wanted {
            let count = min(wanted - done, blockFrameCount)
            // SAFETY: the part of the buffer that starts after the frames that are done has room for `count` frames.
            let decoded = unsafe buffer.withUnsafeMutableBytes { target in
                unsafe decode(
                    count, as: format,
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: target[done * bytesPerFrame..<(done + count) * bytesPerFrame]))
            }
            done += decoded
            guard decoded == count else {
                if bytes.status != 0 { throw AudioError(reading: bytes.name, status: bytes.status) }
                if let text = handle.errorText {
                    throw AudioError(.unreadableFile, "\"\(bytes.name)\" is damaged: \(text)")
                }
                break
            }
        }
        return done
    }

    /// Goes back to the first frame.
    ///
    /// - Throws: `unreadableFile` where the file cannot be read again.
    package func rewind() throws(AudioError) {
        guard handle.rewind() else {
            throw AudioError(
                .unreadableFile, "\"\(bytes.name)\" cannot be read from its start again: \(handle.errorText ?? "")")
        }
    }

    /// Checks that this is a WAV file, and answers the shape of its frames; `nil` where it has another encoding.
    ///
    /// - Throws: `unreadableFile`.
    func wavFormat() throws(AudioError) -> AudioFormat? {
        guard handle.information.isWAV else {
            throw AudioError(.unreadableFile, "\(bytes.name) are sound, but not a WAV file: convert them")
        }
        return handle.information.sampleFormat.map {
            AudioFormat(sampleRateHz: sampleRateHz, channelCount: channelCount, sampleFormat: $0)
        }
    }

    /// Decodes one block, and copies it to where it belongs, which need not be aligned.
    private func decode(_ count: Int, as format: SampleFormat, into target: UnsafeMutableRawBufferPointer) -> Int {
        // SAFETY, all below: the block has room for `count` frames of the widest sample, the target for `count` frames.
        if format == .f32 {
            return unsafe copy(handle.read(count, into: block.assumingMemoryBound(to: Float.self)), 4, target)
        }
        if handle.information.isFloatingPoint {
            let decoded = unsafe handle.read(count, into: block.assumingMemoryBound(to: Double.self))
            unsafe scale(decoded * channelCount, to: format, target)
            return decoded
        }
        switch format {
        case .s16:
            return unsafe copy(handle.read(count, into: block.assumingMemoryBound(to: Int16.self)), 2, target)
        case .s32, .f32:
            return unsafe copy(handle.read(count, into: block.assumingMemoryBound(to: Int32.self)), 4, target)
        case .s24:
            let decoded = unsafe handle.read(count, into: block.assumingMemoryBound(to: Int32.self))
            for index in 0..<decoded * channelCount {
                unsafe Self.store24(block.load(fromByteOffset: index * 4, as: Int32.self) >> 8, at: index, target)
            }
            return decoded
        }
    }

    /// Copies decoded frames as they are; their count.
    private func copy(_ frameCount: Int, _ bytesPerSample: Int, _ target: UnsafeMutableRawBufferPointer) -> Int {
        // SAFETY: both sides hold these frames.
        unsafe target.copyMemory(
            from: UnsafeRawBufferPointer(start: block, count: frameCount * channelCount * bytesPerSample))
        return frameCount
    }

    /// Turns decoded floating-point samples into integers.
    private func scale(_ sampleCount: Int, to format: SampleFormat, _ target: UnsafeMutableRawBufferPointer) {
        for index in 0..<sampleCount {
            // SAFETY: both sides hold this sample.
            let sample = unsafe block.load(fromByteOffset: index * 8, as: Double.self)
            switch format {
            case .s16:
                let value = Int16(truncatingIfNeeded: Self.integer(sample, bits: 16))
                unsafe target.storeBytes(of: value, toByteOffset: index * 2, as: Int16.self)
            case .s24:
                unsafe Self.store24(Self.integer(sample, bits: 24), at: index, target)
            case .s32, .f32:
                unsafe target.storeBytes(of: Self.integer(sample, bits: 32), toByteOffset: index * 4, as: Int32.self)
            }
        }
    }

    /// −1.0…1.0 as an integer of `bits` bits, rounded and clipped; what is no number is 0.
    private static func integer(_ sample: Double, bits: Int) -> Int32 {
        let limit = Double(1 << (bits - 1))
        guard !sample.isNaN else { return 0 }
        return Int32(min(max((sample * limit).rounded(.toNearestOrEven), -limit), limit - 1))
    }

    private static func store24(_ sample: Int32, at index: Int, _ target: UnsafeMutableRawBufferPointer) {
        // SAFETY: the target holds this sample's three bytes.
        unsafe target[index * 3] = UInt8(truncatingIfNeeded: sample)
        unsafe target[index * 3 + 1] = UInt8(truncatingIfNeeded: sample >> 8)
        unsafe target[index * 3 + 2] = UInt8(truncatingIfNeeded: sample >> 16)
    }
}
