import Synchronization

/// The content of a ring that is over: it stays as it is, and where it is, for as long as this lives.
///
/// A recording keeps this instead of a copy: there is no moment with twice the memory.
package final class FrozenAudio: Sendable {
    /// One chunk, and where its bytes are in the content.
    package struct Chunk: Sendable {
        package let header: AudioChunkHeader
        package let byteRange: Range<Int>
    }

    /// The chunks, oldest first; each tells of the loss that its producer knew of.
    package let chunks: [Chunk]
    /// Frames lost after the newest chunk.
    package let lossAtEnd: AudioLoss?
    /// Frames of the stream until its end, lost ones included.
    package let endFramePosition: Int
    /// The stream position up to which a clean-up threw everything away; 0 where none did.
    package let clearedTo: Int
    private let buffer: BoundedAudioBuffer
    /// The oldest chunk, borrowed for good; `nil` where there is none.
    private let position: Int?

    /// Closes the ring and borrows its oldest chunk for good. Its consumer's end must be free.
    package init(freezing buffer: BoundedAudioBuffer) {
        buffer.close()
        buffer.ring.memory.shareWithForks()
        self.buffer = buffer
        lossAtEnd = buffer.untoldLoss
        endFramePosition = buffer.nextNumbers.framePosition
        clearedTo = buffer.ring.consumer.clearedTo.load(ordering: .relaxed)
        if case .chunk(let position, let entry) = buffer.ring.claim() {
            self.position = position
            // SAFETY: the claimed one's.
            chunks = unsafe buffer.ring.chunks(from: position, entry)
        } else {
            position = nil
            chunks = []
        }
    }

    /// Lends the content as one stretch of bytes.
    package func withBytes<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let position, let last = chunks.last else { return try body(RawSpan()) }
        return try buffer.ring.withBytes(from: position, count: last.byteRange.upperBound, body)
    }
}
