import Synchronization

extension BoundedAudioBuffer.Producer {
    /// Takes over all that another ring of the same frames holds, with its numbers, times and losses; that one is empty
    /// then.
    ///
    /// What is too much for this ring goes by its own policy, but nothing waits: `.block` refuses. A chunk that is larger
    /// than this ring's chunks becomes several. This ring must be new.
    ///
    /// - Parameter other: Has no producer at work, and no consumer. What `removeAll` takes from it meanwhile is told as a
    ///   loss in its place.
    /// - Complexity: O(*n*) in the bytes; never allocates.
    package mutating func takeContent(of other: BoundedAudioBuffer) {
        var isFirst = true
        while let chunk = other.borrowOldest() {
            // SAFETY: borrowed until it is taken out.
            let told = unsafe chunk.entry.pointee.toldLoss
            let header = other.header(of: chunk)
            let start = header.framePosition - (told?.frames ?? 0)
            if isFirst {
                buffer.startNumbering(atSequenceNumber: header.sequenceNumber, framePosition: start)
            }
            isFirst = false
            noteCleared(upTo: start)
            if let told { noteLoss(told) }
            appendInPieces(unsafe chunk.bytes.bytes, captureTime: header.captureTime)
            other.ring.noteDelivery(of: chunk)
            _ = other.ring.endBorrow(before: chunk.position + 1)
        }
        let untold = other.untoldLoss
        let numbers = other.nextNumbers
        let end = numbers.framePosition - (untold?.frames ?? 0)
        if isFirst {
            buffer.startNumbering(atSequenceNumber: numbers.sequenceNumber, framePosition: end)
        }
        noteCleared(upTo: end)
        if let untold { noteLoss(untold) }
        buffer.ring.consumer.clearedTo.max(other.ring.consumer.clearedTo.load(ordering: .relaxed), ordering: .relaxed)
    }

    /// Frames up to a position went while they were about to move.
    private mutating func noteCleared(upTo position: Int) {
        let missing = position - buffer.nextNumbers.framePosition
        if missing > 0 { noteLoss(AudioLoss(frames: missing, cause: .cleanedUp)) }
    }

    /// Appends a chunk of any size, in pieces where it is larger than the ring's chunks; nothing waits.
    ///
    /// - Returns: What became of the last piece.
    ///
    /// > Real-time: Safe.
    @discardableResult
    package mutating func appendInPieces(_ bytes: RawSpan, captureTime: MonotonicInstant) -> AppendResult {
        guard bytes.byteCount > buffer.maxChunkBytes else { return store(bytes, captureTime: captureTime) }
        var result = AppendResult.stored
        for start in stride(from: 0, to: bytes.byteCount, by: buffer.maxChunkBytes) {
            let piece = bytes.extracting(start..<min(start + buffer.maxChunkBytes, bytes.byteCount))
            // Without a format a frame is a byte, and its time nobody's matter.
            let time = buffer.format.map { captureTime.advanced(by: $0.duration(ofFrames: start / $0.bytesPerFrame)) }
            result = store(piece, captureTime: time ?? captureTime)
        }
        return result
    }

    private mutating func store(_ bytes: RawSpan, captureTime: MonotonicInstant) -> AppendResult {
        // SAFETY: the span is valid for the length of the call.
        unsafe bytes.withUnsafeBytes { bytes in
            buffer.finish(
                unsafe buffer.ring.copyIn(bytes, captureTime: captureTime, admission: buffer.ring.admit(bytes.count)))
        }
    }
}
