import VoiceAudioCore

/// Which part of a ring's content a recording is: computed once, when it stops.
struct RecordedRange: Sendable {
    /// The bytes of the content that belong to the recording: whole frames.
    let byteRange: Range<Int>
    let frameCount: Int
    let losses: LossLedger
    /// Frames of the recording that are not there any more because they were too many.
    let truncatedFrameCount: Int
    /// When the first frame was captured; `nil` where there is none.
    let startTime: MonotonicInstant?

    /// - Parameters:
    ///   - start: The stream position of the recording's first frame.
    ///   - maxBytes: The most bytes to hand back: the newest are kept.
    init(of content: FrozenAudio, from start: Int, maxBytes: Int, format: AudioFormat) {
        let bytesPerFrame = format.bytesPerFrame
        let kept = content.chunks.filter { $0.header.framePosition + $0.header.frameCount > start }
        let first = kept.first
        let firstPosition = first?.header.framePosition ?? max(start, content.endFramePosition)

        // The oldest chunk may begin before the recording does; or after, where what was between is gone.
        let skippedFrames = max(0, start - firstPosition)
        let whole =
            (first?.byteRange.lowerBound ?? 0) + skippedFrames * bytesPerFrame..<(kept.last?.byteRange.upperBound ?? 0)
        let excessFrames = max(0, (whole.count - maxBytes + bytesPerFrame - 1) / bytesPerFrame)
        let byteRange = whole.lowerBound + excessFrames * bytesPerFrame..<whole.upperBound
        self.byteRange = byteRange
        frameCount = byteRange.count / bytesPerFrame
        startTime = kept.first { $0.byteRange.upperBound > byteRange.lowerBound }.map { chunk in
            let frames = (byteRange.lowerBound - chunk.byteRange.lowerBound) / bytesPerFrame
            return chunk.header.captureTime.advanced(by: format.duration(ofFrames: frames))
        }

        var losses = LossLedger(sampleRateHz: format.sampleRateHz)
        let missing = max(0, firstPosition - start)
        // Of a gap that the recording began in, its own part counts.
        let lossBefore = first == nil ? content.lossAtEnd : first?.header.lossBefore
        var told = lossBefore ?? AudioLoss(frames: 0, cause: .deviceGap)
        told.frames = min(told.frames, missing)
        let gone = missing - told.frames
        let cleaned = min(gone, max(0, content.clearedTo - start))
        losses.add(AudioLoss(frames: cleaned, cause: .cleanedUp), at: 0)
        losses.add(AudioLoss(frames: gone - cleaned, cause: .ringEvicted), at: cleaned)
        losses.add(told, at: gone)
        losses.add(AudioLoss(frames: excessFrames, cause: .recordingLimit), at: missing)
        for chunk in kept.dropFirst() {
            guard let loss = chunk.header.lossBefore else { continue }
            losses.add(loss, at: chunk.header.framePosition - loss.frames - start)
        }
        if let last = kept.last?.header, let loss = content.lossAtEnd {
            losses.add(loss, at: last.framePosition + last.frameCount - start)
        }
        self.losses = losses
        truncatedFrameCount = gone - cleaned + excessFrames
    }
}
