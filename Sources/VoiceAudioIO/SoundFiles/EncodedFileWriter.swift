import Glibc
import VoiceAudioCore

/// Writes a FLAC or Ogg Opus file.
///
/// An encoder holds frames back until a block or page is full, so the file lags behind what was written: by up to 4096
/// frames with FLAC, and by a quarter of a second with Opus. What it has can be read at every moment.
///
/// > Concurrency: One thread at a time.
@safe
final class EncodedFileWriter: SoundFileWriting {
    private let format: AudioFormat
    private let bytes: SoundFileBytes
    private var handle: SndFileHandle?
    private let content: any EncodedContent
    private var takenFrameCount = 0
    private var failure: AudioError?

    // SAFETY: allocated in init, freed in deinit; holds up to `blockFrameCount` frames, aligned, as libsndfile takes them.
    private let block: UnsafeMutableRawPointer
    private let blockFrameCount: Int

    /// Writes the header.
    ///
    /// - Parameters:
    ///   - descriptor: An empty file, open for reading and writing; stays open until after ``finish()``.
    ///   - name: What messages call the file.
    ///   - format: The shape of the frames, which the encoder has.
    ///   - level: 0 for the best quality or least effort, 1 for the smallest file.
    /// - Throws: `unsupportedFormat`, `diskFull`, `notWritable` or `outOfResources`.
    init(
        descriptor: Int32, name: String, format: AudioFormat, _ encoding: SndFileHandle.Encoding, level: Double
    ) throws(AudioError) {
        self.format = format
        bytes = SoundFileBytes(name: name, writing: descriptor)
        handle = try SndFileHandle(writing: bytes, format: format, encoding, level: level)
        content =
            switch encoding {
            case .flac: FLACContent(bytes, format)
            case .opus: OpusContent(bytes, format)
            }
        let sampleCount = 4096
        blockFrameCount = sampleCount / format.channelCount
        unsafe block = .allocate(byteCount: sampleCount * MemoryLayout<Int32>.size, alignment: 16)
        if bytes.status != 0 { throw AudioError(writing: name, status: bytes.status) }
    }

    deinit {
        try? finish()
        unsafe block.deallocate()
    }

    var frameCount: Int { failure == nil ? takenFrameCount : min(takenFrameCount, content.frameCount) }

    var byteCount: Int { bytes.byteCount }

    var isReadable: Bool { content.isReadable }

    var refusedByteCount: Int { bytes.refusedByteCount }

    func byteCountLimit(afterWriting frameCount: Int) -> Int {
        bytes.byteCount + content.byteCountLimit(ofFrames: takenFrameCount - content.frameCount + frameCount)
    }

    func write(_ frames: RawSpan) throws(AudioError) {
        if let failure { throw failure }
        guard let handle else { throw AudioError(finished: bytes.name) }
        try frames.requireWholeFrames(of: format)
        let blockByteCount = blockFrameCount * format.bytesPerFrame
        var rest = frames
        // An encoder may take frames whose bytes the disk then refuses.
        while rest.byteCount > 0 && bytes.status == 0 {
            let part = rest.extracting(first: blockByteCount)
            let taken = encode(part, with: handle)
            takenFrameCount += taken
            guard taken * format.bytesPerFrame == part.byteCount else { break }
            rest = rest.extracting(droppingFirst: part.byteCount)
        }
        content.update()
        if bytes.status != 0 || rest.byteCount > 0 { try endEarly(handle.errorText ?? "its encoder failed") }
    }

    func updateHeader() throws(AudioError) {
        if let failure { throw failure }
        guard handle != nil else { return }
        content.writeFrameCount()
        if bytes.status != 0 { try endEarly() }
    }

    func finish() throws(AudioError) {
        if handle != nil {
            // The encoder writes what it holds, and its own header.
            handle = nil
            content.update()
            if bytes.status != 0 { try endEarly() }
        }
        if let failure { throw failure }
    }

    /// Ends the file behind the last frame that is in it as a whole.
    private func endEarly(_ reason: String = "") throws(AudioError) {
        let error =
            bytes.status != 0
            ? AudioError(writing: bytes.name, status: bytes.status)
            : AudioError(.notWritable, "\"\(bytes.name)\" took only a part: \(reason)")
        failure = error
        // What the encoder still has to write is refused.
        handle = nil
        content.update()
        bytes.truncate(to: content.byteCount)
        content.writeFrameCount()
        throw error
    }

    /// Hands a block over; the frames that were taken.
    private func encode(_ frames: RawSpan, with handle: SndFileHandle) -> Int {
        let count = frames.byteCount / format.bytesPerFrame
        // SAFETY, all below: the block has room for these frames in the widest format.
        return unsafe frames.withUnsafeBytes { bytes in
            switch format.sampleFormat {
            case .s16:
                unsafe block.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                return unsafe handle.write(count, from: block.assumingMemoryBound(to: Int16.self))
            case .s24:
                let samples = unsafe block.assumingMemoryBound(to: Int32.self)
                for index in 0..<bytes.count / 3 {
                    // libsndfile takes 24 bits as the upper ones of 32.
                    let low = unsafe UInt32(bytes[index * 3]) << 8 | UInt32(bytes[index * 3 + 1]) << 16
                    unsafe samples[index] = Int32(bitPattern: low | UInt32(bytes[index * 3 + 2]) << 24)
                }
                return unsafe handle.write(count, from: samples)
            case .s32:
                unsafe block.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                return unsafe handle.write(count, from: block.assumingMemoryBound(to: Int32.self))
            case .f32:
                unsafe block.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
                return unsafe handle.write(count, from: block.assumingMemoryBound(to: Float.self))
            }
        }
    }
}
