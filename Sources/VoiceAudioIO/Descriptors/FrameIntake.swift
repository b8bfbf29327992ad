import VoiceAudioCore

/// Makes whole frames of the shape asked for out of bytes that come in pieces of any length.
///
/// Bytes are read straight into their place, or by way of a block's memory where they are to be converted. What is no
/// whole frame waits for the rest.
@safe
final class FrameIntake {
    /// What one reading brought.
    enum Result {
        /// Frames, now at the start of the buffer.
        case frames(Int)
        case nothing
        case ended
    }

    /// What is done to the frames, in words.
    let conversions: [String]
    /// Whether all is read that there will be.
    private(set) var hasEnded = false
    /// Whether the last reading left nothing that was there at that moment.
    private(set) var isDrained = false

    /// A block has one frame at least, which may be longer.
    private static let blockByteLimit = 1 << 17

    private let bytesPerFrame: Int
    private let sourceBytesPerFrame: Int
    private let converter: StreamConverter?
    // SAFETY, of both: allocated in init, freed in deinit, touched by this object's one thread alone.
    private let block: UnsafeMutableRawBufferPointer
    private let waiting: UnsafeMutableRawBufferPointer
    private var waitingByteCount: Int
    /// Bytes that are still to come; `nil` where nobody knows.
    private var remainingByteCount: Int?

    /// - Parameters:
    ///   - format: What comes.
    ///   - request: What is asked for.
    ///   - beginning: Bytes that came already.
    ///   - byteCount: Bytes that are still to come; `nil` where nobody knows.
    ///   - name: What messages call the stream.
    /// - Throws: `unsupportedFormat`.
    init(
        _ format: StreamFormat, for request: CaptureRequest, beginning: [UInt8], byteCount: Int?, name: String
    ) throws(AudioError) {
        // What a header says must not decide how much memory that takes.
        let blockFrameCount = min(request.chunkFrameCount, 4096, max(1, Self.blockByteLimit / format.bytesPerFrame))
        let converter = try StreamConverter(
            from: format, to: request.format, mono: request.monoChannel, maxFrameCount: blockFrameCount, name: name)
        conversions = converter.conversions
        self.converter = conversions.isEmpty ? nil : converter
        bytesPerFrame = request.format.bytesPerFrame
        sourceBytesPerFrame = format.bytesPerFrame
        unsafe block = .allocate(
            byteCount: conversions.isEmpty ? 0 : blockFrameCount * format.bytesPerFrame, alignment: 16)
        unsafe waiting = .allocate(byteCount: max(beginning.count, format.bytesPerFrame), alignment: 16)
        unsafe waiting.copyBytes(from: beginning)
        waitingByteCount = beginning.count
        remainingByteCount = byteCount
    }

    deinit {
        unsafe block.deallocate()
        unsafe waiting.deallocate()
    }

    /// At the end: bytes that are no whole frame, and those that were announced and did not come.
    var leftOver: (partialByteCount: Int, missingByteCount: Int) {
        (hasEnded ? waitingByteCount : 0, hasEnded ? remainingByteCount ?? 0 : 0)
    }

    /// Reads once, unless all that fits is there already.
    ///
    /// - Parameters:
    ///   - buffer: Room for whole frames.
    ///   - read: Answers how many bytes it put at the start of its room, 0 at the end; `nil` where there are none.
    /// - Throws: What `read` throws.
    ///
    /// > Real-time: Allocates nothing.
    func read(
        into buffer: inout MutableRawSpan, from read: (UnsafeMutableRawBufferPointer) throws(AudioError) -> Int?
    ) throws(AudioError) -> Result {
        if hasEnded { return .ended }
        let room = buffer.byteCount / bytesPerFrame
        guard let converter else {
            var failure: AudioError?
            // SAFETY: room for these frames.
            let count = unsafe buffer.withUnsafeMutableBytes { bytes -> Int in
                do throws(AudioError) {
                    return try unsafe fill(
                        UnsafeMutableRawBufferPointer(rebasing: bytes[..<(room * sourceBytesPerFrame)]), from: read)
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            return result(count)
        }
        let wanted = min(room, converter.maxFrameCount) * sourceBytesPerFrame
        let count = try unsafe fill(UnsafeMutableRawBufferPointer(rebasing: block[..<wanted]), from: read)
        // SAFETY: the converter checks both sizes.
        unsafe buffer.withUnsafeMutableBytes { target in
            unsafe converter.convert(UnsafeRawBufferPointer(block), into: target, frameCount: count)
        }
        return result(count)
    }

    private func result(_ frameCount: Int) -> Result {
        frameCount > 0 ? .frames(frameCount) : hasEnded ? .ended : .nothing
    }

    /// Fills the start of `target`, which has room for whole frames, with such; how many.
    private func fill(
        _ target: UnsafeMutableRawBufferPointer, from read: (UnsafeMutableRawBufferPointer) throws(AudioError) -> Int?
    ) throws(AudioError) -> Int {
        var filled = min(waitingByteCount, target.count)
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: waiting[..<filled]))
        waitingByteCount -= filled
        // SAFETY: moved within the waiting bytes.
        let rest = unsafe UnsafeRawBufferPointer(rebasing: waiting[filled..<filled + waitingByteCount])
        unsafe waiting.copyMemory(from: rest)
        isDrained = false
        if filled < target.count {
            let wanted = min(target.count - filled, remainingByteCount ?? .max)
            let place = unsafe UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + wanted])
            let count = try unsafe read(place)
            isDrained = (count ?? 0) < wanted
            filled += count ?? 0
            if let remaining = remainingByteCount { remainingByteCount = remaining - (count ?? 0) }
            // What a file has behind its samples is none; its sender may never close.
            hasEnded = count == 0 || remainingByteCount == 0
        }
        let partial = filled % sourceBytesPerFrame
        if partial > 0 {
            // Then nothing was waiting any more.
            unsafe waiting.copyMemory(from: UnsafeRawBufferPointer(rebasing: target[filled - partial..<filled]))
            waitingByteCount = partial
        }
        return filled / sourceBytesPerFrame
    }
}
